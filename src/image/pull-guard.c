/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and the end of a pull. */
#include "image/pull-guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "image/pull-lock.h"

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

_noreturn_ static void child_main(int (*function)(void *data, Error *reterr), void *data, int socket, const sigset_t *mask) {
        _cleanup_error_ Error error = ERROR_NULL;

        /* a terminal signals the whole group, and the guard decides */
        for (size_t i = 0; i < ELEMENTSOF(endings); i++)
                (void) signal(endings[i], SIG_IGN);
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        int r = function(data, &error);
        (void) fflush(NULL);
        (void) wire_send_result(socket, r, &error);
        _exit(0);
}

/* Kills the child. What it made dies with its parent and comes to us (PR_SET_CHILD_SUBREAPER), so that nobody writes any
 * more when there is no child left. */
static void end_all(pid_t pid) {
        (void) kill(pid, SIGKILL);
        while (RETRY_EINTR(waitpid(-1, NULL, 0)) > 0)
                ;
}

/* The locks of a pull that was killed are free, but their files are there. */
static void remove_locks(const Stage *stage) {
        (void) fd_close(pull_lock_open(stage->store, /* reterr= */ NULL));
}

/* The removal of a large stage takes seconds: a child that nobody waits for does it, and has the stage's lock until then. */
_noreturn_ static void end_by_signal(Stage *stage, int number, const sigset_t *mask) {
        if (fork() == 0) {
                int null = open("/dev/null", O_RDWR | O_CLOEXEC);

                (void) setsid();
                for (int fd = 0; fd < 3 && null >= 0; fd++)
                        (void) dup2(null, fd);
                remove_locks(stage);
                stage_done(stage);
                _exit(0);
        }
        (void) signal(number, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        (void) raise(number);
        _exit(128 + number);
}

/* The signal that ended it; 0: it has an answer, or is dead. */
static int watch(int signal_fd, int socket) {
        struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

        for (;;) {
                struct signalfd_siginfo info;

                if (RETRY_EINTR(poll(fds, ELEMENTSOF(fds), -1)) < 0)
                        return 0;
                if (fds[1].revents && read(signal_fd, &info, sizeof(info)) == sizeof(info))
                        return (int) info.ssi_signo;
                if (fds[0].revents)
                        return 0;
        }
}

int pull_guard_run(Stage *stage, int (*function)(void *data, Error *reterr), void *data, Error *reterr) {
        sigset_t set, old;
        int pair[2], r;

        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(endings); i++) {
                struct sigaction now;

                /* nohup(1) */
                if (sigaction(endings[i], NULL, &now) >= 0 && now.sa_handler != SIG_IGN)
                        (void) sigaddset(&set, endings[i]);
        }
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a pull");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1], signal_fd = -EBADF;
        (void) sigprocmask(SIG_BLOCK, &set, &old);
        signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
        pid_t pid = signal_fd < 0 ? -1 : process_fork_bound(SIGKILL);
        if (pid < 0) {
                r = error_set_errno(reterr, -errno, "cannot start a pull");
                (void) sigprocmask(SIG_SETMASK, &old, NULL);
                return r;
        }
        if (pid == 0)
                child_main(function, data, theirs, &old);
        theirs = fd_close(theirs);
        int number = watch(signal_fd, ours);
        r = number == 0 ? wire_receive_result(ours, reterr) : 0;
        if (r == -EPIPE)
                r = error_set(reterr, r, ERROR_INTERNAL, "cannot pull: the process that did was killed");
        end_all(pid);
        if (r == -EPIPE)
                remove_locks(stage);
        if (number > 0)
                end_by_signal(stage, number, &old);
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        return r;
}
