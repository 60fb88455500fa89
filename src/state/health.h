/* SPDX-License-Identifier: Apache-2.0 */
/* What health checks of a running container have found: health.json in its runtime directory. */
#pragma once

#include "state/container.h"

typedef struct HealthResult {
        int64_t start_usec, end_usec;
        int exit_code;
        char *output;
} HealthResult;

typedef struct HealthState {
        char *status;              /* "starting", "healthy", "unhealthy"; NULL: it has no check */
        uint32_t failing_streak;
        uint32_t startup_passed, startup_failed;
        bool started;              /* the start-up check has passed often enough, or there is none */
        HealthResult *log;         /* oldest first */
        size_t n_log;
} HealthState;

void health_state_done(HealthState *state);
#define _cleanup_health_state_ _cleanup_(health_state_done)

/* Reads it; empty where there is none. A file that cannot be read is an error. */
int health_state_load(const Store *store, const Container *container, HealthState *ret, Error *reterr);
/* Writes it. The oldest results go where there are more than a record may have. */
int health_state_save(const Store *store, Container *container, HealthState *state, Error *reterr);
void health_state_forget_oldest(HealthState *state);

/* The word for `ps` and filters: "" where the container does not run or has no check. Owned; NULL: out of memory. */
char *health_status(const Store *store, const Container *container);
