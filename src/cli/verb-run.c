/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod run, sdpod create: from options to a container, in the foreground or in the background. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/detach-keys.h"
#include "cli/parse-process.h"
#include "cli/pod-member.h"
#include "cli/quadlet.h"
#include "cli/registry-options.h"
#include "cli/run-options.h"
#include "cli/run-rmi.h"
#include "cli/verbs.h"
#include "engine/create.h"
#include "engine/depend.h"
#include "engine/detached.h"
#include "engine/foreground.h"
#include "engine/remove.h"

/* --cidfile is made before anything else, so that two commands never share one, and filled when the ID is known. */
static int open_cidfile(const RunOptions *options, int *ret, Error *reterr) {
        if (!options->cidfile)
                return 0;
        *ret = open(options->cidfile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (*ret < 0)
                return error_set(reterr, -errno, error_kind_from_errno(-errno),
                                 errno == EEXIST ? "cannot use --cidfile '%s': container id file exists" : "cannot make --cidfile '%s': %m",
                                 options->cidfile);
        return 0;
}

static int pull_image(void *data, const char *image, const char *policy, char ret_id[65], Error *reterr) {
        const Invocation *in = data;
        const RunOptions *o = in->options;

        return registry_pull(in, image, policy, o->quiet, &o->registry, &o->platform, ret_id, reterr);
}

/* What --platform, or its parts, ask for. */
static int platform_wish(const PlatformWords *words, PlatformWish *ret, Error *reterr) {
        if (words->platform)
                return platform_wish_parse(words->platform, ret, reterr);
        if (str_replace(&ret->os, words->os) < 0 || str_replace(&ret->architecture, words->arch) < 0 ||
            str_replace(&ret->variant, words->variant) < 0 || platform_wish_normalise(ret) < 0)
                return error_oom(reterr);
        return 0;
}

static int create(Invocation *in, const Store **ret_store, bool starts, Container *ret, Error *reterr) {
        RunOptions *options = in->options;
        _cleanup_platform_wish_ PlatformWish wish = {};
        _cleanup_fd_ int cidfile = -EBADF;

        int r = run_options_finish(options, in, environ, reterr);
        if (r >= 0)
                r = platform_wish(&options->platform, &wish, reterr);
        if (r >= 0)
                r = invocation_store(in, ret_store, reterr);
        if (r >= 0)
                r = open_cidfile(options, &cidfile, reterr);
        if (r < 0)
                return r;
        if (str_equal(in->global.cgroup_manager, "disabled") && !options->config.cgroups)
                r = str_replace(&options->config.cgroups, "disabled");
        if (r < 0)
                return error_oom(reterr);
        const CreateOptions create_options = {
                .replace = options->replace,
                .image_volume = options->image_volume,
                .entrypoint_given = options->entrypoint_given,
                .stop_signal_given = options->stop_signal_given,
                .stop_timeout_given = options->stop_timeout_given,
                .env_host = options->env_pairs_host,
                .env_merge = options->env_merge,
                .unset_env = options->unset_env,
                .unset_env_all = options->unset_env_all,
                .uid_maps = options->uid_maps,
                .gid_maps = options->gid_maps,
                .sub_uid_name = options->sub_uid_name ?: options->sub_gid_name,
                .sub_gid_name = options->sub_gid_name ?: options->sub_uid_name,
                .platform = wish,
                .pull = options->pull,
                .pull_image = pull_image,
                .pull_data = in,
                .storage_driver = in->global.storage_driver,
        };
        r = pod_member_prepare(in, *ret_store, starts, reterr);
        if (r >= 0)
                r = engine_create(*ret_store, &options->config, &create_options, ret, reterr);
        if (r < 0 && cidfile >= 0)
                (void) unlink(options->cidfile);
        if (r >= 0 && cidfile >= 0) {
                r = io_write_full(cidfile, ret->config.id, strlen(ret->config.id));
                if (r < 0)
                        r = error_set_errno(reterr, r, "cannot write '%s'", options->cidfile);
        }
        return r;
}

/* --print-quadlet: all that can be checked without making anything was checked. */
static int print_quadlet(Invocation *in, const Option *const *tables, Error *reterr) {
        int r = run_options_finish(in->options, in, environ, reterr);

        return r < 0 ? r : quadlet_print_one(&(QuadletRequest){ .type = UNIT_CONTAINER, .tables = tables, .parse = &in->parse, .global = &in->global,
                                                                .arguments = in->arguments, .environment = environ }, reterr);
}

static int run_create(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const RunOptions *options = in->options;
        const Store *store;

        if (options->print_quadlet)
                return print_quadlet(in, create_option_tables, reterr);
        if (options->preserve_fds > 0 || options->preserve_fd)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --preserve-fds with 'sdpod create': a later start has other descriptors");
        int r = create(in, &store, /* starts= */ false, &container, reterr);
        if (r < 0)
                return r;
        container_settled(store, &container);
        puts(container.config.id);
        return 0;
}

/* --preserve-fds, --preserve-fd */
typedef struct Preserved {
        int *fds;
        size_t n;
} Preserved;

static void preserved_done(Preserved *preserved) {
        free(preserved->fds);
}

/* Before anything is made. What goes to another process (systemd's) cannot take descriptors with it. */
static int find_preserved(const RunOptions *o, Preserved *ret, Error *reterr) {
        int r = parse_preserved_fds(o->preserve_fds, o->preserve_fd, &ret->fds, &ret->n, reterr);
        bool in_unit = str_equal(o->cgroups, "split") || (getenv("NOTIFY_SOCKET") && !str_equal(o->sdnotify, "ignore"));

        if (r >= 0 && ret->n > 0 && o->detach && !in_unit) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use --preserve-fds with --detach: a container in the background is started by systemd, not by this command");
                return error_with_hint(reterr, -EOPNOTSUPP, "leave --detach out, or use socket activation in a unit");
        }
        return r;
}

/* A container that never ran and would have removed itself is not left behind. */
static void discard(const Store *store, Container *container) {
        container_unlock(container);
        if (!container->config.auto_remove)
                container_settled(store, container);
        else
                (void) engine_remove(store, container, &(RemoveOptions){ .volumes = true }, /* reterr= */ NULL);
        run_remove_image(store, &container->config);
}

/* What keeps a container that was made from starting is 126, as in Podman, whatever it is; 125 is what the options lack. */
static int start_failed(int r, Error *reterr) {
        if (reterr && reterr->kind != ERROR_COMMAND_NOT_FOUND)
                reterr->kind = ERROR_NOT_EXECUTABLE;
        return r;
}

static int run_detached(Invocation *in, const Store *store, Container *container, const Preserved *preserved, Error *reterr) {
        const DetachedOptions options = {
                .storage_driver = in->global.storage_driver,
                .kept_fds = preserved->fds,
                .n_kept_fds = preserved->n,
        };
        int r = engine_is_in_unit(&container->config) ? engine_start_in_unit(store, container, &options, reterr)
                                                      : engine_start_detached(store, container, &options, reterr);

        if (r < 0) {
                discard(store, container);
                return start_failed(r, reterr);
        }
        container_settled(store, container);
        puts(container->config.id);
        return 0;
}

static bool attaches(const RunOptions *options, const char *stream) {
        return !options->attach || strv_contains(options->attach, stream);
}

/* Known before there is a container, which would stay behind. */
static int check_log(const RunOptions *options, Error *reterr) {
        if (options->detach || !str_equal(options->config.log_driver, "journald"))
                return 0;
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                         "cannot use '--log-driver journald' in the foreground: it is not there yet; use --detach, or k8s-file");
}

/* systemd hears of a service from the service's own cgroup (systemd.service(5), NotifyAccess=), and a container in the foreground has
 * another one. What was not asked for is no error: a command may inherit the socket from anywhere. */
static int check_notify(const RunOptions *options, Error *reterr) {
        bool payload = str_equal(options->sdnotify, "container") && !str_equal(options->cgroups, "split");

        if (options->detach || !getenv("NOTIFY_SOCKET") || (!payload && !str_equal(options->sdnotify, "healthy")))
                return 0;
        (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --sdnotify=%s in the foreground of a service: it is not there yet",
                         options->sdnotify);
        return error_with_hint(reterr, -EOPNOTSUPP, "--detach, with which systemd has the container's process for the service's");
}

static int run_run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        RunOptions *options = in->options;
        _cleanup_(preserved_done) Preserved preserved = {};
        char keys[DETACH_KEYS_MAX];
        const Store *store;
        int exit_code = 0, r = detach_keys_parse(options->detach_keys, keys, reterr);

        if (r < 0)
                return r;
        if (options->print_quadlet)
                return print_quadlet(in, run_option_tables, reterr);

        r = check_log(options, reterr);
        if (r >= 0)
                r = check_notify(options, reterr);
        if (r >= 0)
                r = find_preserved(options, &preserved, reterr);
        if (r < 0)
                return r;
        r = create(in, &store, /* starts= */ true, &container, reterr);
        if (r < 0)
                return r;
        const DetachedOptions needed = { .storage_driver = in->global.storage_driver };
        r = dependencies_start(store, &container.config, &needed, reterr);
        if (r < 0) {
                discard(store, &container);
                return start_failed(r, reterr);
        }
        if (options->detach)
                return run_detached(in, store, &container, &preserved, reterr);
        if (container.config.terminal && container.config.open_stdin && !isatty(STDIN_FILENO))
                log_warning("the input device is not a TTY: --tty and --interactive might not work properly");
        const ForegroundOptions foreground = {
                .open_stdin = container.config.open_stdin,
                .sig_proxy = options->sig_proxy,
                .show_stdout = attaches(options, "stdout"),
                .show_stderr = attaches(options, "stderr"),
                .detach_keys = keys,
                .storage_driver = in->global.storage_driver,
                .kept_fds = preserved.fds,
                .n_kept_fds = preserved.n,
        };
        r = engine_run_foreground(store, &container, &foreground, &exit_code, reterr);
        run_remove_image(store, &container.config);
        return r < 0 ? start_failed(r, reterr) : exit_code;
}

const Verb verb_run = {
        .arguments = "IMAGE [COMMAND [ARG...]]",
        .summary = "Run a command in a new container",
        .options = run_option_tables,
        .options_size = sizeof(RunOptions),
        .options_default = &run_options_default,
        .options_done = run_options_done,
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_IMAGE,
        .enters_container = true,
        .run = run_run,
};

const Verb verb_create = {
        .arguments = "IMAGE [COMMAND [ARG...]]",
        .summary = "Create a container, but do not start it",
        .options = create_option_tables,
        .options_size = sizeof(RunOptions),
        .options_default = &run_options_default,
        .options_done = run_options_done,
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_IMAGE,
        .run = run_create,
};
