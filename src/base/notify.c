/* SPDX-License-Identifier: Apache-2.0 */
/* A service's words to its manager. */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"
#include "base/str.h"

int notify_send_fds(const char *text, const int *fds, size_t n) {
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
        return notify_send_fds(text, /* fds= */ NULL, 0);
}
