/* SPDX-License-Identifier: Apache-2.0 */
/* A container's process as its starter sees it: created (everything in place, waiting), then started (executing). The
 * words are the runtime-spec's. */
#pragma once

#include "proc/plan.h"

typedef struct Proc {
        pid_t pid;       /* of the container's init; a child of the caller */
        int pidfd;
        int sync_fd;     /* the handshake with the init; closed by proc_start() */
        int userns_fd, netns_fd; /* of the init, where the plan asked for them; else -EBADF */
        int console_fd;  /* the terminal's master side, or -EBADF */
        bool bypass;     /* the plan asked for it */
        int bypass_listener_fd, bypass_route_fd; /* then, once it executes: seccomp_bypass_receive(); else -EBADF */
} Proc;

#define PROC_NULL ((Proc){ .pidfd = -EBADF, .sync_fd = -EBADF, .userns_fd = -EBADF, .netns_fd = -EBADF, .console_fd = -EBADF, \
                             .bypass_listener_fd = -EBADF, .bypass_route_fd = -EBADF })

/* Ends an init that was not started, reaps it, and closes everything. */
void proc_done(Proc *proc);
#define _cleanup_proc_ _cleanup_(proc_done)

/* Clones the init with its namespaces, writes its ID maps, and returns at once: the init goes on building the root file
 * system. In this time the caller can start what only needs the namespaces (the network). */
int proc_clone(const ProcPlan *plan, Proc *ret, Error *reterr);

/* Waits until the init has everything in place ("created"), and takes over the terminal's master side if there is one. */
int proc_wait_created(Proc *proc, Error *reterr);

/* Lets the created init execute its program, and returns when that has happened. The program's absence is
 * ERROR_COMMAND_NOT_FOUND, one that cannot be executed ERROR_NOT_EXECUTABLE. */
int proc_start(Proc *proc, Error *reterr);

/* What the init does after the clone; does not return. */
_noreturn_ void proc_init(const ProcPlan *plan, int sync_fd);
