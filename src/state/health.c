/* SPDX-License-Identifier: Apache-2.0 */
/* The record of health checks. */
#include "state/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

#define HEALTH_FILE "health.json"

static const JsonField result_fields[] = {
        JSON_FIELD(HealthResult, start_usec, "startUSec", JSON_FIELD_INT64),
        JSON_FIELD(HealthResult, end_usec, "endUSec", JSON_FIELD_INT64),
        JSON_FIELD(HealthResult, exit_code, "exitCode", JSON_FIELD_INT),
        JSON_FIELD(HealthResult, output, "output", JSON_FIELD_STRING),
        {},
};

static const JsonField health_state_fields[] = {
        JSON_FIELD(HealthState, status, "status", JSON_FIELD_STRING),
        JSON_FIELD(HealthState, failing_streak, "failingStreak", JSON_FIELD_UINT32),
        JSON_FIELD(HealthState, startup_passed, "startupPassed", JSON_FIELD_UINT32),
        JSON_FIELD(HealthState, startup_failed, "startupFailed", JSON_FIELD_UINT32),
        JSON_FIELD(HealthState, started, "started", JSON_FIELD_BOOL),
        JSON_FIELD_ARRAY_OF(HealthState, log, n_log, "log", result_fields),
        {},
};

void health_state_done(HealthState *state) {
        json_fields_done(health_state_fields, state);
}

int health_state_load(const Store *store, const Container *container, HealthState *ret, Error *reterr) {
        _cleanup_free_ char *path = str_format("containers/%s/" HEALTH_FILE, container->config.id);

        if (!path)
                return error_oom(reterr);
        int r = json_fields_read(store->runtime_fd, path, JSON_RECORD_LIMIT, health_state_fields, ret, reterr);
        return r == -ENOENT ? 0 : r;
}

void health_state_forget_oldest(HealthState *state) {
        free(state->log[0].output);
        memmove(state->log, state->log + 1, --state->n_log * sizeof(*state->log));
}

int health_state_save(const Store *store, Container *container, HealthState *state, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr), r = -EFBIG;

        if (fd < 0)
                return fd;
        for (;;) {
                _cleanup_json_ json_t *json = json_fields_save(health_state_fields, state);
                _cleanup_error_ Error error = ERROR_NULL;

                r = json ? json_write(fd, HEALTH_FILE, json, 0600, FILE_VOLATILE, &error) : error_oom(&error);
                if (r != -EFBIG || state->n_log == 0)
                        return r < 0 ? error_move(reterr, &error) : 0;
                health_state_forget_oldest(state);
        }
}

char *health_status(const Store *store, const Container *container) {
        _cleanup_health_state_ HealthState state = {};
        _cleanup_error_ Error error = ERROR_NULL;

        if ((container->status != CONTAINER_RUNNING && container->status != CONTAINER_PAUSED) ||
            !container_has_health_check(&container->config.health))
                return strdup("");
        if (health_state_load(store, container, &state, &error) < 0)
                log_warning("%s", error.message ?: "out of memory");
        return strdup(state.status ?: "starting");
}
