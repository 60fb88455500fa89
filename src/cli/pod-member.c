/* SPDX-License-Identifier: Apache-2.0 */
/* run and create with --pod. */
#include "cli/pod-member.h"

#include "base/str.h"
#include "cli/pod-args.h"
#include "cli/pod-options.h"
#include "engine/pod.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

#define MOVE_ARRAY(to, from, member)                            \
        do {                                                    \
                (to)->member = TAKE_PTR((from)->member);        \
                (to)->n_##member = (from)->n_##member;          \
                (from)->n_##member = 0;                         \
        } while (false)

/* What concerns what the pod shares is meant for the pod. */
static void move_shared(ContainerConfig *from, ContainerConfig *to) {
        char **const strings_from[] = { &from->network, &from->userns }, **const strings_to[] = { &to->network, &to->userns };
        char ***const lists_from[] = { &from->dns, &from->dns_search, &from->dns_options, &from->add_hosts },
             ***const lists_to[] = { &to->dns, &to->dns_search, &to->dns_options, &to->add_hosts };

        for (size_t i = 0; i < ELEMENTSOF(strings_from); i++)
                *strings_to[i] = TAKE_PTR(*strings_from[i]);
        for (size_t i = 0; i < ELEMENTSOF(lists_from); i++)
                *lists_to[i] = TAKE_PTR(*lists_from[i]);
        to->no_hosts = from->no_hosts;
        from->no_hosts = false;
        to->shm_size = from->shm_size;
        from->shm_size = 0;
        MOVE_ARRAY(to, from, ports);
        MOVE_ARRAY(to, from, networks);
        MOVE_ARRAY(to, from, uid_map);
        MOVE_ARRAY(to, from, gid_map);
}

static int make_pod(Invocation *in, const Store *store, const char *name, Pod *ret, Error *reterr) {
        RunOptions *run = in->options;
        PodConfig config = POD_CONFIG_NULL;
        ContainerConfig infra = CONTAINER_CONFIG_NULL;
        const PodCreateOptions options = { .storage_driver = in->global.storage_driver };

        if (!*name)
                return INVALID("cannot use '--pod new:': the name is missing");
        move_shared(&run->config, &infra);
        config.hostname = TAKE_PTR(run->config.hostname);
        int r = str_replace(&config.name, name) < 0 || strv_extend(&config.create_command, in->command_line) < 0 ? error_oom(reterr) : 0;
        if (r >= 0)
                r = pod_share_parse(NULL, &config.share, reterr);
        if (r >= 0)
                r = engine_pod_create(store, &config, &infra, &options, ret, reterr);
        pod_config_done(&config);
        container_config_done(&infra);
        return r;
}

/* "private" is written down as nothing at all, which in a pod would mean the pod's. */
static int keep_private(const Invocation *in, ContainerConfig *c, Error *reterr) {
        const struct {
                const char *option;
                char **mode;
        } rows[] = { { "cgroupns", &c->cgroupns_mode }, { "ipc", &c->ipc_mode }, { "pid", &c->pid_mode }, { "uts", &c->uts_mode } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (options_given(&in->parse, rows[i].option) && !*rows[i].mode && str_replace(rows[i].mode, "private") < 0)
                        return error_oom(reterr);
        return 0;
}

static int check_init_container(const Store *store, const Pod *pod, const ContainerConfig *c, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};

        if (!c->init_container)
                return 0;
        if (c->auto_remove || c->restart_policy)
                return INVALID("cannot use --init-ctr with --rm or --restart: it runs once at each start of the pod");
        int r = engine_pod_members(store, pod, &members, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < members.n; i++)
                if (members.items[i].pidfd >= 0)
                        return error_set(reterr, -EBUSY, ERROR_STATE, "cannot add an init container to pod '%s': it is running",
                                         pod->config.name);
        return 0;
}

static int find_pod(Invocation *in, const Store *store, Pod *ret, bool *ret_made, Error *reterr) {
        RunOptions *o = in->options;
        _cleanup_free_ char *id = NULL;
        const char *word = o->pod, *fresh = word ? str_after(word, "new:") : NULL;
        int r = 0;

        if (word && o->pod_id_file)
                return INVALID("cannot use --pod with --pod-id-file");
        if (o->pod_id_file)
                r = pod_id_file_read(o->pod_id_file, &id, reterr);
        if (r < 0)
                return r;
        *ret_made = fresh;
        return fresh ? make_pod(in, store, fresh, ret, reterr) : pod_open(store, word ?: id, ret, reterr);
}

int pod_member_prepare(Invocation *in, const Store *store, bool starts, Error *reterr) {
        RunOptions *o = in->options;
        const DetachedOptions options = { .storage_driver = in->global.storage_driver };
        _cleanup_pod_ Pod pod = POD_NULL;
        bool made = false;

        if (!o->pod && !o->pod_id_file)
                return o->config.init_container ? INVALID("must specify pod value with init-ctr") : 0;
        int r = keep_private(in, &o->config, reterr);
        if (r >= 0)
                r = find_pod(in, store, &pod, &made, reterr);
        if (r >= 0)
                r = check_init_container(store, &pod, &o->config, reterr);
        if (r >= 0)
                r = engine_pod_apply(store, &pod, &o->config, reterr);
        if (r >= 0 && starts)
                r = engine_pod_start_infra(store, &o->config, &options, reterr);
        if (r < 0 && made)
                (void) engine_pod_remove(store, &pod, /* force= */ true, /* timeout= */ NULL, /* reterr= */ NULL);
        return r;
}
