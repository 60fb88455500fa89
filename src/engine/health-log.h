/* SPDX-License-Identifier: Apache-2.0 */
/* --health-log-destination: where results of health checks go besides the container's own record. */
#pragma once

#include "state/health.h"

/* Writes all that is kept into DIR/ID-healthcheck.log, anew. Nothing where the destination is no directory. */
int health_log_write(const Container *container, const HealthState *state, Error *reterr);

/* The last result as text, for the event that tells of the check; NULL where the destination is not events_logger. Borrowed. */
const char *health_log_for_event(const Container *container, const HealthState *state);
