/* SPDX-License-Identifier: Apache-2.0 */
/* A service and its manager. */
#include "cgroup/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"

enum { FIRST_FD = 3, LISTEN_FDS_MAX = 4096 };

static int send_with(const char *text, const int *fds, size_t n) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (str_empty(path))
                return 0;
        if ((*path != '/' && *path != '@') || !path[1])
                return -EAFNOSUPPORT;
        size_t length = strlen(path);
        if (length > sizeof(address.sun_path) - 1)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, length);
        if (*path == '@')
                address.sun_path[0] = 0; /* the abstract namespace: no NUL at the end */
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length + (*path == '/'));
        if (connect(fd, (struct sockaddr *) &address, size) < 0)
                return -errno;
        int r = io_send_fds(fd, text, strlen(text), fds, n);
        return r < 0 ? r : 1;
}

int notify_send(const char *text) {
        return send_with(text, /* fds= */ NULL, 0);
}

int notify_barrier(uint64_t timeout_usec) {
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        int r = send_with("BARRIER=1", &theirs, 1);
        if (r <= 0)
                return r;
        theirs = fd_close(theirs);
        struct pollfd poll_fd = { .fd = ours }; /* the manager closes the other end when it comes to this message */
        r = (int) RETRY_EINTR(poll(&poll_fd, 1, (int) MIN(timeout_usec / 1000, (uint64_t) INT32_MAX)));
        return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 1;
}

int notify_listen_fds(void) {
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        uint32_t number, n;

        if (!pid || !fds || parse_id(pid, &number) < 0 || number != (uint32_t) getpid())
                return 0;
        if (parse_id(fds, &n) < 0 || n > LISTEN_FDS_MAX)
                return -EINVAL;
        for (int fd = FIRST_FD; fd < FIRST_FD + (int) n; fd++)
                if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                        return -errno;
        return (int) n;
}
