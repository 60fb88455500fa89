/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a container that is there. */
#include "engine/update.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/counters.h"
#include "cgroup/hierarchy.h"
#include "cgroup/limits.h"
#include "cgroup/manager.h"
#include "engine/detached.h"
#include "engine/health.h"
#include "state/events.h"

enum { CPU_WEIGHT_DEFAULT = 100 };

/* ---- limits ---- */

/* What was limited and is not any more has to be said as well. */
static void lift_limits(const ContainerResources *before, const ContainerResources *now, LimitSettings *s) {
        if (before->memory && !now->memory) {
                s->has_memory_max = s->has_swap_max = true;
                s->memory_max = s->swap_max = UINT64_MAX;
        }
        if (before->memory_reservation && !now->memory_reservation)
                s->has_memory_low = true; /* 0 */
        if (before->cpu_quota && !now->cpu_quota) {
                s->has_cpu_quota = true;
                s->cpu_quota_usec = UINT64_MAX;
        }
        if (before->cpu_shares && !now->cpu_shares) {
                s->has_cpu_weight = true;
                s->cpu_weight = CPU_WEIGHT_DEFAULT;
        }
}

/* The unit of ours whose cgroup this is; NULL: none. Owned. */
static char *own_unit(const Container *c) {
        _cleanup_free_ char *scope = str_format("/sdpod-%s.scope", c->config.id);

        if (c->state.unit)
                return strdup(c->state.unit);
        return scope && c->process.cgroup && str_has_suffix(c->process.cgroup, scope) ? strdup(scope + 1) : NULL;
}

static int tell_systemd(const char *unit, const LimitSettings *asked, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_strv_ char **controllers = NULL;
        LimitSettings limits = *asked;
        int r = manager_connect(&manager, reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_UNSUPPORTED, "there is no systemd manager of this user to ask");
        if (r >= 0)
                r = manager_controllers(&manager, &controllers, reterr);
        if (r >= 0)
                r = limits_check(&limits, controllers, reterr);
        return r < 0 ? r : manager_set_limits(&manager, unit, &limits, reterr);
}

/* Into the files of the container's own cgroup. `needed`: they are all that limits it. */
static int write_limits(int cgroup, const char *path, const LimitSettings *asked, bool needed, Error *reterr) {
        _cleanup_strv_ char **controllers = NULL;
        LimitSettings limits = *asked;

        if (str_has_suffix(path, "/" CGROUP_OF_CONTAINER)) {
                /* nobody else is in there but perhaps a supervisor, which has a sub-cgroup of its own where limits were asked before */
                _cleanup_fd_ int unit = openat(cgroup, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (unit >= 0)
                        (void) cgroup_enable_controllers(unit);
        }
        int r = cgroup_controllers(cgroup, &controllers);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read its controllers");
        r = limits_check(&limits, controllers, needed ? reterr : NULL);
        if (r < 0)
                return needed ? r : 0;
        return limits_write(&limits, cgroup, reterr);
}

static int change_limits(const Container *c, const Container *before, Error *reterr) {
        _cleanup_free_ char *unit = own_unit(c);
        const char *path = c->process.cgroup;
        LimitSettings limits;
        int r = limits_resolve(&c->config.resources, /* with_default= */ false, &limits, reterr);

        if (r < 0)
                return r;
        if (c->pidfd < 0)
                return 0; /* its next start checks what there is */
        lift_limits(&before->config.resources, &c->config.resources, &limits);
        if (str_empty(path) || str_equal(path, "/"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "it has no cgroup of its own");
        _cleanup_fd_ int cgroup = cgroup_open(path, reterr);
        if (cgroup < 0)
                return cgroup;
        if (unit)
                r = tell_systemd(unit, &limits, reterr);
        return r < 0 ? r : write_limits(cgroup, path, &limits, /* needed= */ !unit, reterr);
}

/* ---- health checks ---- */

/* A timer of systemd's can be exchanged; a process that makes the checks goes on as it began. */
static bool has_timer(const Container *c) {
        return c->pidfd >= 0 && c->process.unit && manager_is_there();
}

static int change_health(const Store *store, Container *c, const Container *before, const char *storage_driver, Error *reterr) {
        if (c->pidfd < 0)
                return 0;
        if (!has_timer(c)) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "its checks are not made by a timer of systemd's");
                return error_with_hint(reterr, -EOPNOTSUPP, "stop it, change it, and start it again");
        }
        health_unschedule(before);
        if (!container_has_health_check(&c->config.health))
                return 0;
        int r = container_has_health_check(&before->config.health) ? 0 : health_begin(store, c, reterr);
        return r < 0 ? r : health_schedule(store, c, storage_driver, /* by_timer= */ true, reterr);
}

/* ---- together ---- */

int engine_update_begin(const Store *store, Container *c, Error *reterr) {
        int r = container_lock(store, c, reterr);

        return r < 0 ? r : container_reload_config(c, reterr);
}

int engine_update(const Store *store, Container *c, const Update *update, Error *reterr) {
        _cleanup_container_ Container before = CONTAINER_NULL;
        int r = container_load(store, c->config.id, &before, reterr);

        /* the record first: who is killed on the way leaves a container whose next start does what was asked */
        if (r >= 0)
                r = container_save_config(c, reterr);
        if (r < 0)
                return r;
        if (update->resources)
                r = change_limits(c, &before, reterr);
        if (r >= 0 && update->restart)
                r = engine_change_restart(c, reterr);
        if (r >= 0 && update->health)
                r = change_health(store, c, &before, update->storage_driver, reterr);
        if (r < 0) {
                (void) container_save_config(&before, /* reterr= */ NULL);
                return error_prefix(reterr, r, "cannot update container '%s'", c->config.name);
        }
        event_container(store, &c->config, "update", EVENT_NO_EXIT_CODE);
        return 0;
}
