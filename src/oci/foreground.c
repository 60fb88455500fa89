/* SPDX-License-Identifier: Apache-2.0 */
/* A process of a container in the foreground. */
#include "oci/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "oci/notify-socket.h"

/* Those that say something about ourselves, or stop us as the shell's job, stay ours. */
static void signals_of_process(sigset_t *set) {
        static const int ours[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGPROF };

        (void) sigfillset(set);
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                (void) sigdelset(set, ours[i]);
}

void foreground_size(uint64_t *height, uint64_t *width) {
        struct winsize size;

        if (*height > 0 || *width > 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
                return;
        *height = size.ws_row;
        *width = size.ws_col;
}

static void pass_size(const Foreground *f) {
        struct winsize size;

        if (f->console_fd >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(f->console_fd, TIOCSWINSZ, &size);
}

/* Line ends stay as our own terminal makes them: the container's side leaves them alone. */
static int make_raw(Foreground *f, Error *reterr) {
        struct termios mode;

        if (!isatty(STDIN_FILENO))
                return 0;
        if (tcgetattr(STDIN_FILENO, &f->old_mode) < 0)
                return error_set_errno(reterr, -errno, "cannot read the mode of the terminal");
        mode = f->old_mode;
        cfmakeraw(&mode);
        mode.c_oflag |= f->old_mode.c_oflag & OPOST;
        if (tcsetattr(STDIN_FILENO, TCSANOW, &mode) < 0)
                return error_set_errno(reterr, -errno, "cannot set the mode of the terminal");
        f->is_raw = true;
        return 0;
}

int foreground_prepare(Foreground *f, pid_t pid, int console_fd, Error *reterr) {
        sigset_t set;

        f->pid = pid;
        f->console_fd = console_fd;
        signals_of_process(&set);
        if (sigprocmask(SIG_BLOCK, &set, &f->old_mask) < 0)
                return error_set_errno(reterr, -errno, "cannot block signals");
        f->has_mask = true;
        f->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (f->signal_fd < 0)
                return error_set_errno(reterr, -errno, "cannot wait for signals");
        f->in = (Flow){ .from = STDIN_FILENO, .to = console_fd, .ended = console_fd < 0 };
        f->out = (Flow){ .from = console_fd, .to = STDOUT_FILENO, .ended = console_fd < 0 };
        if (console_fd < 0)
                return 0;
        pass_size(f);
        return make_raw(f, reterr);
}

void foreground_done(Foreground *f) {
        if (f->is_raw)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &f->old_mode);
        f->signal_fd = fd_close(f->signal_fd);
        if (f->has_mask)
                (void) sigprocmask(SIG_SETMASK, &f->old_mask, NULL);
        *f = FOREGROUND_NULL;
}

/* Takes all children that have ended; 1: the process is one of them. */
static int reap(const Foreground *f, int *ret_status) {
        int status, found = 0;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == f->pid) {
                        *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
                        found = 1;
                }
        return found;
}

static int take_signals(const Foreground *f, int *ret_status) {
        struct signalfd_siginfo info;
        bool child = false;

        while (read(f->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo == SIGCHLD)
                        child = true;
                else if (info.ssi_signo == SIGWINCH && f->console_fd >= 0)
                        pass_size(f);
                else if (info.ssi_signo != SIGPIPE)
                        (void) kill(f->pid, (int) info.ssi_signo);
        }
        return child ? reap(f, ret_status) : 0;
}

/* Waits for room where there is something to write, for something to read else. */
static struct pollfd flow_poll(const Flow *flow) {
        if (flow->start < flow->end)
                return (struct pollfd){ .fd = flow->to, .events = POLLOUT };
        return (struct pollfd){ .fd = flow->ended ? -1 : flow->from, .events = POLLIN };
}

static void flow_move(Flow *flow, short revents) {
        ssize_t n;

        if (!revents)
                return;
        if (flow->start < flow->end) {
                n = write(flow->to, flow->buffer + flow->start, flow->end - flow->start);
                if (n > 0)
                        flow->start += (size_t) n;
                else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                        flow->start = flow->end; /* nobody takes it any more */
                        flow->ended = true;
                }
                return;
        }
        n = read(flow->from, flow->buffer, sizeof(flow->buffer));
        flow->start = 0;
        flow->end = n > 0 ? (size_t) n : 0;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                flow->ended = true; /* EIO: nobody has the other side of the terminal open */
}

/* What the process wrote before it ended. Whoever else has the terminal open may go on for ever, and is not waited for. */
static void drain(Flow *out) {
        struct pollfd fd;

        if (out->from < 0)
                return;
        for (fd = flow_poll(out); fd.fd >= 0 && poll(&fd, 1, fd.events == POLLOUT ? -1 : 0) > 0; fd = flow_poll(out))
                flow_move(out, fd.revents);
}

int foreground_run(Foreground *f, int *ret_status, Error *reterr) {
        int ended = reap(f, ret_status);

        while (!ended) {
                struct pollfd fds[] = {
                        { .fd = f->signal_fd, .events = POLLIN }, flow_poll(&f->in), flow_poll(&f->out),
                        { .fd = f->notify_fd, .events = POLLIN },
                };

                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the container's process");
                flow_move(&f->in, fds[1].revents);
                flow_move(&f->out, fds[2].revents);
                if (fds[3].revents && notify_socket_take(f->notify_fd, /* main_pid= */ 0) > 0)
                        f->notify_fd = -EBADF;
                if (fds[0].revents)
                        ended = take_signals(f, ret_status);
        }
        drain(&f->out);
        return 0;
}
