/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving end of sd_notify(3). */
#include "monitor/notify-socket.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"

enum { MESSAGE_MAX = 4096, MESSAGES_MAX = 64 /* a look: whoever shouts without end waits for the next one */ };

static int bind_file(NotifySocket *s, int dir_fd, const char *dir) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" NOTIFY_SOCKET_NAME, dir);

        if (n < 0 || (size_t) n >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) unlinkat(dir_fd, NOTIFY_SOCKET_NAME, 0);
        if (fchmod(s->fd, 0600) < 0 || bind(s->fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        s->is_file = true;
        s->dir_fd = dir_fd;
        s->address = strdup(address.sun_path);
        return s->address ? 0 : -ENOMEM;
}

/* The kernel picks a free name (unix(7), autobind); whoever guesses it is checked by user ID at each message. */
static int bind_abstract(NotifySocket *s) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t size = sizeof(address);

        if (bind(s->fd, (struct sockaddr *) &address, sizeof(sa_family_t)) < 0 ||
            getsockname(s->fd, (struct sockaddr *) &address, &size) < 0)
                return -errno;
        s->address = str_format("@%.*s", (int) (size - offsetof(struct sockaddr_un, sun_path)) - 1, address.sun_path + 1);
        return s->address ? 0 : -ENOMEM;
}

int notify_socket_open(NotifySocket *s, int dir_fd, const char *dir) {
        const int on = 1;
        NotifySocket opened = NOTIFY_SOCKET_NULL;

        opened.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (opened.fd < 0)
                return -errno;
        int r = setsockopt(opened.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
        if (r >= 0)
                r = bind_file(&opened, dir_fd, dir);
        if (r == -ENAMETOOLONG)
                r = bind_abstract(&opened);
        if (r < 0) {
                notify_socket_done(&opened);
                return r;
        }
        *s = opened;
        return 0;
}

void notify_socket_done(NotifySocket *s) {
        if (s->is_file)
                (void) unlinkat(s->dir_fd, NOTIFY_SOCKET_NAME, 0);
        (void) fd_close(s->fd);
        free(s->address);
        *s = NOTIFY_SOCKET_NULL;
}

static int take_line(const char *line, bool own, NotifyNews *news) {
        const char *value;
        uint32_t number;

        if (str_equal(line, "READY=1"))
                news->ready = true;
        else if ((value = str_after(line, "MAINPID=")) && own) {
                if (parse_u32(value, &number) >= 0 && number > 1 && number <= INT32_MAX)
                        news->main_pid = (pid_t) number;
        } else if ((value = str_after(line, "ERRNO=")) && own) {
                if (parse_u32(value, &number) >= 0 && number < 4096)
                        news->error = (int) number;
        } else if ((value = str_after(line, "STATUS=")) && own)
                return str_replace(&news->status, value);
        return 0; /* systemd, too, passes over what it does not know */
}

static int take_message(char *text, bool own, NotifyNews *news) {
        _cleanup_strv_ char **lines = strv_split(text, "\n");

        if (!lines)
                return -ENOMEM;
        for (char **line = lines; *line; line++) {
                int r = take_line(*line, own, news);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The sender, as the kernel vouches for it. Descriptors that came along (BARRIER=1) find no room and are closed. */
static uid_t sender(struct msghdr *message) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
                        struct ucred credentials;

                        memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
                        return credentials.uid;
                }
        return (uid_t) -1;
}

int notify_socket_read(NotifySocket *s, NotifyNews *news) {
        for (int i = 0; i < MESSAGES_MAX; i++) {
                union {
                        struct cmsghdr header;
                        char room[CMSG_SPACE(sizeof(struct ucred))];
                } control = {};
                char text[MESSAGE_MAX + 1];
                struct iovec iov = { text, MESSAGE_MAX };
                struct msghdr message = {
                        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
                };

                ssize_t n = RETRY_EINTR(recvmsg(s->fd, &message, MSG_CMSG_CLOEXEC));
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                text[n] = 0;
                int r = take_message(text, sender(&message) == geteuid(), news);
                if (r < 0)
                        return r;
        }
        return 0;
}
