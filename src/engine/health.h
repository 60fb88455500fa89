/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: a command in the container, run now and then, that tells whether it is well (podman-healthcheck(1)).
 *
 *   in the foreground, and without systemd   a process of ours waits between the checks, and ends with the container
 *   in a unit                                a transient timer of systemd's runs `sdpod __health-check ID` */
#pragma once

#include "state/health.h"

/* For a start: what was found before is no longer true. */
int health_begin(const Store *store, Container *container, Error *reterr);

/* Lets checks be made from now on; nothing where the container has none. `by_timer`: systemd's, where it is there. */
int health_schedule(const Store *store, Container *container, const char *storage_driver, bool by_timer, Error *reterr);

/* Takes the timer away. Errors do not matter, since a timer that is not needed ends with its next check. */
void health_unschedule(const Container *container);

/* For the check that a timer runs: takes the timer away where this run of the container has another, or the container does not run
 * (an empty one: it is gone). Returns whether it did. */
bool health_end_old_timer(const Container *container);

/* Makes one check, writes down what it found, and does what is to be done with an unhealthy container. *ret_status is the
 * word for its health now; owned. Returns 1 where the check passed, 0 where it did not, -errno where it could not be made;
 * -EBUSY (ERROR_IN_USE): another one is under way, and this one was not to wait for its end. */
int health_check(const Store *store, Container *container, const char *storage_driver, bool wait, char **ret_status, Error *reterr);

/* Checks again and again until the container is healthy (1) or has ended (0). */
int health_wait(const Store *store, Container *container, bool until_healthy, Error *reterr);
