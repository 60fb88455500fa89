/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: closing, whole reads and writes, passing them over sockets. Every descriptor is O_CLOEXEC from birth. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* Closes if set; keeps errno; returns -EBADF, the value of an unset descriptor. */
int fd_close(int fd);

static inline void fd_closep(int *fd) {
        (void) fd_close(*fd);
}
#define _cleanup_fd_ _cleanup_(fd_closep)

/* The first three descriptors must be there: what a program opens as 2 would be overwritten by a message. Those that are closed become
 * /dev/null. 0 or -errno. */
int fd_open_standard(void);

/* In a child that is to have nothing else of its parent's: moves the descriptors to 3, 4, ..., in this order, O_CLOEXEC, and closes all
 * but them and 0, 1, 2. One that is unset leaves its number closed. 0 or -errno. */
int fd_keep(int *const *fds, size_t n);

/* Closes all descriptors from `first` on but these, which it sorts; those below `first` and unset ones do not matter. 0 or -errno. */
int fd_close_others(unsigned first, int *fds, size_t n);

/* Writes all of it, past interruptions and short writes (and waits where the descriptor is non-blocking). */
int io_write_full(int fd, const void *data, size_t size);

/* Reads until `size` bytes or the end of the file. Returns the number of bytes read. */
ssize_t io_read_full(int fd, void *data, size_t size);

/* Reads all that the descriptor has, at most `limit` bytes: -EFBIG beyond. Owned and NUL-terminated; `ret_size` may be
 * NULL, and then a NUL byte inside is refused with -EBADMSG. */
int io_read_all(int fd, size_t limit, char **ret_data, size_t *ret_size);

/* Sends one message with up to 16 descriptors over a unix socket (MSG_NOSIGNAL). */
int io_send_fds(int socket, const void *data, size_t size, const int *fds, size_t n_fds);

/* Receives one message; descriptors come O_CLOEXEC. `*n_fds` is the room on entry and the number received on return; a
 * truncated message or too many descriptors closes all and gives -EMSGSIZE. Returns the number of bytes, 0 at the end. */
ssize_t io_receive_fds(int socket, void *data, size_t size, int *fds, size_t *n_fds);

/* A sealed-able memory file with this content, positioned at 0. Returns a descriptor or -errno (memfd_create(2)). */
int io_memfd(const char *name, const void *data, size_t size);

/* Binds and listens on, or connects to, a unix socket; the path may be longer than sun_path allows, as it is reached
 * through its directory's descriptor. `type` is SOCK_STREAM or SOCK_SEQPACKET. Returns a descriptor or -errno. */
int io_unix_listen(int dir_fd, const char *name, int type, mode_t mode);
int io_unix_connect(int dir_fd, const char *name, int type);
