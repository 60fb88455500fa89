/* SPDX-License-Identifier: Apache-2.0 */
/* A command at a terminal that can be left while what it supervises runs on. */
#include "engine/front.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"

void front_done(Front *front) {
        front->tell_fd = fd_close(front->tell_fd);
}

bool front_is_wanted(bool terminal, bool open_stdin, const char *detach_keys) {
        return terminal && open_stdin && !str_empty(detach_keys) && isatty(STDIN_FILENO);
}

/* What the terminal sends goes to the whole process group: the one behind has it already. But the end of a terminal is told to the
 * leader of its session alone. */
static void pass_signals(int signal_fd, pid_t behind) {
        struct signalfd_siginfo info;

        while (read(signal_fd, &info, sizeof(info)) == sizeof(info))
                if ((info.ssi_code != SI_KERNEL || info.ssi_signo == SIGHUP) && info.ssi_signo != SIGCHLD && info.ssi_signo != SIGWINCH)
                        (void) kill(behind, (int) info.ssi_signo);
}

/* Ends with the status of the process behind, or with 0 when it left. */
_noreturn_ static void stand_in_front(pid_t behind, int signal_fd, int told_fd) {
        struct pollfd fds[] = { { .fd = 3, .events = POLLIN }, { .fd = 4, .events = POLLIN } };
        char byte;

        /* locks and all other descriptors are the other's alone */
        signal_fd = fcntl(signal_fd, F_DUPFD, 5);
        told_fd = fcntl(told_fd, F_DUPFD, 5);
        if (dup2(signal_fd, fds[0].fd) < 0 || dup2(told_fd, fds[1].fd) < 0 || close_range(5, ~0U, 0) < 0)
                _exit(125);
        for (;;) {
                if (RETRY_EINTR(poll(fds, ELEMENTSOF(fds), -1)) < 0)
                        _exit(125);
                if (fds[0].revents)
                        pass_signals(fds[0].fd, behind);
                if (!fds[1].revents)
                        continue;
                if (RETRY_EINTR(read(fds[1].fd, &byte, 1)) == 1)
                        _exit(0);
                _exit(process_reap(behind)); /* the pipe closes with the process */
        }
}

int front_make(Front *ret, Error *reterr) {
        _cleanup_fd_ int signal_fd = -EBADF, told = -EBADF, tell = -EBADF;
        sigset_t all, before;
        pid_t behind;
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        told = pair[0];
        tell = pair[1];
        (void) sigfillset(&all);
        if (sigprocmask(SIG_BLOCK, &all, &before) < 0 || (signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
                return error_set_errno(reterr, -errno, "cannot take over the signals");
        (void) fflush(NULL);
        behind = process_fork_bound(SIGKILL);
        if (behind < 0) {
                int r = -errno;

                (void) sigprocmask(SIG_SETMASK, &before, NULL);
                return error_set_errno(reterr, r, "cannot make a process");
        }
        if (behind > 0)
                stand_in_front(behind, signal_fd, told);
        if (sigprocmask(SIG_SETMASK, &before, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot take over the signals");
        ret->tell_fd = TAKE_FD(tell);
        return 0;
}

int front_leave(Front *front, Error *reterr) {
        _cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null_fd < 0 || setsid() < 0 || prctl(PR_SET_PDEATHSIG, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot leave the terminal");
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null_fd, fd) < 0)
                        return error_set_errno(reterr, -errno, "cannot leave the terminal");
        int r = io_write_full(front->tell_fd, "", 1);
        front_done(front);
        return r < 0 ? error_set_errno(reterr, r, "cannot leave the terminal") : 0;
}
