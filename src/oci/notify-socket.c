/* SPDX-License-Identifier: Apache-2.0 */
/* READY=1 from inside to outside. Inside, the caller's path is a directory that holds the container's own socket, as crun has it. */
#include "oci/notify-socket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/notify.h"
#include "base/str.h"

#define NAME "notify"

enum { MESSAGE_MAX = 4096 };

static bool is_wanted(void) {
        return !str_empty(getenv("NOTIFY_SOCKET"));
}

/* Not the caller's where there is no such path (an abstract socket), and not a system manager's: a systemd inside makes its own there. */
static const char *directory_inside(void) {
        const char *path = getenv("NOTIFY_SOCKET");

        return *path == '/' && !str_after(path, "/run/systemd/") ? path : "/run/notify";
}

static int add_mount(RuntimeSpec *spec, const char *source) {
        static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
        RuntimeMount *mounts = reallocarray(spec->mounts, spec->n_mounts + 1, sizeof(*mounts));

        if (!mounts)
                return -ENOMEM;
        spec->mounts = mounts;
        RuntimeMount *m = &mounts[spec->n_mounts++];
        *m = (RuntimeMount){ .destination = strdup(directory_inside()), .type = strdup("bind"), .source = strdup(source),
                             .options = strv_copy((char *const *) options) };
        return m->destination && m->type && m->source && m->options ? 0 : -ENOMEM;
}

int notify_socket_prepare(const OciRoot *root, const OciContainer *container, RuntimeSpec *spec, Error *reterr) {
        if (!is_wanted())
                return 0;
        _cleanup_free_ char *path = realpath(root->path, NULL), *source = path ? str_format("%s/%s/notify", path, container->id) : NULL;
        _cleanup_free_ char *variable = str_format("NOTIFY_SOCKET=%s/" NAME, directory_inside());

        if (!source || !variable)
                return error_oom(reterr);
        if (mkdirat(container->dir_fd, "notify", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make the directory of the notification socket");
        return add_mount(spec, source) < 0 || strv_env_set(&spec->process.env, variable) < 0 ? error_oom(reterr) : 0;
}

int notify_socket_open(const OciContainer *container, int *ret, Error *reterr) {
        if (!is_wanted())
                return 0;
        _cleanup_fd_ int dir = openat(container->dir_fd, "notify", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot open the directory of the notification socket");
        _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME, dir);
        (void) unlinkat(dir, NAME, 0); /* of a `start` that was killed */
        /* any user of the container may say it is ready: the mode is the file's from its birth (unix(7)) */
        if (fd < 0 || fchmod(fd, 0666) < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set_errno(reterr, -errno, "cannot make the notification socket");
        /* the umask takes bits away */
        if (fchmodat(dir, NAME, 0666, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot change the mode of the notification socket");
        *ret = TAKE_FD(fd);
        return 0;
}

int notify_socket_take(int fd, pid_t main_pid) {
        char message[MESSAGE_MAX + 1], text[64], *save = NULL;
        ssize_t n = RETRY_EINTR(recv(fd, message, MESSAGE_MAX, MSG_DONTWAIT));

        if (n <= 0)
                return 0;
        message[n] = 0;
        for (char *line = strtok_r(message, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (!str_equal(line, "READY=1"))
                        continue;
                (void) snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int) main_pid);
                (void) notify_send(main_pid > 0 ? text : "READY=1");
                return 1;
        }
        return 0;
}

int notify_socket_wait(int fd, const OciContainer *container, Error *reterr) {
        struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = container->pidfd, .events = POLLIN } };

        while (fd >= 0) {
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the container '%s' to be ready", container->id);
                if (notify_socket_take(fd, container->record.pid) > 0 || fds[1].revents)
                        break;
        }
        return 0;
}
