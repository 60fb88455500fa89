/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to a plan for the process. */
#include "engine/plan.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "engine/bypass.h"
#include "engine/credentials.h"
#include "engine/namespaces.h"
#include "engine/network.h"
#include "engine/plan-mounts.h"
#include "engine/plan-process.h"
#include "engine/policy.h"
#include "engine/secrets.h"
#include "engine/shared-userns.h"
#include "proc/masked.h"
#include "storage/rootfs.h"

/* The container's own copy of all layers is its root. */
static int plan_vfs(const Store *store, Container *container, char *const *lower, const UserMap *base, ProcPlan *plan, Error *reterr) {
        RootfsPlan *rootfs = &plan->rootfs;

        if (plan->map.own) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use an ID map of its own with the storage driver 'vfs'");
                return error_with_hint(reterr, -EOPNOTSUPP, "fuse-overlayfs shows files under other owners: --storage-driver fuse-overlayfs");
        }
        int r = rootfs_vfs_make(store, container, lower, base, reterr);
        if (r < 0)
                return r;
        rootfs->upper = str_format("%s/containers/%s/vfs", store->data_path, container->config.id);
        rootfs->kind = ROOTFS_DIRECTORY;
        rootfs->directory = rootfs->upper;
        return rootfs->upper ? 0 : error_oom(reterr);
}

static int plan_rootfs(const Store *store, Container *container, const UserMap *base, const char *wanted_driver, ProcPlan *plan,
                       Error *reterr) {
        const ContainerConfig *config = &container->config;
        RootfsPlan *rootfs = &plan->rootfs;
        _cleanup_strv_ char **lower = NULL;
        StorageDriver driver;

        int r;

        rootfs->data_path = store->data_path;
        rootfs->read_only = config->read_only;
        rootfs->use_volatile = config->auto_remove;
        if (config->infra) {
                rootfs->kind = ROOTFS_EMPTY;
                return 0;
        }
        if (config->rootfs) {
                if (config->rootfs_overlay)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --rootfs DIR:O: not there yet");
                if (plan->map.own)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                         "cannot use --rootfs with an ID map of its own: not there yet");
                rootfs->kind = ROOTFS_DIRECTORY;
                rootfs->directory = config->rootfs;
                return 0;
        }
        r = rootfs_lower_paths(store, config->layers, &lower, reterr);
        if (r >= 0)
                r = storage_driver_for_container(store, container, wanted_driver, &driver, reterr);
        if (r < 0)
                return r;
        const char *name = storage_driver_to_string(plan->map.own ? STORAGE_FUSE : driver);
        if (!str_equal(container->state.storage_driver, name) && str_replace(&container->state.storage_driver, name) < 0)
                return error_oom(reterr);
        if (driver == STORAGE_VFS)
                return plan_vfs(store, container, lower, base, plan, reterr);
        r = rootfs_make_directories(container, store, reterr);
        if (r < 0)
                return r;
        if (driver == STORAGE_FUSE || plan->map.own) {
                rootfs->kind = ROOTFS_TREE;
                r = rootfs_fuse_mount(store, container, lower, base, &plan->map, &rootfs->tree_fd, &plan->parent_userns_fd, reterr);
                if (r >= 0 && base->host) /* root's mount is in the namespace that we are in, which nobody can enter again */
                        plan->parent_userns_fd = fd_close(plan->parent_userns_fd);
                return r < 0 || plan->namespaces.user || base->host ? r : user_map_to_view(&plan->map, base, &plan->parent_view, reterr);
        }
        rootfs->kind = ROOTFS_OVERLAY;
        rootfs->lower = TAKE_PTR(lower);
        rootfs->upper = str_format("containers/%s/upper", config->id);
        rootfs->work = str_format("containers/%s/work", config->id);
        return rootfs->upper && rootfs->work ? 0 : error_oom(reterr);
}

static int plan_policy(const Store *store, Container *container, ProcPlan *plan, Error *reterr) {
        _cleanup_masked_paths_ MaskedPaths paths = MASKED_PATHS_NULL;
        const ContainerConfig *config = &container->config;
        int r = policy_write_profile(store, container, reterr);

        if (r >= 0)
                r = masked_paths_resolve(config->masked_paths_add, config->unmask, config->privileged, &paths, reterr);

        if (r < 0)
                return r;
        plan->masked_paths = TAKE_PTR(paths.masked);
        plan->read_only_paths = TAKE_PTR(paths.read_only);
        return policy_resolve(store, config, /* privileged= */ false, &plan->caps, &plan->seccomp, reterr);
}

static int plan_process(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        int r = 0;

        if (config->init) {
                const char *program = config->init_path ?: INIT_PROGRAM;

                if (access(program, X_OK) < 0) {
                        r = error_set_errno(reterr, -errno, "cannot use --init: no '%s'", program);
                        return config->init_path ? r : error_with_hint(reterr, r, "install the package catatonit");
                }
                r = strv_append(&plan->args, INIT_IN_CONTAINER);
                if (r >= 0)
                        r = strv_append(&plan->args, "--");
        }
        if (r >= 0)
                r = strv_extend(&plan->args, config->entrypoint);
        if (r >= 0)
                r = strv_extend(&plan->args, config->command);
        if (r >= 0)
                r = strv_extend(&plan->env, config->env);
        if (r >= 0 && plan->hostname && !strv_env_get(plan->env, "HOSTNAME"))
                r = strv_consume(&plan->env, str_format("HOSTNAME=%s", plan->hostname));
        if (r >= 0 && plan->listen_fds > 0) {
                r = strv_append(&plan->env, "LISTEN_PID=1");
                if (r >= 0)
                        r = strv_consume(&plan->env, str_format("LISTEN_FDS=%d", plan->listen_fds));
                if (r >= 0 && getenv("LISTEN_FDNAMES"))
                        r = strv_consume(&plan->env, str_format("LISTEN_FDNAMES=%s", getenv("LISTEN_FDNAMES")));
        }
        return r < 0 ? error_oom(reterr) : 0;
}

/* The name of the UTS namespace that it is in; else the first twelve digits of the ID, where nobody gave a name, but the host's
 * with the host's network, as in Podman. */
static int plan_hostname(const Store *store, Container *container, ProcPlan *plan, Error *reterr) {
        ContainerConfig *config = &container->config;
        _cleanup_container_ Container holder = CONTAINER_NULL;
        struct utsname host;
        int r = namespaces_holder(store, config, NAMESPACE_UTS, &holder, reterr);

        if (r < 0)
                return r;
        if (uname(&host) < 0)
                return error_set_errno(reterr, -errno, "cannot read the host's name");
        const ContainerConfig *owner = r > 0 ? &holder.config : config;
        bool host_name = str_equal(owner->uts_mode, "host") || str_equal(owner->network, "host");
        if (!config->hostname)
                config->hostname = owner->hostname ? strdup(owner->hostname) : host_name ? strdup(host.nodename) : strndup(owner->id, 12);
        plan->hostname = config->hostname;
        return plan->hostname ? 0 : error_oom(reterr);
}

/* Who has power over the networks' router must have it over the container's network, too: the container is made in the router's user
 * namespace, and so is what it needs of file systems. */
static int begin_inside(const PlanOptions *options, ProcPlan *plan, Error *reterr) {
        if (options->parent_userns_fd < 0 || plan->namespaces.n_joins > 0 || plan->map.host)
                return 0;
        (void) fd_close(plan->parent_userns_fd);
        plan->parent_userns_fd = fcntl(options->parent_userns_fd, F_DUPFD_CLOEXEC, 3);
        return plan->parent_userns_fd < 0 ? error_set_errno(reterr, -errno, "cannot keep the user namespace of the bridge networks") : 0;
}

static int end_inside(const PlanOptions *options, const UserMap *base, ProcPlan *plan, Error *reterr) {
        if (options->parent_userns_fd < 0 || plan->namespaces.n_joins > 0 || plan->map.host || plan->parent_view.uid.n > 0)
                return 0;
        return user_map_to_view(&plan->map, base, &plan->parent_view, reterr);
}

int plan_make(const Store *store, Container *container, const PlanOptions *options, ProcPlan *ret, VolumeHolds *holds, Error *reterr) {
        _cleanup_proc_plan_ ProcPlan plan = PROC_PLAN_NULL;
        _cleanup_user_map_ UserMap base = {};
        _cleanup_shared_userns_ SharedUserns shared = SHARED_USERNS_NULL;
        const ContainerConfig *config = &container->config;

        plan.config = config;
        plan.cgroup_fd = options->cgroup_fd;
        plan.die_with_parent = options->die_with_parent;
        plan.listen_fds = options->listen_fds;
        plan.kept_fds = options->kept_fds;
        plan.n_kept_fds = options->n_kept_fds;
        memcpy(plan.stdio, options->stdio, sizeof(plan.stdio));
        int r = user_map_default(&base, reterr);
        if (r >= 0) {
                user_map_warn_single(&base, store->runtime_fd);
                shared_userns_ask(&base, &shared);
                r = user_map_for_container(config, &base, &plan.map, reterr);
        }
        if (r >= 0)
                r = namespaces_plan(store, config, &plan, reterr);
        if (r >= 0)
                r = begin_inside(options, &plan, reterr);
        plan.hands_out_namespaces = !plan.map.host && network_has_helper(config);
        if (r >= 0)
                r = plan_host_users(config, &plan, reterr);
        if (r >= 0)
                r = plan_hostname(store, container, &plan, reterr);
        if (r >= 0)
                r = plan_policy(store, container, &plan, reterr);
        if (r >= 0)
                r = bypass_plan(store, config, &plan, reterr);
        if (r >= 0)
                r = plan_process(config, &plan, reterr);
        if (r >= 0)
                r = plan_rootfs(store, container, &base, options->storage_driver, &plan, reterr);
        if (r >= 0)
                r = plan_mounts(store, container, &base, &plan, holds, reterr);
        if (r >= 0)
                r = credentials_plan(&plan, reterr);
        if (r >= 0)
                r = secrets_plan(store, container, &plan, reterr);
        if (r >= 0)
                r = end_inside(options, &base, &plan, reterr);
        if (r < 0) {
                plan.cgroup_fd = -EBADF; /* still the caller's */
                return r;
        }
        if (plan.namespaces.n_joins == 0)
                shared_userns_take(&shared, &base, &plan);
        *ret = plan;
        plan = PROC_PLAN_NULL;
        return 0;
}
