/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a running container. */
#pragma once

#include "state/container.h"

/* Sends the stop signal, waits for the timeout, then kills everything in it. Returns when no process is left; the exit is
 * recorded by whoever supervises. `timeout` in seconds; 0: kill at once; -1: wait for ever. No lock is held meanwhile. */
int engine_stop_process(Container *container, int64_t timeout, Error *reterr);

/* The same as a person's wish: a restart policy does not bring it back, the unit that holds it is stopped, and the exit is
 * recorded when it returns. A container that does not run is not an error. */
int engine_stop(const Store *store, Container *container, int64_t timeout, bool by_user, Error *reterr);

/* The same without waiting for the exit to be recorded: for a container that goes anyway. */
int engine_end(const Store *store, Container *container, int64_t timeout, bool by_user, Error *reterr);

/* Sends a signal to its init. TERM and KILL count as a person's wish to end it. -ESRCH (ERROR_STATE): it does not run. */
int engine_kill(const Store *store, Container *container, int signal, Error *reterr);

/* Waits until the exit of a run that has ended is recorded, or the container is gone (*ret_gone); where nobody is left to
 * record it, it is recorded here. */
int engine_wait_recorded(const Store *store, Container *container, bool *ret_gone, Error *reterr);

/* Records the exit of a run that has ended and that nobody has recorded: as when a unit of somebody else's making held the
 * container. What systemd knows of its main process is asked. */
int engine_settle(const Store *store, Container *container, Error *reterr);

/* Whether engine_settle() has something to do. */
bool engine_is_unsettled(const Container *container) _pure_;

int engine_pause(const Store *store, Container *container, bool pause, Error *reterr);

/* Many at once: each is told to end before the first one is waited for, so that all together take no longer than the slowest. */
typedef struct StopSent {
        char *id, *name;
        int pid;
        uint64_t start_time;
        int64_t usec, timeout;
        bool killed; /* its time was over */
} StopSent;

typedef struct StopRound {
        StopSent *sent;
        size_t n;
} StopRound;

void stop_round_done(StopRound *round);
#define _cleanup_stop_round_ _cleanup_(stop_round_done)

/* Notes the person's wish and sends the stop signal (SIGKILL where `timeout` is 0), of what runs, is not paused, and is needed by no
 * other container. Returns whether it was sent: what fails is left to engine_stop(), which says so. */
bool engine_stop_begin(const Store *store, Container *container, int64_t timeout, bool by_user, StopRound *round);

/* After the last one: kills those whose time is over, all before any end is recorded. Who is waited for without limit is left out. */
void engine_stop_expire(StopRound *round);

/* For the container as it was loaded again: its signal was sent, and its time is running. */
void engine_stop_resume(const StopRound *round, Container *container);
