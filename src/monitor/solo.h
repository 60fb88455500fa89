/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor alone with one container, where no systemd supervises: it stands in for systemd.
 *
 * Theory of operation
 *
 * `sdpod run -d` starts it (double fork) and waits on the ready descriptor. It becomes a session leader and a subreaper,
 * opens its sockets in the container's runtime directory, and starts COMMAND (`sdpod __start ID`) with NOTIFY_SOCKET set:
 *
 *   starting: COMMAND starts the container, has its output watched (monitor.sock), says MAINPID= and READY=1, exits 0;
 *             the container's init becomes our child. Then one JSON line goes to the ready descriptor:
 *             {"ok":true,"pid":N} or {"ok":false,"exitCode":N,"errno":N,"error":TEXT}.
 *   running:  its end is waited for.
 *   ending:   what it wrote is recorded to the last byte.
 *   recording: `sdpod __ended ID EXITCODE` puts the exit on record (the verb that ExecStopPost= of a unit runs).
 *   waiting:  by the restart policy, for the next start; the user's stop ends it (stoppedByUser in state.json). */
#pragma once

#include "base/error.h"

typedef struct MonitorSolo {
        const char *id, *data_path, *runtime_path;
        char *const *command;
        int ready_fd; /* -EBADF: nobody waits */
} MonitorSolo;

/* Runs until the container has ended for good. */
int monitor_solo_run(MonitorSolo *args, Error *reterr);
