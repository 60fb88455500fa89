/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: closing, whole reads and writes, passing them over sockets. */
#include "base/io.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 16 };

int fd_close(int fd) {
        if (fd >= 0) {
                int saved_errno = errno;

                (void) close(fd); /* Linux always releases it; an error here has no remedy (close(2)) */
                errno = saved_errno;
        }
        return -EBADF;
}

int fd_open_standard(void) {
        for (int fd; (fd = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC)) != -1;) {
                if (fd > STDERR_FILENO)
                        return close(fd);
                if (fcntl(fd, F_SETFD, 0) < 0)
                        return -errno;
        }
        return -errno;
}

int fd_keep(int *const *fds, size_t n) {
        const int first = STDERR_FILENO + 1, end = first + (int) n;

        for (size_t i = 0; i < n; i++) { /* above all places, so that none is overwritten */
                if (*fds[i] < 0)
                        continue;
                *fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, end);
                if (*fds[i] < 0)
                        return -errno;
        }
        for (int i = 0; i < (int) n; i++) {
                if (*fds[i] < 0) { /* what the parent had at that number may be a directory of the host */
                        (void) close(first + i);
                        continue;
                }
                if (dup3(*fds[i], first + i, O_CLOEXEC) < 0)
                        return -errno;
                *fds[i] = first + i;
        }
        return close_range((unsigned) end, ~0U, 0) < 0 ? -errno : 0;
}

static int by_number(const void *a, const void *b) {
        int x = *(const int *) a, y = *(const int *) b;

        return x < y ? -1 : x > y;
}

int fd_close_others(unsigned first, int *fds, size_t n) {
        qsort(fds, n, sizeof(*fds), by_number);
        for (size_t i = 0; i < n; i++) {
                if (fds[i] < 0 || (unsigned) fds[i] < first)
                        continue;
                unsigned fd = (unsigned) fds[i];

                if (fd > first && close_range(first, fd - 1, 0) < 0)
                        return -errno;
                first = fd + 1;
        }
        return close_range(first, ~0U, 0) < 0 ? -errno : 0;
}

int io_write_full(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EAGAIN) {
                        struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

                        (void) poll(&poll_fd, 1, /* timeout= */ -1);
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

ssize_t io_read_full(int fd, void *data, size_t size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = RETRY_EINTR(read(fd, (char *) data + done, size - done));

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t) n;
        }
        return (ssize_t) done;
}

int io_read_all(int fd, size_t limit, char **ret_data, size_t *ret_size) {
        _cleanup_free_ char *data = NULL;
        size_t room = 0, size = 0;

        for (;;) {
                if (room - size < 2) {
                        char *grown;

                        room = room ? room * 2 : 4096;
                        grown = realloc(data, room);
                        if (!grown)
                                return -ENOMEM;
                        data = grown;
                }
                ssize_t n = io_read_full(fd, data + size, room - size - 1);
                if (n < 0)
                        return (int) n;
                size += (size_t) n;
                if (size > limit)
                        return -EFBIG;
                if (size < room - 1)
                        break; /* io_read_full() came to the end of the file: no need to ask again */
        }
        data[size] = 0;
        if (ret_size)
                *ret_size = size;
        else if (strlen(data) != size)
                return -EBADMSG;
        *ret_data = TAKE_PTR(data);
        return 0;
}

int io_send_fds(int socket, const void *data, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control = {};
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > FDS_MAX)
                return -E2BIG;
        if (n_fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.header = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * n_fds)
                };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
        }
        if (RETRY_EINTR(sendmsg(socket, &message, MSG_NOSIGNAL)) < 0)
                return -errno;
        return 0;
}

ssize_t io_receive_fds(int socket, void *data, size_t size, int *fds, size_t *n_fds) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control = {};
        struct iovec iov = { .iov_base = data, .iov_len = size };
        struct msghdr message = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        int received[FDS_MAX];
        size_t n_received = 0;

        ssize_t n = RETRY_EINTR(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
        if (n < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n_received = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                memcpy(received, CMSG_DATA(c), n_received * sizeof(int));
        }
        if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_received > *n_fds) {
                for (size_t i = 0; i < n_received; i++)
                        (void) fd_close(received[i]);
                return -EMSGSIZE;
        }
        memcpy(fds, received, n_received * sizeof(int));
        *n_fds = n_received;
        return n;
}

int io_memfd(const char *name, const void *data, size_t size) {
        _cleanup_fd_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        int r = io_write_full(fd, data, size);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int unix_address(int dir_fd, const char *name, struct sockaddr_un *ret) {
        int n;

        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (dir_fd == AT_FDCWD)
                n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name);
        else
                n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
        return n < 0 || (size_t) n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

int io_unix_listen(int dir_fd, const char *name, int type, mode_t mode) {
        struct sockaddr_un address;
        _cleanup_fd_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        int r = unix_address(dir_fd, name, &address);
        if (r < 0)
                return r;
        /* fchmod() before bind() gives the socket file its mode from birth (unix(7)) */
        if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
            listen(fd, SOMAXCONN) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int io_unix_connect(int dir_fd, const char *name, int type) {
        struct sockaddr_un address;
        _cleanup_fd_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        int r = unix_address(dir_fd, name, &address);
        if (r < 0)
                return r;
        if (RETRY_EINTR(connect(fd, (struct sockaddr *) &address, sizeof(address))) < 0)
                return -errno;
        return TAKE_FD(fd);
}
