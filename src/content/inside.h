/* SPDX-License-Identifier: Apache-2.0 */
/* Work on a container's files as it sees them, volumes included, by a process of ours.
 *
 * Theory of operation. A child enters the container: of a running one its user and mount namespaces, through its pidfd; of a
 * stopped one namespaces of its own, in which it mounts what the container would get. Then it gives up what it does not need,
 * as the workers of the image room do (image/sandbox.h): no exec, no sockets, a short list of system calls. It is not
 * dumpable and is in the container's PID namespace as little as before, so nothing in there can touch it. All paths are looked up
 * by openat2(2) below the container's root: whatever a process in there exchanges meanwhile, nothing outside is reached. */
#pragma once

#include <sys/types.h>

#include "state/container.h"

typedef struct Inside {
        pid_t pid;               /* 0: none */
        int socket;              /* its results */
} Inside;

#define INSIDE_NULL ((Inside){ .socket = -EBADF })

/* What the child does: with the container's root, the descriptor it was given, and the socket, on which it may send results
 * before the last one, which is what it returns. */
typedef int (*InsideFunction)(void *data, int root_fd, int data_fd, int socket, Error *reterr);

/* Starts it, and waits until it has entered: nothing is done before. `container` is locked, or runs; -ESRCH: it ran, and has ended. It is
 * NULL for the same on the host: then the child is an ordinary process of the user, and root_fd is AT_FDCWD. */
int inside_start(const Store *store, Container *container, InsideFunction function, void *data, int data_fd, Inside *ret, Error *reterr);

/* The next result. */
int inside_receive(Inside *inside, Error *reterr);

void inside_done(Inside *inside);
#define _cleanup_inside_ _cleanup_(inside_done)

/* Opens `path` for either: below the container's root, or on the host; symlinks are followed there. A descriptor or -errno. */
int inside_open(int root_fd, const char *path, int flags);
