/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxed children of sdpod-image: one for each layer that is unpacked or packed, and one for an archive that has to
 * be decompressed first. They speak only through one socket, and only at their end. */
#pragma once

#include <sched.h>
#include <sys/types.h>

#include "image/unpack.h"
#include "ns/idmap.h"

typedef enum WorkerTask {
        WORKER_UNPACK,     /* a layer into `dir_fd`; its record (record.h) to `out_fd` */
        WORKER_DECOMPRESS, /* to `out_fd` */
        WORKER_FUNCTION,   /* `function`, with the root directory; what it writes goes to `out_fd` */
        WORKER_REPLAY,     /* the record on `in_fd` and the tree in `dir_fd` to `out_fd`, a tar stream, compressed as `compression`
                        * says. The result has the digests and sizes as if that stream had been unpacked */
} WorkerTask;

typedef struct WorkerJob {
        WorkerTask task;
        int in_fd;               /* borrowed; read at `offset`, or from where it stands where size is UINT64_MAX */
        uint64_t offset, size;
        int dir_fd;              /* borrowed: the directory that becomes the worker's root */
        int out_fd;              /* borrowed */
        uint64_t size_limit;     /* bytes that come out */
        bool large;              /* worth a process that does nothing but hash (hasher.h) */
        int (*function)(void *data, int root_fd, int out_fd, Error *reterr); /* WORKER_FUNCTION */
        void *data;              /* its; borrowed */
        Compression compression; /* WORKER_REPLAY: of what is written */
        int level;
} WorkerJob;

typedef struct Worker {
        pid_t pid;               /* 0: none, or a nursery's child */
        int socket;              /* readable when it is done; -EBADF: none */
        bool common;             /* it goes on with other layers (nursery.h), and may keep this one's files open */
} Worker;

#define WORKER_NULL ((Worker){ .socket = -EBADF })

/* Starts a worker. Where many are needed, see nursery.h. */
int worker_start(const WorkerJob *job, const UserMap *map, Worker *ret, Error *reterr);

/* In a child that is in the worker's namespaces, with its root directory as "/" and nothing open but the job's descriptors
 * and `socket`: gives up all else, works, and sends the result. */
_noreturn_ void worker_serve(const WorkerJob *job, const UserMap *map, int socket);

/* In such a child, which stays for more: gives up all else, but does not work yet. */
int worker_lock(uint64_t size_limit, Error *reterr);

/* In such a child, after that: unpacks the layer of the job, which is WORKER_UNPACK, into the directory `root_fd` (borrowed), and
 * sends the result. */
void worker_unpack(const WorkerJob *job, const UserMap *map, int root_fd, int socket);

/* In such a child: puts the job's descriptors and the socket at the first numbers and closes all else. 0 or -errno. */
int worker_keep_fds(WorkerJob *job, int *socket);

/* The namespaces that a worker has of its own, beside the user namespace. */
enum { WORKER_NAMESPACES = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP };

/* Waits for its end. What a common worker leaves has no files that may be shared. */
int worker_finish(Worker *worker, UnpackResult *ret, Error *reterr);

/* Ends it without asking. */
void worker_done(Worker *worker);
#define _cleanup_worker_ _cleanup_(worker_done)
