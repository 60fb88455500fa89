/* SPDX-License-Identifier: Apache-2.0 */
/* All of a start that needs no process. */
#include "engine/prepare.h"

#include "base/str.h"
#include "engine/network.h"
#include "engine/plan.h"
#include "state/events.h"

int engine_prepare(const Store *store, Container *c, const char *storage_driver, Error *reterr) {
        _cleanup_proc_plan_ ProcPlan plan = PROC_PLAN_NULL;
        _cleanup_volume_holds_ VolumeHolds volumes = {};
        const PlanOptions options = { .storage_driver = storage_driver, .stdio = { 0, 1, 2 }, .cgroup_fd = -EBADF, .parent_userns_fd = -EBADF };
        int r = container_lock(store, c, reterr);

        if (r < 0)
                return r;
        if (c->pidfd >= 0 || c->status == CONTAINER_INITIALIZED)
                return error_set(reterr, -EBUSY, ERROR_STATE, "cannot initialize container '%s': it is %s", c->config.name,
                                 container_status_to_string(c->status));
        r = network_check(&c->config, reterr);
        if (r >= 0)
                r = plan_make(store, c, &options, &plan, &volumes, reterr);
        if (r >= 0) {
                c->state.initialized = true;
                r = container_save_state(c, reterr);
        }
        container_unlock(c);
        if (r >= 0)
                event_container(store, &c->config, "init", EVENT_NO_EXIT_CODE);
        return r;
}
