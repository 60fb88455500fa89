/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container in this very process: what the foreground `run`, the ExecStart= of a unit and the solo monitor's
 * child all come down to. */
#pragma once

#include "proc/proc.h"
#include "state/container.h"

typedef enum StartPlace {
        START_IN_UNIT,      /* this process is a service's own: a cgroup below its own */
        START_WITH_SYSTEMD, /* a cgroup of its own among those of cgroup/containers.h, or a transient scope */
        START_NOWHERE,      /* no cgroup of its own */
} StartPlace;

typedef struct StartOptions {
        StartPlace place;
        const char *storage_driver;
        int stdio[3];          /* the container's side */
        bool orphan;           /* the init is systemd's child from the beginning, see proc/plan.h */
        bool foreground;       /* ends with this process */
        int listen_fds;        /* socket-activation descriptors from 3 on */
        const int *kept_fds;   /* further ones, ascending; borrowed */
        size_t n_kept_fds;
        /* Called while the init makes its root file system; NULL: nothing to do. */
        int (*meanwhile)(Container *container, void *data, Error *reterr);
        /* Called when all is in place and the output can flow, before the program runs; NULL: nothing to do. */
        int (*created)(Container *container, Proc *proc, void *data, Error *reterr);
        /* Called as soon as the program runs, before anything else is done; NULL: nothing to do. */
        void (*started)(const Container *container, void *data);
        /* Called when the start has failed, before a supervisor can see the end of the init; NULL: nothing to do. */
        void (*failed)(Container *container, const Error *error, void *data);
        int failure_exit_status; /* see proc/plan.h */
        void *data;
} StartOptions;

/* Starts it. The container must be locked, and stays so. On failure nothing of it runs, and the state says why. */
int engine_start_here(const Store *store, Container *container, const StartOptions *options, Proc *ret, Error *reterr);

/* container_save_state(), but a full disk is only warned of. For what must go on: ends, stops, removals. */
int engine_save_state(Container *container, Error *reterr);

/* Whether the kernel took a process of this run for want of memory; that it did not is also said where nobody counts. */
bool engine_is_oom_killed(const Container *container);

/* The exit code of a run that has ended, as a shell has it, from systemd: its main process was the container's init. -1: unknown. */
int engine_exit_code(const Container *container);

/* Writes the events of a run that has ended: "oom" where the kernel took a process of it, "died" and "cleanup". */
void engine_tell_exit(const Store *store, const Container *container, int exit_code);

/* Writes down that the run is over: state.json says so, process.json goes. `exit_code` as a shell has it, -1: unknown. The
 * container must be locked. */
int engine_record_exit(const Store *store, Container *container, int exit_code, Error *reterr);
