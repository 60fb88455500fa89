/* SPDX-License-Identifier: Apache-2.0 */
/* A further command in a running container. */
#pragma once

#include "state/container.h"

typedef struct ExecOptions {
        char *const *args;
        char *const *env;    /* "K=V", over the container's */
        const char *user, *workdir; /* NULL: the container's */
        const char *sub_cgroup; /* its own below the container's, where we may make one; NULL: the container's */
        bool open_stdin, terminal, privileged, detach;
        bool silent;         /* no event tells of it */
        const int *kept_fds; /* descriptors of ours that it gets, ascending */
        size_t n_kept_fds;
        const char *detach_keys; /* bytes that leave it running when typed; NULL: none */
} ExecOptions;

/* Runs it. In the foreground it returns at its end, with all output delivered and the exit code as a shell has it;
 * detached at once, and *ret_exit_code is 0. */
int engine_exec(const Store *store, Container *container, const ExecOptions *options, int *ret_exit_code, Error *reterr);
