/* SPDX-License-Identifier: Apache-2.0 */
/* Whole small files: read with a limit, written so that a crash leaves the old content or the new. */
#pragma once

#include <sys/types.h>

#include "base/macro.h"

/* How far a write must reach before it counts. Files on tmpfs ($XDG_RUNTIME_DIR) need no syncing. */
typedef enum FileDurability {
        FILE_VOLATILE,  /* survives kill -9 */
        FILE_DURABLE,   /* survives power loss: fsync of the file and of its directory */
} FileDurability;

/* Writes `name` in `dir_fd`: an unnamed or temporary file, optionally fsync, rename, optionally fsync of the directory. */
int file_write_atomic(int dir_fd, const char *name, const void *data, size_t size, mode_t mode, FileDurability durability);

/* Removes the temporary files that killed writers left in `dir_fd`. The caller holds the lock of all who write there. */
void file_collect_temporary(int dir_fd);

/* Reads a regular file of at most `limit` bytes (-EFBIG beyond) that is not a symlink, without ever blocking on a FIFO
 * or a device (-EINVAL). Owned and NUL-terminated; see io_read_all() for `ret_size`. */
int file_read(int dir_fd, const char *name, size_t limit, char **ret_data, size_t *ret_size);

/* Writes a string into an existing kernel file (cgroupfs, procfs) in one write(2). */
int file_write_string(int dir_fd, const char *name, const char *text);
