/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, session and working directory. */
#include "oci/streams.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { KEPT_MAX = 16 };

/* Among the numbers that the caller hands on, those that were free are ours by now: what is ours is O_CLOEXEC, and must not stay open
 * while the init waits. */
static void close_own(int n_kept, const int *fds, size_t n_fds) {
        for (int fd = 3; fd < 3 + n_kept; fd++) {
                int flags = fcntl(fd, F_GETFD);
                bool wanted = flags < 0 || !(flags & FD_CLOEXEC);

                for (size_t i = 0; i < n_fds; i++)
                        wanted = wanted || fds[i] == fd;
                if (!wanted)
                        (void) close(fd);
        }
}

int oci_streams_close(int n_kept, const int *fds, size_t n_fds, Error *reterr) {
        int sorted[KEPT_MAX];

        assert(n_fds <= KEPT_MAX);
        close_own(n_kept, fds, n_fds);
        memcpy(sorted, fds, n_fds * sizeof(*fds));
        int r = fd_close_others(3 + (unsigned) n_kept, sorted, n_fds);
        return r < 0 ? error_set_errno(reterr, r, "cannot close descriptors") : 0;
}

int oci_streams_take(int console_fd, const RuntimeUser *user, Error *reterr) {
        if (setsid() < 0 && errno != EPERM) /* a leader has one */
                return error_set_errno(reterr, -errno, "cannot make a session");
        if (console_fd >= 0 && ioctl(console_fd, TIOCSCTTY, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make the terminal the session's");
        for (int i = 0; i < 3; i++) {
                struct stat st;

                if (console_fd >= 0 && dup2(console_fd, i) < 0)
                        return error_set_errno(reterr, -errno, "cannot set up standard input and output");
                if (console_fd < 0 && user->uid != 0 && fstat(i, &st) == 0 && S_ISFIFO(st.st_mode))
                        (void) !fchown(i, user->uid, user->gid); /* one that is somebody else's stays so: it was opened by who may */
        }
        return 0;
}

int oci_streams_enter(const char *cwd, Error *reterr) {
        char now[4096];

        if (chdir(str_empty(cwd) ? "/" : cwd) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the working directory: chdir to cwd (\"%s\") set in config.json failed", cwd);
        /* a descriptor of the host as the working directory would show as "(unreachable)/..." (CVE-2024-21626) */
        if (!getcwd(now, sizeof(now)) || *now != '/')
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use the working directory '%s': current working directory is outside of container mount namespace root", cwd);
        return 0;
}

void oci_streams_reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* KILL and STOP refuse; fine */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}
