/* SPDX-License-Identifier: Apache-2.0 */
/* A further process in a running container: exec. It gets the container's capabilities, filter and limits, never more. */
#pragma once

#include "proc/proc.h"

typedef struct JoinPlan {
        const ContainerConfig *config; /* of the container */
        int init_pidfd;          /* whose namespaces are joined */
        pid_t init_pid;
        bool setgroups_denied;
        const char *user;        /* NULL: the container's */
        const char *workdir;     /* NULL: the container's */
        char *const *env;        /* whole, but HOME */
        char *const *args;
        bool terminal, die_with_parent;
        CapSet caps;
        const SeccompFilter *seccomp;
        BypassWall bypass;       /* as in a ProcPlan */
        int cgroup_fd;           /* -EBADF: not moved */
        int (*place)(pid_t pid, void *data, Error *reterr); /* where the kernel does not let us be born in it; may be NULL */
        void *place_data;
        int stdio[3];
        const int *kept_fds;     /* descriptors of the caller's that the process gets, ascending */
        size_t n_kept_fds;
} JoinPlan;

/* Makes the process, waits until it executes, and gives its pid (a child of the caller), pidfd and, with a terminal, the
 * master side. Errors as proc_start()'s. */
int proc_join(const JoinPlan *plan, Proc *ret, Error *reterr);
