/* SPDX-License-Identifier: Apache-2.0 */
/* Starting sdpod-bypass, and bringing it the processes that it serves. */
#pragma once

#include <sys/types.h>

#include "net/net-config.h"

typedef struct BypassHelperRequest {
        const NetConfig *config; /* of the network that the container is in */
        const char *program;     /* absolute path; NULL: the installed sdpod-bypass */
        int listen_fd;           /* a unix socket (SOCK_SEQPACKET) that listens, for bypass_helper_bring() */
        int init_pidfd;          /* it ends with this process */
        int userns_fd;           /* the container's user namespace */
} BypassHelperRequest;

typedef struct BypassHelper {
        pid_t pid;
        int ready_fd; /* owned; -EBADF: none was started */
} BypassHelper;

#define BYPASS_HELPER_NULL ((BypassHelper){ .ready_fd = -EBADF })

/* Starts the program as a child, in the caller's cgroup; it goes on after the caller. */
int bypass_helper_start(const BypassHelperRequest *request, BypassHelper *ret, Error *reterr);

/* Waits until it serves. On failure the error is its own, and it is reaped. */
int bypass_helper_wait_ready(BypassHelper *helper, Error *reterr);

void bypass_helper_done(BypassHelper *helper);

/* Hands it, over the socket `name` in `dir_fd`, the listener of a process's filter and a routing socket of its network. -ECONNREFUSED, -ENOENT:
 * it is gone; whoever has the filter gets ENOSYS then, once all descriptors of the listener are closed. */
int bypass_helper_bring(int dir_fd, const char *name, int listener_fd, int route_fd);
