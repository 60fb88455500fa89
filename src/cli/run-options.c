/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of run and create mean together. */
#include "cli/run-options.h"

#include <ctype.h>

#include "base/str.h"
#include "cli/config-options.h"
#include "cli/parse-env.h"
#include "cli/parse-limit.h"
#include "cli/parse-mount.h"
#include "cli/parse-namespace.h"
#include "cli/parse-port.h"
#include "engine/auto-update.h"
#include "state/name.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

const RunOptions run_options_default = {
        .config = { .version = CONTAINER_CONFIG_VERSION, .stop_timeout = 10 },
        .sig_proxy = true,
};

void run_options_done(void *options) {
        RunOptions *o = options;

        container_config_done(&o->config);
        strv_free(o->env_pairs_host);
        strv_free(o->uid_maps);
        strv_free(o->gid_maps);
        o->uid_maps = o->gid_maps = NULL;
        o->env_pairs_host = NULL;
}

static bool mode_is(const char *mode, const char *what) {
        return mode && str_equal(mode, what);
}

static bool joins_another(const char *mode) {
        return mode && (str_after(mode, "container:") || str_after(mode, "ns:"));
}

static int check_attach(RunOptions *o, Error *reterr) {
        for (char **a = o->attach; a && *a; a++) {
                for (char *p = *a; *p; p++)
                        *p = (char) tolower((unsigned char) *p);
                if (!str_equal(*a, "stdin") && !str_equal(*a, "stdout") && !str_equal(*a, "stderr"))
                        return INVALID("cannot use '--attach %s': not one of stdin, stdout, stderr", *a);
        }
        return o->detach && o->attach ? INVALID("cannot use --attach with --detach") : 0;
}

static int check_life(const RunOptions *o, const Invocation *in, Error *reterr) {
        const ContainerConfig *c = &o->config;

        if (c->auto_remove && c->restart_policy)
                return INVALID("cannot use --rm with --restart %s: a container that is removed is not started again",
                               c->restart_policy);
        if (o->replace && !c->name)
                return INVALID("cannot use --replace without --name");
        if (o->no_healthcheck && (options_given(&in->parse, "health-cmd") || options_given(&in->parse, "healthcheck-command")))
                return INVALID("cannot use --no-healthcheck with --health-cmd");
        if (c->oom_score_adj < -1000 || c->oom_score_adj > 1000)
                return INVALID("cannot use '--oom-score-adj %d': not from -1000 to 1000", c->oom_score_adj);
        return config_check_health(&c->health, &in->parse, reterr);
}

static int check_network(const ContainerConfig *c, Error *reterr) {
        bool none = mode_is(c->network, "none");
        bool host = mode_is(c->network, "host");

        if ((c->dns || c->dns_search || c->dns_options) &&
            (none || (c->network && str_after(c->network, "container:"))))
                return INVALID("cannot use --dns, --dns-option or --dns-search with --network %s", c->network);
        if (c->no_hosts && c->add_hosts)
                return INVALID("cannot use --no-hosts with --add-host");
        if (c->add_hosts && c->network && str_after(c->network, "container:"))
                return INVALID("cannot set extra host entries when the container is joined to another containers network namespace");
        if (c->n_ports > 0 && none)
                return INVALID("cannot use --publish with --network %s: nothing could reach the port", c->network);
        for (char **s = c->sysctl; s && *s; s++) {
                if (mode_is(c->ipc_mode, "host") && parse_sysctl_is_ipc(*s))
                        return INVALID("cannot use '--sysctl %s' with --ipc host", *s);
                if (host && str_after(*s, "net."))
                        return INVALID("cannot use '--sysctl %s' with --network host", *s);
        }
        if (mode_is(c->ipc_mode, "host") && c->shm_size)
                return INVALID("cannot use --shm-size with --ipc host");
        if (c->hostname && (mode_is(c->uts_mode, "host") || joins_another(c->uts_mode)))
                return INVALID("cannot use --hostname with --uts %s", c->uts_mode);
        return parse_ports_check(c, reterr);
}

static int check_cgroups(const ContainerConfig *c, Error *reterr) {
        const ContainerResources *r = &c->resources;

        if (c->cgroup_parent && (mode_is(c->cgroups, "split") || mode_is(c->cgroups, "disabled")))
                return INVALID("cannot use --cgroup-parent with --cgroups %s", c->cgroups);
        if (c->cgroup_parent && strstr(c->cgroup_parent, ".."))
                return INVALID("cannot use '--cgroup-parent %s': it leads out of what is yours", c->cgroup_parent);
        if (mode_is(c->cgroups, "disabled") &&
            (r->memory || r->memory_reservation || r->cpu_shares || r->cpu_quota || r->cpuset_cpus || r->cpuset_mems ||
             r->pids_limit > 0 || container_resources_have_io(r) || r->cgroup_conf))
                return INVALID("cannot limit a container with --cgroups disabled");
        return 0;
}

static int check_security(const ContainerConfig *c, Error *reterr) {
        if (c->userns && (c->n_uid_map || c->n_gid_map))
                return INVALID("cannot use --userns with --uidmap or --gidmap");
        for (char **add = c->cap_add; add && *add; add++)
                if (strv_contains(c->cap_drop, *add))
                        return INVALID("cannot add capability '%s' and drop it", *add);
        return 0;
}

/* One map stands for both where only one is given; PODMAN_USERNS where nothing is. */
static int finish_userns(ContainerConfig *c, const Invocation *in, char *const *env, Error *reterr) {
        const char *mode = strv_env_get(env, "PODMAN_USERNS");

        if (c->n_uid_map > 0 && !options_given(&in->parse, "gidmap"))
                return parse_id_map_copy(c->uid_map, c->n_uid_map, &c->gid_map, &c->n_gid_map, reterr);
        if (c->n_gid_map > 0 && !options_given(&in->parse, "uidmap"))
                return parse_id_map_copy(c->gid_map, c->n_gid_map, &c->uid_map, &c->n_uid_map, reterr);
        if (options_given(&in->parse, "uidmap") || options_given(&in->parse, "gidmap") || str_empty(mode) ||
            options_given(&in->parse, "userns"))
                return 0;
        int r = parse_userns(c, mode, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot use 'PODMAN_USERNS=%s'", mode) : 0;
}

static int add_below(RunOptions *o, char *const *env, Error *reterr) {
        static const char *const proxies[] = {
                "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
                "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
        };

        if (o->env_host && strv_extend(&o->env_pairs_host, env) < 0)
                return error_oom(reterr);
        for (size_t i = 0; o->http_proxy && i < ELEMENTSOF(proxies); i++) {
                int r = parse_env(proxies[i], env, &o->env_pairs_host, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int finish_env(RunOptions *o, char *const *env, Error *reterr) {
        ContainerConfig *c = &o->config;
        int r = add_below(o, env, reterr);

        for (char **f = o->env_files; r >= 0 && f && *f; f++) {
                r = parse_env_file(*f, env, &c->env, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--env-file %s'", *f);
        }
        for (char **e = o->env; r >= 0 && e && *e; e++) {
                r = parse_env(*e, env, &c->env, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--env %s'", *e);
        }
        return r < 0 ? r : parse_labels(o->label_files, o->labels, &c->labels, reterr);
}

/* Units say who they are (podman-auto-update(1)): it is how one finds the unit of a container, and the other way round. */
static int finish_labels(RunOptions *o, char *const *env, Error *reterr) {
        const char *unit = strv_env_get(env, AUTO_UPDATE_UNIT_LABEL);
        _cleanup_free_ char *label = unit ? str_format(AUTO_UPDATE_UNIT_LABEL "=%s", unit) : NULL;

        if (!unit || strv_env_get(o->config.labels, AUTO_UPDATE_UNIT_LABEL))
                return 0;
        return !label || strv_env_set(&o->config.labels, label) < 0 ? error_oom(reterr) : 0;
}

/* The unit that the container is of: its name is in the record, and may be in that of the container. */
static int finish_unit(ContainerConfig *config, char *const *env, Error *reterr) {
        const char *alias = strv_env_get(env, "PODMAN_SYSTEMD_UNIT"), *told = strv_env_get(env, "SDPOD_SYSTEMD_UNIT");
        _cleanup_free_ char *own = told ? strdup(told) : name_of_own_unit(alias), *meant = NULL;

        if ((told || alias) && !own)
                return error_oom(reterr);
        if (config->name && name_without_alias(config->name, alias, own, &meant) < 0)
                return error_oom(reterr);
        if (str_replace(&config->systemd_unit, str_empty(own) ? NULL : own) < 0 || (meant && str_replace(&config->name, meant) < 0))
                return error_oom(reterr);
        return 0;
}

/* Words whose default has no word of its own in the record. */
static int finish_words(RunOptions *o, const Invocation *in, char *const *env, Error *reterr) {
        ContainerConfig *c = &o->config;
        bool ignore = str_equal(o->sdnotify, "ignore");
        const char *socket = ignore ? NULL : strv_env_get(env, "NOTIFY_SOCKET");

        if (str_replace(&c->cgroups, str_equal(o->cgroups, "enabled") ? NULL : o->cgroups) < 0 ||
            str_replace(&c->sdnotify, str_equal(o->sdnotify, "container") ? NULL : o->sdnotify) < 0 ||
            str_replace(&c->notify_socket, str_empty(socket) ? NULL : socket) < 0)
                return error_oom(reterr);
        int r = finish_unit(c, env, reterr);
        if (r < 0)
                return r;
        if (str_equal(o->pull, "missing"))
                (void) str_replace(&o->pull, NULL);
        if (o->no_healthcheck) {
                strv_free(c->health.test);
                c->health.test = NULL;
                if (strv_append(&c->health.test, "NONE") < 0)
                        return error_oom(reterr);
        }
        o->entrypoint_given = options_given(&in->parse, "entrypoint");
        o->stop_signal_given = options_given(&in->parse, "stop-signal");
        o->stop_timeout_given = options_given(&in->parse, "stop-timeout");
        return 0;
}

/* "DIR" or "DIR:O". */
static int finish_rootfs(ContainerConfig *c, const char *argument, Error *reterr) {
        _cleanup_free_ char *path = strdup(argument);

        if (!path)
                return error_oom(reterr);
        if (str_has_suffix(path, ":O")) {
                path[strlen(path) - 2] = '\0';
                c->rootfs_overlay = true;
        }
        if (!*path)
                return INVALID("cannot use '--rootfs': the directory is missing");
        return parse_host_path(path, &c->rootfs, reterr);
}

static int finish_arguments(RunOptions *o, const Invocation *in, Error *reterr) {
        ContainerConfig *c = &o->config;
        int r = 0;

        if (in->n_arguments == 0)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod %s' requires an image", in->name);
        if (!*in->arguments[0])
                return INVALID("cannot use '' as an image");
        if (o->use_rootfs)
                r = finish_rootfs(c, in->arguments[0], reterr);
        else if (str_replace(&c->image, in->arguments[0]) < 0)
                return error_oom(reterr);
        if (r < 0)
                return r;
        if (strv_extend(&c->command, in->arguments + 1) < 0 || strv_extend(&c->create_command, in->command_line) < 0)
                return error_oom(reterr);
        return 0;
}

int run_options_finish(RunOptions *o, const Invocation *in, char *const *environ_now, Error *reterr) {
        ContainerConfig *c = &o->config;
        int r = finish_arguments(o, in, reterr);

        if (r >= 0)
                r = finish_words(o, in, environ_now, reterr);
        if (r >= 0)
                r = check_attach(o, reterr);
        if (r >= 0)
                r = check_life(o, in, reterr);
        if (r >= 0)
                r = network_words_apply(&o->network, c, reterr);
        if (r >= 0)
                r = check_network(c, reterr);
        if (r >= 0)
                r = config_check_resources(c, &in->parse, reterr);
        if (r >= 0)
                r = check_cgroups(c, reterr);
        if (r >= 0)
                r = check_security(c, reterr);
        if (r >= 0)
                r = run_options_finish_process(o, in, reterr);
        if (r >= 0)
                r = finish_userns(c, in, environ_now, reterr);
        if (r >= 0)
                r = finish_env(o, environ_now, reterr);
        return r < 0 ? r : finish_labels(o, environ_now, reterr);
}
