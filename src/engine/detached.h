/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the background: held by a unit of systemd, or by a monitor of its own where there is no systemd. */
#pragma once

#include "state/container.h"

typedef struct DetachedOptions {
        const char *storage_driver;
        uint32_t restarts;   /* so many starts were made of --restart's before */
        const int *kept_fds; /* in a unit: descriptors of ours that the container gets, ascending */
        size_t n_kept_fds;
} DetachedOptions;

/* Whether this command is itself a service's start (ExecStart= of a unit with Type=notify and a container in it): then the
 * container becomes that unit's main process. */
bool engine_is_in_unit(const ContainerConfig *config);

/* `run -d` and `start` from a shell: hands the container (locked; unlocked on return) to a transient service or a solo
 * monitor, and returns when it runs. A failed start is reported with its own error. */
int engine_start_detached(const Store *store, Container *container, const DetachedOptions *options, Error *reterr);

/* In a unit: starts the container (locked) in this unit's cgroup, gives its output to the user's monitor, tells systemd
 * its main process, and returns while it runs. */
int engine_start_in_unit(const Store *store, Container *container, const DetachedOptions *options, Error *reterr);

/* The internal verb `__start ID`, the ExecStart= of the transient service: engine_start_in_unit() with the error left for
 * the command that waits. Returns the exit status. */
int engine_unit_start(const Store *store, const char *id, const DetachedOptions *options, Error *reterr);

/* `__ended ID [EXITCODE]`, its ExecStopPost=: records the exit ($EXIT_CODE, $EXIT_STATUS of systemd.exec(5), or the number)
 * and removes a container that wants that. */
int engine_unit_ended(const Store *store, const char *id, const char *exit_code, Error *reterr);

/* `__stop ID`, its ExecStop=: ends the process without this counting as a person's wish. */
int engine_unit_stop(const Store *store, const char *id, Error *reterr);

/* Restarts the unit of somebody else's making that holds the running container, which is another one afterwards. What ends it is
 * the unit's business, but where a `timeout` in seconds is given (as for engine_stop_process()). */
int engine_restart_in_unit(Container *container, const int64_t *timeout, Error *reterr);

/* Brings the unit of a running container into line with the restart policy of its record. Where the solo monitor holds it, it
 * reads the record itself; a unit of somebody else's making decides for itself: -EOPNOTSUPP. */
int engine_change_restart(const Container *container, Error *reterr);
