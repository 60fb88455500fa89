/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams, descriptors and working directory. */
#include "proc/stdio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/exec-path.h"

enum { SAFE_FD = 16 + SD_LISTEN_FDS_MAX }; /* above all that is put in place */

static int open_stream(int fd) {
        if (fd >= 0)
                return fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
        /* the container may have put anything there, such as a link to a descriptor that we still hold */
        _cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;
        if (null_fd < 0 || fstat(null_fd, &st) < 0)
                return -1;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
                errno = ENODEV;
                return -1;
        }
        return fcntl(null_fd, F_SETFL, O_RDWR) < 0 ? -1 : fcntl(null_fd, F_DUPFD_CLOEXEC, SAFE_FD);
}

static int give_to_user(int fd, bool is_console, const ContainerUser *user) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISFIFO(st.st_mode) && !is_console)
                return 0;
        /* a pipe that is somebody else's stays so: it was opened by who may */
        return fchown(fd, user->uid, is_console ? (gid_t) -1 : user->gid) < 0 && errno != EPERM ? -errno : 0;
}

int stdio_take(const int stdio[3], int console_fd, const ContainerUser *user, Error *reterr) {
        int streams[3];

        for (int i = 0; i < 3; i++) {
                int from = console_fd >= 0 ? console_fd : stdio[i];

                streams[i] = open_stream(from);
                if (streams[i] < 0)
                        return error_set_errno(reterr, -errno, from >= 0 ? "cannot set up standard input and output"
                                                                         : "cannot use '/dev/null' of the container");
        }
        /* a session of its own in any case: nothing in the container shares a process group or a terminal with the caller */
        if (setsid() < 0 || (console_fd >= 0 && ioctl(streams[0], TIOCSCTTY, 0) < 0))
                return error_set_errno(reterr, -errno, "cannot make a session");
        for (int i = 0; i < 3; i++) {
                int r = give_to_user(streams[i], console_fd >= 0, user);

                if (r >= 0 && dup2(streams[i], i) < 0)
                        r = -errno;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot set up standard input and output");
        }
        return 0;
}

/* All from 3 on but these. */
static int close_all_but(int *fds, size_t n, Error *reterr) {
        int r = fd_close_others(3, fds, n);

        return r < 0 ? error_set_errno(reterr, r, "cannot close descriptors") : 0;
}

int stdio_close_host(const int stdio[3], const StdioKept *kept, int null_fd, const int *own, size_t n_own, Error *reterr) {
        _cleanup_free_ int *fds = calloc(3 + kept->n_fds + n_own, sizeof(*fds));
        size_t n = 0;

        if (!fds)
                return error_oom(reterr);
        for (int i = 0; i < 3; i++)
                fds[n++] = stdio[i];
        for (size_t i = 0; i < kept->n_fds; i++)
                fds[n++] = kept->fds[i];
        for (size_t i = 0; i < n_own; i++)
                fds[n++] = own[i];
        for (int i = 0; i < 3; i++) { /* taken, so that nothing that is opened next comes to stand there */
                bool wanted = false;

                for (size_t k = 0; k < n; k++)
                        wanted = wanted || fds[k] == i;
                if (!wanted && dup3(null_fd, i, O_CLOEXEC) < 0)
                        return error_set_errno(reterr, -errno, "cannot close descriptors");
        }
        return close_all_but(fds, n, reterr);
}

int stdio_close_others(const StdioKept *kept, int *sync_fd, Error *reterr) {
        size_t n = 0;
        _cleanup_free_ int *fds = calloc((size_t) kept->n_first + kept->n_fds + 1, sizeof(*fds));

        if (!fds)
                return error_oom(reterr);
        for (int i = 0; i < kept->n_first; i++)
                fds[n++] = 3 + i;
        for (size_t i = 0; i < kept->n_fds; i++)
                fds[n++] = kept->fds[i];
        if (*sync_fd < 3 + kept->n_first) { /* one that was to be there is not: its number is not for us */
                int moved = fcntl(*sync_fd, F_DUPFD_CLOEXEC, SAFE_FD);

                if (moved < 0)
                        return error_set_errno(reterr, -errno, "cannot close descriptors");
                *sync_fd = moved;
        }
        for (size_t i = 0; i < n; i++)
                (void) fcntl(fds[i], F_SETFD, 0); /* one that is not open stays so */
        fds[n++] = *sync_fd;
        return close_all_but(fds, n, reterr);
}

static int make_workdir(const char *path, const ContainerUser *user, Error *reterr) {
        _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int made = path_mkdirs_in_root(root, path, 0755, user->uid, user->gid);

        return made < 0 ? error_set_errno(reterr, made, "cannot make the working directory '%s'", path) : 0;
}

int stdio_enter_workdir(const char *path, bool make, const ContainerUser *user, Error *reterr) {
        char cwd[4096];

        if (str_empty(path))
                path = "/";
        int r = chdir(path) < 0 ? -errno : 0;
        if (r == -ENOENT && make) {
                r = make_workdir(path, user, reterr);
                if (r < 0)
                        return r;
                r = chdir(path) < 0 ? -errno : 0;
        }
        if (r == -ENOENT) {
                (void) error_set(reterr, r, ERROR_NOT_EXECUTABLE, "cannot enter the working directory '%s': it does not exist on container",
                                 path);
                return error_with_hint(reterr, r, "make it in the image, or mount something there");
        }
        if (r < 0)
                return error_set(reterr, r, ERROR_NOT_EXECUTABLE, "cannot enter the working directory '%s': %s", path, strerror(-r));
        /* a descriptor of the host as the working directory would show as "(unreachable)/..." (CVE-2024-21626) */
        if (!getcwd(cwd, sizeof(cwd)) || *cwd != '/')
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use the working directory '%s': it is outside the container", path);
        return 0;
}
