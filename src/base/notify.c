/* SPDX-License-Identifier: Apache-2.0 */
/* A service's words to its manager. */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

/* A socket that leads to the manager, where there is one. */
static int open_manager(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };

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
        return connect(fd, (struct sockaddr *) &address, size) < 0 ? -errno : TAKE_FD(fd);
}

int notify_send_fds(const char *text, const int *fds, size_t n) {
        if (str_empty(getenv("NOTIFY_SOCKET")))
                return 0;
        _cleanup_fd_ int fd = open_manager();
        int r = fd < 0 ? fd : io_send_fds(fd, text, strlen(text), fds, n);
        return r < 0 ? r : 1;
}

int notify_send_as(const char *text, pid_t pid) {
        const struct ucred credentials = { .pid = pid, .uid = getuid(), .gid = getgid() };
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(credentials))];
        } control = {};
        struct iovec iov = { (char *) text, strlen(text) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

        if (str_empty(getenv("NOTIFY_SOCKET")))
                return 0;
        _cleanup_fd_ int fd = open_manager();
        if (fd < 0)
                return fd;
        control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof(credentials)) };
        memcpy(CMSG_DATA(&control.header), &credentials, sizeof(credentials));
        return RETRY_EINTR(sendmsg(fd, &message, MSG_NOSIGNAL)) < 0 ? -errno : 1;
}

int notify_send(const char *text) {
        return notify_send_fds(text, /* fds= */ NULL, 0);
}
