/* SPDX-License-Identifier: Apache-2.0 */
/* Many workers at the price of one: newuidmap(1) and newgidmap(1), namespaces and mounts cost more than a small layer. The
 * nursery is a process that has gone through all that once, for a directory that becomes its root; each of its workers is
 * a fork that makes one directory below its own root and then gives up the rest, as every worker does (sandbox.h). It
 * reads nothing but its parent's messages. It ends with its parent, and the workers end with it.
 *
 * Even a fork costs more than a layer of a few files, of which images have many. Those have one worker in common, which takes one
 * after the other. Its root is an empty directory, and each tree comes to it as the root of a mount of its own: a worker that a layer
 * has taken over can change that layer and the small ones after it, which is nothing new, as it is the worker that says what digest a
 * layer's content has; but not what is beside their trees, nor the trees of other layers. It lives longer than the layers that it
 * unpacks are unfinished, so those are not shared with other images (share.h), whose files it could keep open. */
#pragma once

#include "image/worker.h"

typedef struct Nursery {
        pid_t pid;           /* 0: none */
        int socket;
        bool ready;          /* it has said so */
} Nursery;

#define NURSERY_NULL ((Nursery){ .socket = -EBADF })
enum { NURSERY_PATH_SIZE = 96 };

enum { NURSERY_SMALL_SIZE = 64 * 1024 }; /* compressed bytes of a small layer, at most */

/* Starts one for the directory and does not wait for it: what goes wrong in it is told by the first worker's start. */
int nursery_start(int dir_fd, const UserMap *map, Nursery *ret, Error *reterr);

/* Starts a worker in the directory `path` below the nursery's; job->dir_fd is not looked at. Or, where `small`, has the common worker
 * unpack the layer there when its turn comes: its bytes must all be there, as others wait behind it, and it must have a job->out_fd. */
int nursery_start_worker(Nursery *nursery, const WorkerJob *job, bool small, const char *path, Worker *ret, Error *reterr);

/* Kills it and its workers; they are gone when their sockets are at their end. */
void nursery_done(Nursery *nursery);
#define _cleanup_nursery_ _cleanup_(nursery_done)

/* Waits until the worker, whose nursery was killed, is gone. */
void nursery_worker_wait_gone(Worker *worker);
