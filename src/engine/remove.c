/* SPDX-License-Identifier: Apache-2.0 */
/* Removing containers. */
#include "engine/remove.h"

#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cgroup/containers.h"
#include "cgroup/manager.h"
#include "engine/bridge.h"
#include "engine/depend.h"
#include "engine/health.h"
#include "engine/mounts.h"
#include "engine/pod.h"
#include "engine/start.h"
#include "engine/stop.h"
#include "state/events.h"
#include "state/pod.h"
#include "storage/rootfs.h"
#include "storage/volume.h"

enum { STARTS_MAX = 20 };

static void remove_anonymous_volumes(const Store *store, const ContainerConfig *config) {
        for (size_t i = 0; i < config->n_mounts; i++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (config->mounts[i].anonymous && volume_remove(store, config->mounts[i].source, &error) < 0 && error.code != -ENOENT)
                        log_warning("%s", error.message ?: "cannot remove an anonymous volume");
        }
}

/* A scope whose process ended while systemd took it in is empty without systemd being told: it would stay for ever. */
static void stop_scope(const char *id) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *name = str_format("sdpod-%s.scope", id);

        if (name && manager_is_there() && manager_connect(&manager, /* reterr= */ NULL) >= 0)
                (void) manager_stop_unit(&manager, name, /* reterr= */ NULL); /* mostly there is none */
}

void engine_drop_cgroup(const char *id) {
        if (containers_cgroup_remove(id) > 0)
                stop_scope(id);
}

/* Who forces it does not give way to others that start it again and again, but to a limit. */
static int end_and_lock(const Store *store, Container *c, const RemoveOptions *options, Error *reterr) {
        for (unsigned tries = 0; tries < (options->force ? STARTS_MAX : 1); tries++) {
                int r = 0;

                if (c->pidfd >= 0 || (c->state.unit && !options->by_supervisor))
                        r = engine_end(store, c, options->has_timeout ? options->timeout : c->config.stop_timeout, /* by_user= */ true, reterr);
                if (r >= 0)
                        r = container_lock(store, c, reterr);
                if (r < 0 || c->pidfd < 0)
                        return r;
                container_unlock(c);
        }
        return error_set(reterr, -EBUSY, ERROR_STATE, "cannot remove container '%s': it was started meanwhile", c->config.name);
}

int engine_remove(const Store *store, Container *c, const RemoveOptions *options, Error *reterr) {
        int r = container_refresh(store, c, reterr);

        if (r < 0)
                return r;
        if (c->config.infra && !options->with_pod) {
                (void) error_set(reterr, -EPERM, ERROR_DENIED,
                                 "cannot remove container '%s': it is the infra container of pod %.12s and cannot be removed without "
                                 "removing the pod",
                                 c->config.name, c->config.pod);
                return error_with_hint(reterr, -EPERM, "sdpod pod rm %.12s", c->config.pod);
        }
        if (c->pidfd >= 0 && !options->force) {
                (void) error_set(reterr, -EBUSY, ERROR_STATE, "cannot remove container '%s': it is %s", c->config.name,
                                 container_status_to_string(c->status));
                return error_with_hint(reterr, -EBUSY, "stop it first, or use --force");
        }
        r = dependents_check(store, c, reterr);
        if (r < 0)
                return r;
        r = end_and_lock(store, c, options, reterr);
        if (r == -ENOENT) { /* its supervisor removed it when it ended (--rm), or another command */
                error_done(reterr);
                return 0;
        }
        if (r < 0)
                return r;
        r = dependents_check(store, c, reterr); /* marks are made under the lock */
        if (r < 0)
                return r;
        if (engine_is_unsettled(c)) /* as in a unit of somebody's making, whose ExecStopPost= this is */
                engine_tell_exit(store, c, engine_exit_code(c));
        if (!c->state.exited && !c->state.unit)
                engine_drop_cgroup(c->config.id);
        else /* a killed start before this one may have left it */
                (void) containers_cgroup_remove(c->config.id);
        bridge_release(store, c); /* where nobody has recorded its end */
        if (c->process.unit)
                health_unschedule(c);
        if (c->state.unit)
                manager_remove_drop_ins(c->state.unit);
        /* first: once the record is gone nobody knows whose they were, and a kill in between would leave them for ever */
        if (options->volumes)
                remove_anonymous_volumes(store, &c->config);
        if (geteuid() == 0) /* nobody else has mounts; what cannot be unmounted stays the person's, and loses its files */
                (void) mounts_remove(store, c->config.id, /* reterr= */ NULL);
        r = container_delete(store, c, rootfs_remove, /* data= */ NULL, reterr);
        dependencies_unmark(store, &c->config);
        if (r < 0)
                return r;
        event_container(store, &c->config, "remove", EVENT_NO_EXIT_CODE);
        if (c->config.pod)
                pod_drop_member(store, c->config.pod, c->config.id);
        if (c->state.started_usec > 0 && !options->with_pod)
                engine_pod_member_ended(store, &c->config);
        return 0;
}
