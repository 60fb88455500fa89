/* SPDX-License-Identifier: Apache-2.0 */
/* Passes on what a container says to the manager of its unit. */
#include "engine/notify-relay.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/internal-command.h"

#define NAME "notify" /* in the runtime directory */

enum { MESSAGE_MAX = 4096, BATCH = 64 };

bool notify_relay_is_needed(const UserMap *map) {
        uint32_t id;

        return geteuid() == 0 && (map->host || idmap_from_host(&map->uid, 0, &id));
}

int notify_relay_open(const Store *store, Container *container, char **ret_path, int *ret_fd, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/containers/%s/" NAME, store->runtime_path, container->config.id);
        int dir = container_runtime_fd(store, container, reterr);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (dir < 0)
                return dir;
        if (!path)
                return error_oom(reterr);
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME, dir);
        (void) unlinkat(dir, NAME, 0); /* of an earlier start */
        /* any user of the container may speak, as to systemd's own; on the host the directory is the user's alone */
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || fchmodat(dir, NAME, 0666, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make the notification socket of container '%s'", container->config.name);
        *ret_path = TAKE_PTR(path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int notify_relay_begin(const Store *store, const Container *container, int fd, Error *reterr) {
        const int fds[] = { fd, -EBADF, -EBADF };
        _cleanup_strv_ char **command = NULL;

        if (fd < 0)
                return 0;
        if (internal_command(store, /* storage_driver= */ NULL, "__notify", container->config.id, &command) < 0)
                return error_oom(reterr);
        int r = internal_spawn_orphan(command, fds, ELEMENTSOF(fds));
        return r < 0 ? error_set_errno(reterr, r, "cannot pass on what container '%s' tells systemd", container->config.name) : 0;
}

/* What sd_notify(3) has for a service's own state; nothing of other processes, of descriptors, or of who may speak. */
static bool may_say(const char *line) {
        static const char *const words[] = { "READY=", "RELOADING=", "STOPPING=", "STATUS=", "ERRNO=", "BUSERROR=",
                                             "WATCHDOG=", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=", "MONOTONIC_USEC=" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (str_after(line, words[i]))
                        return true;
        return false;
}

/* One message; the descriptors of a BARRIER=1 find no room and are closed. -EAGAIN: there is none. */
static int pass_on(const Container *container) {
        char text[MESSAGE_MAX + 1], kept[MESSAGE_MAX + 2], *save = NULL;
        struct iovec iov = { text, MESSAGE_MAX };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
        size_t n = 0;

        ssize_t size = recvmsg(STDIN_FILENO, &message, MSG_DONTWAIT);
        if (size < 0)
                return errno == EINTR ? 0 : -errno;
        text[size] = 0;
        for (char *line = strtok_r(message.msg_flags & MSG_TRUNC ? NULL : text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (may_say(line))
                        n += (size_t) (stpcpy(stpcpy(kept + n, line), "\n") - (kept + n));
        kept[n] = 0;
        if (n > 0)
                (void) notify_send_as(kept, container->process.pid); /* as lost as a datagram may be */
        return 0;
}

int notify_relay_run(const Container *container, Error *reterr) {
        struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = container->pidfd, .events = POLLIN } };

        if (container->pidfd < 0 || !container->config.notify_socket)
                return 0;
        if (setenv("NOTIFY_SOCKET", container->config.notify_socket, /* overwrite= */ 1) < 0)
                return error_oom(reterr);
        (void) setsid(); /* a Ctrl-C at the terminal is not for us */
        while (fds[1].revents == 0) {
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot listen to container '%s'", container->config.name);
                int r = 0;
                for (int i = 0; i < BATCH && r >= 0; i++)
                        r = pass_on(container);
                if (r < 0 && r != -EAGAIN)
                        return error_set_errno(reterr, r, "cannot listen to container '%s'", container->config.name);
        }
        return 0;
}
