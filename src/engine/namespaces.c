/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that containers share. */
#include "engine/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "ns/handle.h"
#include "proc/namespaces.h"

enum { CHAIN_MAX = 16 }; /* of containers that join each other; what is longer has been made by hand */

static const struct {
        const char *option, *what;
        const char *name; /* in /proc/PID/ns */
        int flag;
        size_t mode;      /* offset of the field */
} kinds[_NAMESPACE_KIND_MAX] = {
        [NAMESPACE_USER] = { "--userns", "user", "user", CLONE_NEWUSER, offsetof(ContainerConfig, userns) },
        [NAMESPACE_NET] = { "--network", "network", "net", CLONE_NEWNET, offsetof(ContainerConfig, network) },
        [NAMESPACE_IPC] = { "--ipc", "IPC", "ipc", CLONE_NEWIPC, offsetof(ContainerConfig, ipc_mode) },
        [NAMESPACE_UTS] = { "--uts", "UTS", "uts", CLONE_NEWUTS, offsetof(ContainerConfig, uts_mode) },
        [NAMESPACE_PID] = { "--pid", "PID", "pid", CLONE_NEWPID, offsetof(ContainerConfig, pid_mode) },
        [NAMESPACE_CGROUP] = { "--cgroupns", "cgroup", "cgroup", CLONE_NEWCGROUP, offsetof(ContainerConfig, cgroupns_mode) },
};

static char **mode_field(ContainerConfig *config, NamespaceKind kind) {
        return (char **) (void *) ((char *) config + kinds[kind].mode);
}

static const char *mode_of(const ContainerConfig *config, NamespaceKind kind) {
        return *mode_field((ContainerConfig *) config, kind);
}

const char *namespace_joined(const char *mode) {
        return mode ? str_after(mode, "container:") : NULL;
}

/* ---- who is in whose ---- */

int namespaces_holder(const Store *store, const ContainerConfig *config, NamespaceKind kind, Container *ret, Error *reterr) {
        _cleanup_container_ Container holder = CONTAINER_NULL;
        const char *id = namespace_joined(mode_of(config, kind));

        for (unsigned n = 0; id; n++) {
                _cleanup_container_ Container next = CONTAINER_NULL;

                if (n >= CHAIN_MAX)
                        return error_set(reterr, -ELOOP, ERROR_CORRUPT, "cannot share the %s namespace of container '%s': too many share each other's",
                                         kinds[kind].what, id);
                int r = container_load(store, id, &next, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot share the %s namespace of container '%.12s'", kinds[kind].what, id);
                container_done(&holder);
                holder = next;
                next = CONTAINER_NULL;
                id = namespace_joined(mode_of(&holder.config, kind));
        }
        if (!holder.config.id)
                return 0;
        *ret = holder;
        holder = CONTAINER_NULL;
        return 1;
}

/* What the kind really is: the mode at the end of the chain. */
static int is_host(const Store *store, const ContainerConfig *config, NamespaceKind kind, Error *reterr) {
        _cleanup_container_ Container holder = CONTAINER_NULL;
        int r = namespaces_holder(store, config, kind, &holder, reterr);

        return r < 0 ? r : str_equal(mode_of(r > 0 ? &holder.config : config, kind), "host");
}

/* The container whose user namespace one with this record lives in: that of the first one that it joins. *ret_id is NULL where it
 * has its own. */
static int find_user_owner(const Store *store, const ContainerConfig *config, unsigned depth, char **ret_id, Error *reterr) {
        *ret_id = NULL;
        if (depth >= CHAIN_MAX)
                return error_set(reterr, -ELOOP, ERROR_CORRUPT, "cannot share namespaces: too many containers share each other's");
        for (NamespaceKind kind = 0; kind < _NAMESPACE_KIND_MAX; kind++) {
                const char *id = namespace_joined(mode_of(config, kind));
                _cleanup_container_ Container target = CONTAINER_NULL;
                int host = id && kind != NAMESPACE_USER ? is_host(store, config, kind, reterr) : 0;

                if (host < 0)
                        return host;
                if (!id || host)
                        continue;
                int r = container_load(store, id, &target, reterr);
                if (r >= 0)
                        r = find_user_owner(store, &target.config, depth + 1, ret_id, reterr);
                if (r < 0)
                        return r;
                if (!*ret_id)
                        *ret_id = TAKE_PTR(target.config.id);
                return 0;
        }
        return 0;
}

static void take_ports(ContainerPort **from, size_t *n_from, ContainerPort **to, size_t *n_to) {
        ContainerPort *items = *to;
        size_t n = *n_to;

        *to = *from;
        *n_to = *n_from;
        *from = items; /* freed with the container that they came from */
        *n_from = n;
}

void namespaces_take_ports(const Store *store, Container *c) {
        _cleanup_container_ Container holder = CONTAINER_NULL;

        if (!namespace_joined(c->config.network) || namespaces_holder(store, &c->config, NAMESPACE_NET, &holder, /* reterr= */ NULL) <= 0)
                return;
        take_ports(&holder.config.ports, &holder.config.n_ports, &c->config.ports, &c->config.n_ports);
        take_ports(&holder.process.ports, &holder.process.n_ports, &c->process.ports, &c->process.n_ports);
}

/* ---- at creation ---- */

static int check_target(const ContainerConfig *config, NamespaceKind kind, const Container *target, bool replaces, Error *reterr) {
        if (replaces && str_equal(target->config.name, config->name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot share the %s namespace of container '%s': it is the one that is replaced",
                                 kinds[kind].what, config->name);
        if (kind == NAMESPACE_IPC && (str_equal(target->config.ipc_mode, "private") || str_equal(target->config.ipc_mode, "none"))) {
                (void) error_set(reterr, -EPERM, ERROR_INVALID,
                                 "cannot share the IPC namespace of container '%s': joining IPC of container %s is not allowed: non-shareable IPC",
                                 target->config.name, target->config.id);
                return error_with_hint(reterr, -EPERM, "make that container with --ipc shareable");
        }
        return 0;
}

static int resolve_mode(const Store *store, ContainerConfig *config, NamespaceKind kind, bool replaces, Error *reterr) {
        char **mode = mode_field(config, kind);
        const char *name = namespace_joined(*mode), *path = *mode ? str_after(*mode, "ns:") : NULL;
        _cleanup_container_ Container target = CONTAINER_NULL;
        struct stat st;

        if (path && stat(path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot use %s=%s: cannot find specified %s namespace path", kinds[kind].option, *mode,
                                       kinds[kind].what);
        if (!name)
                return 0;
        int r = container_open(store, name, &target, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot share the %s namespace of container '%s'", kinds[kind].what, name);
        r = check_target(config, kind, &target, replaces, reterr);
        if (r < 0)
                return r;
        char *full = str_format("container:%s", target.config.id);
        if (!full)
                return error_oom(reterr);
        free(*mode);
        *mode = full;
        return 0;
}

static int resolve_requires(const Store *store, ContainerConfig *config, bool replaces, Error *reterr) {
        for (char **name = config->requires; name && *name; name++) {
                _cleanup_container_ Container target = CONTAINER_NULL;
                int r = container_open(store, *name, &target, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "\"%s\" is not a valid container, cannot be used as a dependency", *name);
                if (replaces && str_equal(target.config.name, config->name))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot require container '%s': it is the one that is replaced",
                                         config->name);
                free(*name);
                *name = TAKE_PTR(target.config.id);
        }
        return 0;
}

static int take_half(const IdMap *map, ContainerIdMapping **to, size_t *n_to, Error *reterr) {
        for (size_t i = 0; i < map->n; i++) {
                ContainerIdMapping *mapping = container_array_add((void **) to, n_to, sizeof(*mapping));

                if (!mapping)
                        return error_oom(reterr);
                *mapping = map->ranges[i];
        }
        return 0;
}

/* The record keeps the map, as the other container's may go. */
static int take_map(const Store *store, ContainerConfig *config, const char *owner_id, Error *reterr) {
        _cleanup_container_ Container owner = CONTAINER_NULL;
        _cleanup_user_map_ UserMap base = {}, map = {}, own = {}, view = {};
        bool own_map = config->n_uid_map > 0 || config->n_gid_map > 0;
        int r = container_load(store, owner_id, &owner, reterr);

        if (r >= 0)
                r = user_map_default(&base, reterr);
        if (r >= 0)
                r = user_map_for_container(&owner.config, &base, &map, reterr);
        if (r < 0)
                return r;
        if (own_map || (config->userns && !namespace_joined(config->userns))) {
                /* asked for by itself: fine where it comes to the same */
                bool same = !(config->userns && (str_after(config->userns, "auto") || str_after(config->userns, "ns:")));

                r = same ? user_map_for_container(config, &base, &own, reterr) : 0;
                if (r < 0)
                        return r;
                if (same && user_map_equal(&own, &map))
                        return 0;
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use %s%s: who shares namespaces with container '%s' shares its user namespace, which has another ID map",
                                 own_map ? "an ID map of its own" : "--userns=", own_map ? "" : config->userns, owner.config.name);
                return error_with_hint(reterr, -EOPNOTSUPP, "give both containers the same --userns");
        }
        if (!map.own)
                return 0;
        r = user_map_to_view(&map, &base, &view, reterr);
        if (r >= 0)
                r = take_half(&view.uid, &config->uid_map, &config->n_uid_map, reterr);
        return r < 0 ? r : take_half(&view.gid, &config->gid_map, &config->n_gid_map, reterr);
}

/* All that is joined must be in one user namespace. */
static int check_owners(const Store *store, const ContainerConfig *config, const char *owner_id, Error *reterr) {
        for (NamespaceKind kind = 0; kind < _NAMESPACE_KIND_MAX; kind++) {
                const char *id = namespace_joined(mode_of(config, kind));
                _cleanup_container_ Container target = CONTAINER_NULL;
                _cleanup_free_ char *other = NULL;
                int host = id ? is_host(store, config, kind, reterr) : 1;

                if (host < 0)
                        return host;
                if (host && kind != NAMESPACE_USER)
                        continue;
                int r = id ? container_load(store, id, &target, reterr) : 0;
                if (r >= 0 && id)
                        r = find_user_owner(store, &target.config, 0, &other, reterr);
                if (r < 0)
                        return r;
                if (!id || str_equal(other ?: target.config.id, owner_id))
                        continue;
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use %s=container:%.12s: its user namespace is not that of the other containers that are joined",
                                 kinds[kind].option, id);
                return error_with_hint(reterr, -EOPNOTSUPP, "make those containers with --userns container:NAME of one of them");
        }
        return 0;
}

static void discard_ports(ContainerConfig *config) {
        if (config->n_ports == 0 || !config->network || (!namespace_joined(config->network) && !str_after(config->network, "ns:")))
                return;
        log_warning("the published ports are discarded: with --network=%s they are those of that network", config->network);
        for (size_t i = 0; i < config->n_ports; i++) {
                free(config->ports[i].host_ip);
                free(config->ports[i].protocol);
        }
        free(config->ports);
        config->ports = NULL;
        config->n_ports = 0;
}

int namespaces_resolve(const Store *store, ContainerConfig *config, bool replaces, Error *reterr) {
        _cleanup_free_ char *owner = NULL;

        discard_ports(config);
        int r = resolve_requires(store, config, replaces, reterr);

        for (NamespaceKind kind = 0; kind < _NAMESPACE_KIND_MAX && r >= 0; kind++)
                r = resolve_mode(store, config, kind, replaces, reterr);
        if (r >= 0)
                r = find_user_owner(store, config, 0, &owner, reterr);
        /* root may join what is in any user namespace, and stays in the machine's unless that is asked for, or is the pod's */
        if (r < 0 || !owner || (geteuid() == 0 && !namespace_joined(config->userns) && !config->pod))
                return r;
        r = check_owners(store, config, owner, reterr);
        return r < 0 ? r : take_map(store, config, owner, reterr);
}

/* ---- at a start ---- */

/* What is joined of one container goes in one call, which the kernel makes whole or not at all. */
static NamespaceJoin *add_join(NamespacePlan *plan, char *what, int fd, int flags, Error *reterr) {
        if (!what || plan->n_joins >= NAMESPACE_JOINS_MAX) {
                free(what);
                (void) fd_close(fd);
                (void) error_oom(reterr);
                return NULL;
        }
        NamespaceJoin *join = &plan->joins[plan->n_joins++];

        *join = (NamespaceJoin){ .fd = fd, .flags = flags, .what = what };
        return join;
}

static int open_target(const Store *store, const ContainerConfig *config, const char *id, Container *ret, Error *reterr) {
        int r = container_load(store, id, ret, reterr);

        if (r >= 0 && ret->pidfd < 0)
                return error_set(reterr, -ESRCH, ERROR_STATE,
                                 "cannot start container '%s': some dependencies of container %s are not started: %s: container state improper",
                                 config->name, config->id, id);
        return r;
}

/* The first container of all decides about the user namespace: its map must be the one that everything is prepared for. */
static int join_user(const Container *target, ProcPlan *plan, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};

        if (plan->map.host || plan->namespaces.user)
                return 0;
        int r = ns_read_map(target->process.pid, /* userns_fd= */ -EBADF, &map, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int userns = ns_open_of_process(target->pidfd, target->process.pid, "user", reterr);
        if (userns < 0)
                return userns;
        if (!user_map_equal(&map, &plan->map))
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot share namespaces with container '%s': its user namespace has another ID map than it was made with",
                                 target->config.name);
        plan->parent_userns_fd = ns_parent(userns);
        if (plan->parent_userns_fd >= 0 && ns_is_own(plan->parent_userns_fd, "user"))
                plan->parent_userns_fd = fd_close(plan->parent_userns_fd);
        plan->namespaces.user = true;
        return CLONE_NEWUSER;
}

static int share_shm(const Container *target, const ProcPlan *plan, int *ret, Error *reterr) {
        int fd = namespaces_clone_tmpfs(target->pidfd, !plan->map.host, "/dev/shm", reterr);

        if (fd < 0)
                return error_prefix(reterr, fd, "cannot share the IPC namespace of container '%s'", target->config.name);
        *ret = fd;
        return 0;
}

static char *describe(const Container *target) {
        return str_format("the namespaces of container '%s'", target->config.name);
}

/* All that is joined of the container `id`. `flags`: the kinds by their CLONE_NEW*. */
static int join_container(const Store *store, const ContainerConfig *config, const char *id, int flags, ProcPlan *plan, Error *reterr) {
        _cleanup_container_ Container target = CONTAINER_NULL;
        int r = open_target(store, config, id, &target, reterr), before = flags & ~(CLONE_NEWCGROUP | CLONE_NEWUSER);

        if (r >= 0)
                r = join_user(&target, plan, reterr);
        if (r < 0)
                return r;
        before |= r;
        if ((flags & CLONE_NEWIPC) && (r = share_shm(&target, plan, &plan->namespaces.shm_fd, reterr)) < 0)
                return r;
        if (flags & CLONE_NEWCGROUP) {
                plan->namespaces.cgroup = (NamespaceJoin){ .fd = fcntl(target.pidfd, F_DUPFD_CLOEXEC, 3), .what = describe(&target) };
                if (plan->namespaces.cgroup.fd < 0 || !plan->namespaces.cgroup.what)
                        return error_oom(reterr);
        }
        if (!before)
                return 0;
        int fd = fcntl(target.pidfd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot join the namespaces of container '%s'", target.config.name);
        return add_join(&plan->namespaces, describe(&target), fd, before, reterr) ? 0 : -ENOMEM;
}

/* A namespace by its path needs the user namespace that owns it, which must be this user's and have the map that everything is
 * prepared for. */
static int join_owner(int ns, NamespaceKind kind, const char *path, ProcPlan *plan, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};

        if (plan->map.host && kind == NAMESPACE_USER && !ns_is_own(ns, "user"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot join the user namespace '%s' as root: not there yet", path);
        if (plan->map.host || plan->namespaces.user)
                return 0;
        _cleanup_fd_ int owner = kind == NAMESPACE_USER ? fcntl(ns, F_DUPFD_CLOEXEC, 3) : ns_owner(ns);
        if (owner < 0 || ns_is_own(owner, "user") || ns_check_user(owner, getuid()) < 0) {
                (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot join the %s namespace '%s': it belongs to another user", kinds[kind].what,
                                 path);
                return error_with_hint(reterr, -EPERM, "an ordinary user joins what was made in a user namespace of this user");
        }
        int r = ns_read_map(/* pid= */ 0, owner, &map, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot join the %s namespace '%s'", kinds[kind].what, path);
        if (!user_map_equal(&map, &plan->map))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot join the %s namespace '%s': its user namespace has another ID map than this container", kinds[kind].what,
                                 path);
        plan->namespaces.user = true;
        return add_join(&plan->namespaces, str_format("the user namespace of '%s'", path), TAKE_FD(owner), CLONE_NEWUSER, reterr) ? 0 : -ENOMEM;
}

/* 1: it is the starter's own, and there is nothing to join. */
static int join_path(NamespaceKind kind, const char *path, ProcPlan *plan, Error *reterr) {
        _cleanup_fd_ int ns = ns_open(path, kinds[kind].flag, reterr);

        if (ns < 0)
                return ns;
        if (kind != NAMESPACE_USER && ns_is_own(ns, kinds[kind].name))
                return 1;
        int r = join_owner(ns, kind, path, plan, reterr);
        if (r < 0 || kind == NAMESPACE_USER)
                return r;
        char *what = str_format("the %s namespace '%s'", kinds[kind].what, path);
        if (kind != NAMESPACE_CGROUP)
                return add_join(&plan->namespaces, what, TAKE_FD(ns), kinds[kind].flag, reterr) ? 0 : -ENOMEM;
        plan->namespaces.cgroup = (NamespaceJoin){ .fd = TAKE_FD(ns), .what = what };
        return what ? 0 : error_oom(reterr);
}

static void keep_host(NamespacePlan *plan, NamespaceKind kind) {
        bool *const fields[_NAMESPACE_KIND_MAX] = {
                [NAMESPACE_NET] = &plan->host_network,
                [NAMESPACE_IPC] = &plan->host_ipc,
                [NAMESPACE_PID] = &plan->host_pid,
                [NAMESPACE_CGROUP] = &plan->host_cgroup,
        };

        if (fields[kind])
                *fields[kind] = true;
}

/* What is joined of containers: by container, in the order of the kinds. */
static int plan_containers(const Store *store, const ContainerConfig *config, const bool host[static _NAMESPACE_KIND_MAX], ProcPlan *plan,
                           Error *reterr) {
        bool done[_NAMESPACE_KIND_MAX] = {};

        for (NamespaceKind kind = 0; kind < _NAMESPACE_KIND_MAX; kind++) {
                const char *id = namespace_joined(mode_of(config, kind));
                int flags = 0;

                if (!id || host[kind] || done[kind])
                        continue;
                for (NamespaceKind other = kind; other < _NAMESPACE_KIND_MAX; other++)
                        if (!host[other] && str_equal(namespace_joined(mode_of(config, other)), id)) {
                                flags |= kinds[other].flag;
                                done[other] = true;
                        }
                int r = join_container(store, config, id, flags, plan, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int plan_kind(const ContainerConfig *config, NamespaceKind kind, bool host, ProcPlan *plan, Error *reterr) {
        const char *mode = mode_of(config, kind), *path = mode ? str_after(mode, "ns:") : NULL;

        if (namespace_joined(mode) && !host)
                return 0;
        if (path) {
                int r = join_path(kind, path, plan, reterr);

                if (r <= 0)
                        return r;
                host = true;
        }
        if (host)
                keep_host(&plan->namespaces, kind);
        else if (kind != NAMESPACE_USER && kind != NAMESPACE_CGROUP) /* the one with the clone, the other in the init */
                plan->namespaces.flags |= kinds[kind].flag;
        return 0;
}

int namespaces_plan(const Store *store, const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        bool host[_NAMESPACE_KIND_MAX] = {};

        plan->namespaces.flags = CLONE_NEWNS;
        plan->namespaces.no_shm = str_equal(config->ipc_mode, "none");
        for (NamespaceKind kind = NAMESPACE_USER + 1; kind < _NAMESPACE_KIND_MAX; kind++) {
                int r = is_host(store, config, kind, reterr);

                if (r < 0)
                        return r;
                host[kind] = r;
        }
        int r = plan_containers(store, config, host, plan, reterr);
        for (NamespaceKind kind = 0; kind < _NAMESPACE_KIND_MAX && r >= 0; kind++)
                r = plan_kind(config, kind, host[kind], plan, reterr);
        if (!plan->map.host && !plan->namespaces.user)
                plan->namespaces.flags |= CLONE_NEWUSER;
        return r;
}
