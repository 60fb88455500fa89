/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod healthcheck run, and the two internal verbs by which checks are made of themselves. */
#include <unistd.h>

#include "cli/verbs.h"
#include "engine/health.h"

static int open_checked(Invocation *in, const Store **ret_store, Container *ret, Error *reterr) {
        int r = invocation_store(in, ret_store, reterr);

        if (r >= 0)
                r = container_open(*ret_store, in->arguments[0], ret, reterr);
        if (r < 0)
                return r;
        if (!container_has_health_check(&ret->config.health))
                return error_set(reterr, -EINVAL, ERROR_STATE, "cannot check the health of '%s': it has no health check", ret->config.name);
        if (ret->status != CONTAINER_RUNNING)
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot check the health of '%s': it is not running but %s", ret->config.name,
                                 container_status_to_string(ret->status));
        return 0;
}

/* podman-healthcheck-run(1): 0 it passed, 1 it did not, 125 it could not be made. */
static int run_check(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_free_ char *status = NULL;
        const Store *store;
        int r = open_checked(in, &store, &container, reterr);

        if (r >= 0)
                r = health_check(store, &container, in->global.storage_driver, /* wait= */ true, &status, reterr);
        if (r == 0)
                puts(status);
        return r < 0 ? r : !r;
}

const Verb verb_healthcheck_run = {
        .arguments = "CONTAINER",
        .summary = "Run a container's health check once",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run_check,
};

/* A timer's: that the check did not pass is no failure of the unit. A paused container has no need to be well. */
static int run_scheduled(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *status = NULL;
        const Store *store;
        int r = open_checked(in, &store, &container, &error);

        if (health_end_old_timer(&container))
                return 0;
        if (r >= 0)
                r = health_check(store, &container, in->global.storage_driver, /* wait= */ false, &status, &error);
        return r >= 0 || r == -EBUSY || r == -ESRCH ? 0 : error_move(reterr, &error);
}

const Verb verb_health_scheduled = {
        .arguments = "ID", .summary = "Check a container's health for its timer", .arguments_min = 1, .arguments_max = 1,
        .enters_container = true, .run = run_scheduled,
};

static int run_loop(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = open_checked(in, &store, &container, reterr);

        return r < 0 ? r : health_wait(store, &container, /* until_healthy= */ false, reterr);
}

const Verb verb_health_loop = {
        .arguments = "ID", .summary = "Check a container's health until it ends", .arguments_min = 1, .arguments_max = 1,
        .enters_container = true, .run = run_loop,
};
