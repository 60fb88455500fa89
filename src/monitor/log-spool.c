/* SPDX-License-Identifier: Apache-2.0 */
/* A spool: a file on tmpfs between a container's pipe and its log. */
#include "monitor/log-spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum {
        EMPTY_AT = 8 * 1024,   /* an idle container keeps at most this much of tmpfs per stream */
        PUNCH_AT = 256 * 1024, /* and a busy one this much more than is pending */
};

int log_spool_open(LogSpool *spool, int dir_fd, const char *name, uint64_t consumed) {
        struct stat st;
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        uint64_t size = (uint64_t) st.st_size;
        *spool = (LogSpool){ .size = size, .consumed = consumed > size ? 0 : consumed, .fd = TAKE_FD(fd) };
        return 0;
}

void log_spool_done(LogSpool *spool) {
        spool->fd = fd_close(spool->fd);
}

ssize_t log_spool_fill(LogSpool *spool, int pipe_fd, size_t size) {
        off64_t offset = (off64_t) spool->size;

        ssize_t n = RETRY_EINTR(splice(pipe_fd, NULL, spool->fd, &offset, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
        if (n < 0)
                return -errno;
        spool->size += (uint64_t) n;
        return n;
}

ssize_t log_spool_read(const LogSpool *spool, uint64_t offset, void *data, size_t size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = RETRY_EINTR(pread(spool->fd, (char *) data + done, size - done, (off_t) (offset + done)));

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t) n;
        }
        return (ssize_t) done;
}

int log_spool_release(LogSpool *spool, bool all) {
        if (spool->consumed == spool->size && spool->size >= (all ? 1 : EMPTY_AT)) {
                if (ftruncate(spool->fd, 0) < 0)
                        return -errno;
                spool->size = spool->consumed = spool->punched = 0;
                return 1;
        }
        if (spool->consumed - spool->punched < PUNCH_AT)
                return 0;
        uint64_t to = spool->consumed & ~(uint64_t) 4095;
        /* where it is not supported (not tmpfs), only space is lost */
        (void) fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) spool->punched,
                         (off_t) (to - spool->punched));
        spool->punched = to;
        return 0;
}
