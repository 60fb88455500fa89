/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxed children of sdpod-image: one for each layer that is unpacked, and one for an archive that has to be
 * decompressed first. They speak only through one socket, and only at their end. */
#pragma once

#include <sys/types.h>

#include "image/unpack.h"
#include "ns/idmap.h"

typedef struct WorkerJob {
        int in_fd;               /* borrowed; read at `offset`, or from where it stands where size is UINT64_MAX */
        uint64_t offset, size;
        int dir_fd;              /* borrowed: the directory that becomes the worker's root */
        int out_fd;              /* borrowed: where decompressed bytes go; -EBADF: a layer is unpacked into `dir_fd` */
        uint64_t size_limit;     /* bytes that come out */
} WorkerJob;

typedef struct Worker {
        pid_t pid;               /* 0: none */
        int socket;              /* readable when it is done; -EBADF: none */
} Worker;

#define WORKER_NULL ((Worker){ .socket = -EBADF })

/* Starts a worker. */
int worker_start(const WorkerJob *job, const UserMap *map, Worker *ret, Error *reterr);

/* Waits for its end. */
int worker_finish(Worker *worker, UnpackResult *ret, Error *reterr);

/* Ends it without asking. */
void worker_done(Worker *worker);
#define _cleanup_worker_ _cleanup_(worker_done)
