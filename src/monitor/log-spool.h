/* SPDX-License-Identifier: Apache-2.0 */
/* A spool: a file on tmpfs between a container's pipe and its log.
 *
 * splice(2) moves bytes from the pipe to the end of the file inside one system call: the kernel takes a byte from the
 * pipe exactly when the file has it, also when the caller is killed in the middle. The size of the file is therefore how
 * far the pipe was read, and nothing that a dead monitor leaves behind is lost or read twice. Space that the log has
 * taken over is given back; a spool that is wholly consumed shrinks to nothing (`consumed` beyond the file's size means
 * that it was killed between the two steps of that). */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef struct LogSpool {
        int fd;
        uint64_t size, consumed;
        uint64_t punched;        /* given back up to here */
} LogSpool;

#define LOG_SPOOL_NULL ((LogSpool){ .fd = -EBADF })

/* Opens or makes the file. `consumed` is what the state says. */
int log_spool_open(LogSpool *spool, int dir_fd, const char *name, uint64_t consumed);
void log_spool_done(LogSpool *spool);

static inline uint64_t log_spool_pending(const LogSpool *spool) {
        return spool->size - spool->consumed;
}

/* Moves up to `size` bytes from a pipe. Returns the number, 0 at the end of the pipe, -EAGAIN when it is empty, -ENOSPC
 * when the file system is full. */
ssize_t log_spool_fill(LogSpool *spool, int pipe_fd, size_t size);

/* Reads from an offset; returns the number of bytes, short only at the end. */
ssize_t log_spool_read(const LogSpool *spool, uint64_t offset, void *data, size_t size);

/* Gives back what is consumed and the state has saved. Returns 1 if it was emptied and `consumed` is 0 again: the caller
 * then saves that before the next fill. With `all`, little space is worth it, too. */
int log_spool_release(LogSpool *spool, bool all);
