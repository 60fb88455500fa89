/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: their making, and what a container gets from its pod. */
#include "engine/pod.h"

#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "engine/create.h"
#include "engine/plan-mounts.h"
#include "engine/stop.h"
#include "state/events.h"
#include "state/pending.h"

/* ---- members ---- */

void pod_members_done(PodMembers *members) {
        for (size_t i = 0; i < members->n; i++)
                container_done(&members->items[i]);
        free(members->items);
        *members = (PodMembers){};
}

static int by_id(const void *a, const void *b) {
        return strcmp(((const Container *) a)->config.id, ((const Container *) b)->config.id);
}

int engine_pod_members(const Store *store, const Pod *pod, PodMembers *ret, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_strv_ char **ids = NULL;
        int r = pod_members(pod, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load(store, *id, &c, &error);
                if (r >= 0)
                        r = engine_settle(store, &c, &error);
                if (r == -ENOENT || (r >= 0 && !str_equal(c.config.pod, pod->config.id))) {
                        r = 0;
                        continue;
                }
                if (r < 0)
                        return error_move(reterr, &error);
                Container *item = container_array_add((void **) &members.items, &members.n, sizeof(Container));
                if (!item)
                        return error_oom(reterr);
                *item = c;
                c = CONTAINER_NULL;
        }
        if (r < 0)
                return r;
        if (members.n > 0)
                qsort(members.items, members.n, sizeof(Container), by_id);
        *ret = members;
        members = (PodMembers){};
        return 0;
}

Container *pod_members_infra(const PodMembers *members) {
        for (size_t i = 0; i < members->n; i++)
                if (members->items[i].config.infra)
                        return &members->items[i];
        return NULL;
}

static int by_creation(const void *a, const void *b) {
        const Container *x = *(Container *const *) a, *y = *(Container *const *) b;

        return x->config.created_usec < y->config.created_usec ? -1 : x->config.created_usec > y->config.created_usec;
}

Container **pod_members_in_order(const PodMembers *members) {
        Container **order = calloc(members->n + 1, sizeof(Container *));

        for (size_t i = 0; order && i < members->n; i++)
                order[i] = &members->items[i];
        if (order && members->n > 0)
                qsort(order, members->n, sizeof(Container *), by_creation);
        return order;
}

const char *pod_members_state(const PodMembers *members) {
        PodCount count = {};

        for (size_t i = 0; i < members->n; i++) {
                ContainerStatus status = members->items[i].status;

                /* One that is to end before the others start would make every pod a degraded one. */
                if (members->items[i].config.init_container)
                        continue;
                count.all++;
                count.created += status == CONTAINER_CREATED || status == CONTAINER_INITIALIZED;
                count.running += status == CONTAINER_RUNNING || status == CONTAINER_STOPPING;
                count.paused += status == CONTAINER_PAUSED;
                count.ended += status == CONTAINER_EXITED;
        }
        return pod_state(&count);
}

/* ---- making ---- */

/* What a start would refuse is refused now. */
static int check_limits(const PodConfig *config, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_strv_ char **controllers = NULL;
        LimitSettings limits;

        if (!pod_has_limits(config))
                return 0;
        int r = limits_resolve(&config->resources, /* with_default= */ false, &limits, reterr);
        if (r >= 0)
                r = manager_connect(&manager, reterr);
        if (r == -ENOENT) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot limit a pod: there is no systemd manager of this user to ask");
                return error_with_hint(reterr, -EOPNOTSUPP, "log in so that 'systemctl --user status' works, or 'loginctl enable-linger'");
        }
        if (r >= 0)
                r = manager_controllers(&manager, &controllers, reterr);
        return r < 0 ? r : limits_check(&limits, controllers, reterr);
}

static int fill_infra(const PodConfig *config, ContainerConfig *infra, Error *reterr) {
        infra->infra = infra->read_only = infra->no_read_only_tmpfs = true;
        if (str_replace(&infra->id, config->infra_id) < 0 || str_replace(&infra->pod, config->id) < 0 ||
            str_replace(&infra->hostname, config->hostname ?: config->name) < 0 || str_replace(&infra->log_driver, "none") < 0 ||
            (!config->no_share_parent && !(infra->cgroup_parent = pod_slice(config))) ||
            strv_append(&infra->entrypoint, INFRA_IN_CONTAINER) < 0 || strv_extend(&infra->create_command, config->create_command) < 0)
                return error_oom(reterr);
        if (!infra->name && !(infra->name = str_format("%.12s-infra", config->id)))
                return error_oom(reterr);
        return 0;
}

static int make_infra(const Store *store, const Pod *pod, ContainerConfig *infra, const PodCreateOptions *options, Error *reterr) {
        const CreateOptions create = { .entrypoint_given = true, .storage_driver = options->storage_driver };
        _cleanup_container_ Container container = CONTAINER_NULL;
        int r = fill_infra(&pod->config, infra, reterr);

        if (r >= 0)
                r = engine_create(store, infra, &create, &container, reterr);
        if (r >= 0)
                container_settled(store, &container);
        return r;
}

static int clear_name(const Store *store, const char *name, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_pod_ Pod holder = POD_NULL;
        int r = pod_open(store, name, &holder, &error);

        if (r == -ENOENT || (r >= 0 && !str_equal(holder.config.name, name)))
                return 0;
        return r < 0 ? error_move(reterr, &error) : engine_pod_remove(store, &holder, /* force= */ true, /* timeout= */ NULL, reterr);
}

/* A pod that got no infra container goes again, unless somebody has put a container into it meanwhile: that one's end is for `pod rm`. */
static void undo_create(const Store *store, Pod *pod) {
        _cleanup_strv_ char **members = NULL;
        size_t others = 0;

        if (pod_lock(pod, /* reterr= */ NULL) < 0)
                return;
        int r = pod_members(pod, &members, /* reterr= */ NULL);
        for (char **id = members; id && *id; id++)
                others += !str_equal(*id, pod->config.infra_id);
        if (r >= 0 && others == 0)
                (void) pod_delete(store, pod, /* reterr= */ NULL);
        pod_unlock(pod);
}

int engine_pod_create(const Store *store, PodConfig *config, ContainerConfig *infra, const PodCreateOptions *options, Pod *ret, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;

        if (config->name && !container_name_is_valid(config->name))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use the name '%s': names have letters, digits, '_', '.' and '-' and begin with a letter or digit",
                                 config->name);
        int r = check_limits(config, reterr);
        if (r >= 0 && options->replace && config->name)
                r = clear_name(store, config->name, reterr);
        if (r < 0)
                return r;
        if (!(config->id = str_random_id(CONTAINER_ID_LENGTH)) || (infra && !(config->infra_id = str_random_id(CONTAINER_ID_LENGTH))))
                return error_oom(reterr);
        pod_collect(store);
        /* the mark comes first, as a container's: whoever finds it before it is locked finds no pod with it, and waits for none */
        _cleanup_fd_ int mark = pending_take(store, config->id, reterr);
        if (mark < 0)
                return mark;
        r = pod_create(store, config, &pod, reterr); /* where that fails the config stays ours */
        if (r < 0) {
                pending_drop(store, config->id, &mark);
                return r == -EEXIST ? error_with_hint(reterr, r, "remove what has it first; --replace does so with a pod") : r;
        }
        pod_unlock(&pod);
        r = infra ? make_infra(store, &pod, infra, options, reterr) : 0;
        if (r < 0)
                undo_create(store, &pod);
        pending_drop(store, pod.config.id, &mark);
        if (r < 0)
                return r;
        event_named(store, "pod", "create", pod.config.id, pod.config.name);
        *ret = pod;
        pod = POD_NULL;
        return 0;
}

/* ---- what a container gets from it ---- */

static int refuse(const Pod *pod, const char *option, const char *why, Error *reterr) {
        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s in pod '%s': %s", option, pod->config.name, why);
        return error_with_hint(reterr, -EINVAL, "give it to 'sdpod pod create'");
}

/* What belongs to a namespace that is shared is the pod's. */
static int check_shared(const Pod *pod, const ContainerConfig *c, Error *reterr) {
        static const char net[] = "the network is the pod's", uts[] = "the hostname is the pod's", ipc[] = "/dev/shm is the pod's";
        bool own_network = c->network != NULL;
        const struct {
                const char *option, *namespace, *why;
                bool given;
        } rows[] = {
                { "--publish", "net", net, !own_network && c->n_ports > 0 },
                { "--add-host", "net", net, !own_network && c->add_hosts },
                { "--no-hosts", "net", net, !own_network && c->no_hosts },
                { "--dns, --dns-option or --dns-search", "net", net, !own_network && (c->dns || c->dns_search || c->dns_options) },
                { "--hostname", "uts", uts, !c->uts_mode && c->hostname },
                { "--shm-size", "ipc", ipc, !c->ipc_mode && c->shm_size > 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].given && pod_shares(&pod->config, rows[i].namespace))
                        return refuse(pod, rows[i].option, rows[i].why, reterr);
        if (c->userns || c->n_uid_map > 0 || c->n_gid_map > 0)
                return refuse(pod, "--userns, --uidmap or --gidmap", "the user namespace is the pod's", reterr);
        if (pod_has_limits(&pod->config) && (str_equal(c->cgroups, "split") || str_equal(c->cgroups, "disabled") || c->cgroup_parent)) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot add a container to pod '%s': it would not be under the pod's limits",
                                 pod->config.name);
                return error_with_hint(reterr, -EINVAL, "its cgroup is elsewhere by --cgroups or --cgroup-parent; in unit files, limit a slice and use Slice=");
        }
        return 0;
}

static int join_namespaces(const Pod *pod, ContainerConfig *c, Error *reterr) {
        const struct {
                const char *namespace;
                char **mode;
        } rows[] = {
                { "net", &c->network }, { "ipc", &c->ipc_mode }, { "uts", &c->uts_mode }, { "pid", &c->pid_mode }, { "cgroup", &c->cgroupns_mode },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (!*rows[i].mode && pod_shares(&pod->config, rows[i].namespace) &&
                    !(*rows[i].mode = str_format("container:%s", pod->config.infra_id)))
                        return error_oom(reterr);
        return 0;
}

static int copy_mounts(const ContainerConfig *from, ContainerConfig *to) {
        for (size_t i = 0; i < from->n_mounts; i++) {
                const ContainerMount *m = &from->mounts[i];

                if (container_has_mount(to, m->destination))
                        continue;
                ContainerMount *added = container_array_add((void **) &to->mounts, &to->n_mounts, sizeof(*added));
                if (!added || str_replace(&added->type, m->type) < 0 || str_replace(&added->source, m->source) < 0 ||
                    str_replace(&added->destination, m->destination) < 0 || strv_extend(&added->options, m->options) < 0 ||
                    str_replace(&added->image_id, m->image_id) < 0 || strv_extend(&added->layers, m->layers) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_devices(const ContainerConfig *from, ContainerConfig *to) {
        for (size_t i = 0; i < from->n_devices; i++) {
                const ContainerDevice *d = &from->devices[i];
                ContainerDevice *added = container_array_add((void **) &to->devices, &to->n_devices, sizeof(*added));

                if (!added || str_replace(&added->source, d->source) < 0 || str_replace(&added->destination, d->destination) < 0 ||
                    str_replace(&added->permissions, d->permissions) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* What the pod says of security holds for each member, beside what the member says. */
static int copy_policy(const ContainerConfig *from, ContainerConfig *to) {
        to->no_new_privileges = to->no_new_privileges || from->no_new_privileges;
        if ((!to->seccomp && str_replace(&to->seccomp, from->seccomp) < 0) || strv_extend(&to->masked_paths_add, from->masked_paths_add) < 0 ||
            strv_extend(&to->unmask, from->unmask) < 0 || strv_extend(&to->security_opt, from->security_opt) < 0)
                return -ENOMEM;
        return 0;
}

static int inherit(const Store *store, const Pod *pod, ContainerConfig *c, Error *reterr) {
        _cleanup_container_ Container infra = CONTAINER_NULL;

        if (!pod->config.infra_id)
                return 0;
        int r = container_load(store, pod->config.infra_id, &infra, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_NOT_FOUND, "cannot use pod '%s': its infra container is gone", pod->config.name);
        if (r < 0)
                return error_prefix(reterr, r, "cannot use pod '%s'", pod->config.name);
        if (copy_mounts(&infra.config, c) < 0 || copy_devices(&infra.config, c) < 0 || copy_policy(&infra.config, c) < 0)
                return error_oom(reterr);
        return 0;
}

int engine_pod_apply(const Store *store, const Pod *pod, ContainerConfig *c, Error *reterr) {
        int r = check_shared(pod, c, reterr);

        if (r >= 0)
                r = join_namespaces(pod, c, reterr);
        if (r >= 0)
                r = inherit(store, pod, c, reterr);
        if (r < 0)
                return r;
        if (str_replace(&c->pod, pod->config.id) < 0)
                return error_oom(reterr);
        if (!c->restart_policy && !c->auto_remove && !c->init_container && pod->config.restart_policy) {
                c->restart_retries = pod->config.restart_retries;
                if (str_replace(&c->restart_policy, pod->config.restart_policy) < 0)
                        return error_oom(reterr);
        }
        if (!pod->config.no_share_parent && !c->cgroup_parent && !str_equal(c->cgroups, "split") && !str_equal(c->cgroups, "disabled") &&
            pod->config.infra_id && !(c->cgroup_parent = pod_slice(&pod->config)))
                return error_oom(reterr);
        return 0;
}
