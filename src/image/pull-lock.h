/* SPDX-License-Identifier: Apache-2.0 */
/* One download per blob among all commands of a user.
 *
 * Theory of operation. Before a pull fetches a layer (by its diff ID) or a config it takes the lock file pulls/HEX in the runtime
 * directory: written, so that others wait instead of fetching it, too. When the blob is in the store the lock becomes one for
 * reading, which every pull that needs the blob holds until its image is there: what sweeps the store leaves such blobs
 * alone. The file says who fetches: where that process was stopped for some seconds, whoever waits takes the file's name away, and
 * fetches the blob, too. Locks are open file description locks: a killed holder's are free at once. A file that nobody locks means nothing
 * and is removed by who finds it. */
#pragma once

#include "state/store.h"

typedef enum PullLockState {
        PULL_LOCK_OURS,    /* for writing: look in the store, then fetch it */
        PULL_LOCK_SHARED,  /* for reading: look in the store; where it is not there, let go and wait for PULL_LOCK_OURS */
        PULL_LOCK_BUSY,    /* another command is fetching it: wait for PULL_LOCK_SHARED */
} PullLockState;

/* Opens the directory of the locks: a descriptor or -errno. Removes files that nobody locks. */
int pull_lock_open(const Store *store, Error *reterr);

/* Takes the lock if that is possible now. Returns the state, or -errno. The lock goes with the descriptor in *ret_fd
 * (-EBADF where it is busy) and whatever duplicates of it other processes have. */
int pull_lock_try(int dir_fd, const char *hex, int *ret_fd, Error *reterr);

/* From writing to reading: whoever waits for the blob may look. */
int pull_lock_share(int fd);

/* Back to writing, if nobody else has it: 0, or -EAGAIN. */
int pull_lock_own(int fd);

/* Lets the lock go, and removes its file where nobody else has it. */
void pull_lock_release(int dir_fd, const char *hex, int fd);

/* A wait for a lock, in a child, since nothing else waits for locks and descriptors at once. */
typedef struct PullWait {
        pid_t pid;   /* 0: none */
        int pipe_fd; /* readable at its end */
        int lock_fd; /* then has the lock */
        PullLockState state;
} PullWait;

#define PULL_WAIT_NULL ((PullWait){ .pipe_fd = -EBADF, .lock_fd = -EBADF })

/* Starts to wait for PULL_LOCK_OURS or PULL_LOCK_SHARED. */
int pull_wait_start(int dir_fd, const char *hex, PullLockState state, PullWait *ret, Error *reterr);
void pull_wait_done(PullWait *wait);

/* Whether any pull needs the blob: what sweeps the store asks, under images.lock. */
bool pull_lock_is_held(const Store *store, const char *hex);
