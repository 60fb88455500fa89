/* SPDX-License-Identifier: Apache-2.0 */
/* Moves bytes and signals between our standard streams and a process. */
#include "engine/relay.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/client.h"

enum { BUFFER_SIZE = 65536, TYPED_SIZE = 4096 }; /* a buffer takes what is typed and all keys held back before */

typedef enum Slot { SLOT_SIGNAL, SLOT_PROCESS, SLOT_STDIN, SLOT_STDIN_TO, SLOT_OUT, SLOT_ERR, SLOT_OUT_TO, SLOT_ERR_TO, SLOT_EVENTS, SLOT_HELPER, _SLOT_MAX } Slot;

/* Output that was read and not yet written. */
typedef struct Outlet {
        char *data;
        size_t n, at;
} Outlet;

typedef struct Loop {
        Relay *relay;
        int signal_fd;
        bool stdin_open, ended, abandoned;
        bool at_terminal;    /* standard input was one at the beginning */
        bool is_raw;         /* and passes all keys on */
        struct termios raw;
        char *pending;       /* of stdin, not yet taken by the process */
        size_t n_pending, pending_at;
        size_t n_keys;       /* how many of the keys to detach by were typed last */
        bool events_off;
        unsigned char header[MONITOR_FRAME_HEADER];
        size_t n_header, n_frame; /* what was read of a frame's head, what is left of its body */
        int frame_stream;
        Outlet out, err;
} Loop;

int relay_block_signals(bool sig_proxy, int *ret_signal_fd, Error *reterr) {
        static const int kept[] = { SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGURG };
        sigset_t set;

        if (sig_proxy) {
                (void) sigfillset(&set);
                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        (void) sigdelset(&set, kept[i]);
        } else {
                (void) sigemptyset(&set);
                (void) sigaddset(&set, SIGWINCH);
                (void) sigaddset(&set, SIGCONT);
                (void) sigaddset(&set, SIGPIPE);
        }
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot take over the signals");
        int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot take over the signals");
        *ret_signal_fd = fd;
        return 0;
}

static void pass_window_size(const Relay *relay) {
        struct winsize size;

        if (relay->console_fd < 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
                return;
        if (relay->resized)
                relay->resized(relay->data, size.ws_row, size.ws_col);
        else
                (void) ioctl(relay->console_fd, TIOCSWINSZ, &size); /* a size that cannot be set changes nothing */
}

static bool can_detach(const Relay *relay) {
        return relay->console_fd >= 0 && relay->detach_keys && *relay->detach_keys;
}

/* A shell that we were stopped in front of has given the terminal its own modes; where it lets us go on in the background, the
 * terminal is not ours to change. */
static void resume_terminal(const Loop *loop) {
        if (loop->is_raw && tcgetpgrp(STDIN_FILENO) == getpgrp())
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &loop->raw);
}

static void pass_signals(Loop *loop) {
        struct signalfd_siginfo info;

        while (read(loop->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                int signal = (int) info.ssi_signo;

                /* nobody is left to pass it to, only a reader to wait for */
                if (loop->ended && (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT))
                        loop->abandoned = true;
                if (signal == SIGWINCH)
                        pass_window_size(loop->relay);
                if (signal == SIGCONT)
                        resume_terminal(loop);
                if (signal == SIGHUP && loop->at_terminal && can_detach(loop->relay))
                        continue; /* standard input says it, too */
                if (loop->relay->sig_proxy && signal != SIGPIPE && (signal != SIGWINCH || loop->relay->console_fd < 0))
                        (void) process_signal(loop->relay->pidfd, signal); /* it may have ended */
        }
}

/* Writes what can be written without waiting: a pipe that poll(2) calls writable takes PIPE_BUF bytes at once (pipe(7)). A
 * reader of ours that does not read must not keep us from passing signals on. */
static void write_output(RelayStream *stream, Outlet *outlet, int *from) {
        size_t size = MIN(outlet->n, (size_t) PIPE_BUF);
        ssize_t n = RETRY_EINTR(write(stream->to, outlet->data + outlet->at, size));

        if (n >= 0) {
                outlet->at += (size_t) n;
                outlet->n -= (size_t) n;
                return;
        }
        if (errno == EAGAIN)
                return;
        /* a reader that went away, a full disk: the process is told by the same means as without us, and can end. Thrown away
         * is the output of who closed the descriptor before we began. */
        if (errno != EPIPE && errno != EBADF)
                log_warning("cannot write the container's output: %m");
        if (errno != EBADF && from)
                *from = fd_close(*from);
        stream->to = -EBADF;
        outlet->n = 0;
}

/* From the process to us. Closes the stream at its end (EIO: the other side of a terminal is closed, tty(4)). */
static void read_output(RelayStream *stream, Outlet *outlet, int *from, int number) {
        ssize_t n = RETRY_EINTR(read(*from, outlet->data, BUFFER_SIZE));

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                *from = fd_close(*from);
                return;
        }
        if (stream->tee)
                (void) stream->tee(stream->tee_data, number, outlet->data, (size_t) n);
        outlet->at = 0;
        outlet->n = stream->to >= 0 ? (size_t) n : 0;
}

/* From the monitor to us: heads and bodies of frames. Only called when both outlets are empty. */
static void read_frames(Loop *loop) {
        Relay *relay = loop->relay;
        bool head = loop->n_frame == 0;
        Outlet *outlet = loop->frame_stream == 2 ? &loop->err : &loop->out;
        char *to = head ? (char *) loop->header + loop->n_header : outlet->data;
        size_t size = head ? sizeof(loop->header) - loop->n_header : MIN(loop->n_frame, (size_t) BUFFER_SIZE);
        ssize_t n = RETRY_EINTR(read(relay->out.from, to, size));

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                relay->out.from = fd_close(relay->out.from);
                return;
        }
        if (!head) {
                loop->n_frame -= (size_t) n;
                outlet->at = 0;
                outlet->n = (loop->frame_stream == 2 ? relay->err.to : relay->out.to) >= 0 ? (size_t) n : 0;
                return;
        }
        loop->n_header += (size_t) n;
        if (loop->n_header < sizeof(loop->header))
                return;
        loop->n_header = 0;
        if (monitor_frame_parse(loop->header, &loop->frame_stream, &loop->n_frame) < 0)
                relay->out.from = fd_close(relay->out.from);
}

static int *stdin_target(Relay *relay) {
        return relay->console_fd >= 0 ? &relay->console_fd : &relay->stdin_to;
}

/* Takes the keys to detach by out of what was typed: a beginning of them is held back until it is known whether the rest
 * follows. `to` has room for what was held back before, too. Returns how much is for the process. */
static size_t sift_keys(Loop *loop, const char *typed, size_t n, char *to) {
        const char *keys = loop->relay->detach_keys;
        size_t n_out = 0;

        for (size_t i = 0; i < n && !loop->relay->detached; i++) {
                if (typed[i] != keys[loop->n_keys] && loop->n_keys > 0) {
                        memcpy(to + n_out, keys, loop->n_keys);
                        n_out += loop->n_keys;
                        loop->n_keys = 0;
                }
                if (typed[i] == keys[loop->n_keys])
                        loop->relay->detached = !keys[++loop->n_keys];
                else
                        to[n_out++] = typed[i];
        }
        return n_out;
}

static void read_stdin(Loop *loop) {
        bool sifts = can_detach(loop->relay);
        char typed[TYPED_SIZE];
        ssize_t n = RETRY_EINTR(read(STDIN_FILENO, sifts ? typed : loop->pending, sifts ? sizeof(typed) : BUFFER_SIZE));

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                loop->stdin_open = false;
                loop->relay->detached = sifts && loop->at_terminal; /* a terminal that is gone leaves the container running, as the keys do */
                (void) shutdown(loop->relay->stdin_to, SHUT_WR); /* one that is a socket may have other descriptors */
                loop->relay->stdin_to = fd_close(loop->relay->stdin_to);
                return;
        }
        loop->n_pending = sifts ? sift_keys(loop, typed, (size_t) n, loop->pending) : (size_t) n;
        loop->pending_at = 0;
}

static void write_stdin(Loop *loop) {
        int *target = stdin_target(loop->relay);
        ssize_t n = RETRY_EINTR(write(*target, loop->pending + loop->pending_at, loop->n_pending));

        if (n < 0 && errno == EAGAIN)
                return;
        if (n < 0) { /* it closed its stdin: what we have for it has nowhere to go */
                loop->n_pending = 0;
                loop->stdin_open = false;
                loop->relay->stdin_to = fd_close(loop->relay->stdin_to);
                return;
        }
        loop->pending_at += (size_t) n;
        loop->n_pending -= (size_t) n;
}

static void fill_slots(Loop *loop, struct pollfd *slots) {
        Relay *relay = loop->relay;

        slots[SLOT_SIGNAL] = (struct pollfd){ .fd = loop->signal_fd, .events = POLLIN };
        slots[SLOT_PROCESS] = (struct pollfd){ .fd = loop->ended ? -1 : relay->pidfd, .events = POLLIN };
        slots[SLOT_STDIN] = (struct pollfd){ .fd = loop->stdin_open && loop->n_pending == 0 && !loop->ended ? STDIN_FILENO : -1,
                                             .events = POLLIN };
        slots[SLOT_STDIN_TO] = (struct pollfd){ .fd = loop->n_pending > 0 ? *stdin_target(relay) : -1, .events = POLLOUT };
        int out_from = relay->console_fd >= 0 ? relay->console_fd : relay->out.from;
        int err_from = relay->console_fd >= 0 ? -1 : relay->err.from;
        bool out_full = loop->out.n > 0 || (relay->framed && loop->err.n > 0);
        slots[SLOT_OUT] = (struct pollfd){ .fd = out_full ? -1 : out_from, .events = POLLIN };
        slots[SLOT_ERR] = (struct pollfd){ .fd = loop->err.n > 0 ? -1 : err_from, .events = POLLIN };
        slots[SLOT_OUT_TO] = (struct pollfd){ .fd = loop->out.n > 0 ? relay->out.to : -1, .events = POLLOUT };
        slots[SLOT_ERR_TO] = (struct pollfd){ .fd = loop->err.n > 0 ? relay->err.to : -1, .events = POLLOUT };
        slots[SLOT_EVENTS] = (struct pollfd){ .fd = relay->event && !loop->events_off ? relay->events_fd : -1,
                                              .events = relay->events };
        slots[SLOT_HELPER] = (struct pollfd){ .fd = relay->helper_ended && !loop->ended ? relay->helper_fd : -1, .events = POLLIN };
        for (size_t i = 0; i < _SLOT_MAX; i++)
                if (slots[i].fd < 0)
                        slots[i].fd = -1;
}

static bool has_output(const Loop *loop) {
        return loop->out.n > 0 || loop->err.n > 0;
}

static bool is_done(const Loop *loop) {
        const Relay *relay = loop->relay;
        bool closed = relay->console_fd < 0 && relay->out.from < 0 && relay->err.from < 0;

        if (relay->detached) /* what was typed before the keys has had its chance */
                return true;
        return loop->abandoned || ((loop->ended || relay->ends_with_output) && closed && !has_output(loop));
}

static void handle(Loop *loop, const struct pollfd *slots) {
        Relay *relay = loop->relay;
        int *out_from = relay->console_fd >= 0 ? &relay->console_fd : &relay->out.from;

        if (slots[SLOT_PROCESS].revents) {
                loop->ended = true;
                if (relay->ended)
                        relay->ended(relay->ended_data);
        }
        /* with the end first of all, as what there is to learn may go soon after */
        if (slots[SLOT_EVENTS].revents || (slots[SLOT_PROCESS].revents && relay->event && !loop->events_off))
                loop->events_off = !relay->event(relay->data);
        if (slots[SLOT_HELPER].revents && !loop->ended) {
                (void) fd_close(relay->helper_fd);
                relay->helper_fd = relay->helper_ended(relay->helper_data);
        }
        if (slots[SLOT_SIGNAL].revents)
                pass_signals(loop);
        if (slots[SLOT_STDIN].revents)
                read_stdin(loop);
        if (relay->detached && loop->n_pending > 0)
                write_stdin(loop);
        if (slots[SLOT_STDIN_TO].revents)
                write_stdin(loop);
        if (slots[SLOT_ERR_TO].revents)
                write_output(&relay->err, &loop->err, relay->framed ? NULL : &relay->err.from);
        if (slots[SLOT_OUT_TO].revents)
                write_output(&relay->out, &loop->out, relay->framed ? NULL : out_from);
        if (slots[SLOT_ERR].revents)
                read_output(&relay->err, &loop->err, &relay->err.from, 2);
        if (slots[SLOT_OUT].revents && relay->framed)
                read_frames(loop);
        else if (slots[SLOT_OUT].revents)
                read_output(&relay->out, &loop->out, out_from, 1);
}

static int loop_run(Loop *loop, Error *reterr) {
        while (!is_done(loop)) {
                struct pollfd slots[_SLOT_MAX];
                bool only_drains = loop->ended && loop->relay->drain_only_until_end && !has_output(loop);

                fill_slots(loop, slots);
                long ready = RETRY_EINTR(poll(slots, _SLOT_MAX, only_drains ? 0 : -1));
                if (ready < 0)
                        return error_set_errno(reterr, -errno, "cannot wait for the container");
                if (ready == 0)
                        return 0; /* ended, and nothing is left to read */
                handle(loop, slots);
        }
        return 0;
}

static void set_nonblocking(int fd) {
        int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

        if (flags >= 0)
                (void) fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* a blocking write is slower, not wrong */
}

int relay_run(Relay *relay, int signal_fd, Error *reterr) {
        _cleanup_free_ char *out = malloc(BUFFER_SIZE), *err = malloc(BUFFER_SIZE), *pending = malloc(BUFFER_SIZE);
        Loop loop = { .relay = relay, .signal_fd = signal_fd, .stdin_open = relay->open_stdin, .pending = pending,
                      .at_terminal = isatty(STDIN_FILENO),
                      .out = { .data = out }, .err = { .data = err } };
        struct termios before;

        if (!out || !err || !pending)
                return error_oom(reterr);
        set_nonblocking(relay->stdin_to);
        set_nonblocking(relay->console_fd);
        if (relay->console_fd >= 0) {
                pass_window_size(relay);
                if (relay->open_stdin && tcgetattr(STDIN_FILENO, &before) == 0) {
                        loop.raw = before;
                        cfmakeraw(&loop.raw);
                        loop.is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &loop.raw) == 0;
                }
        }
        int r = loop_run(&loop, reterr);
        if (loop.is_raw)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
        if (!relay->detached)
                relay_done(relay);
        return r;
}

void relay_done(Relay *relay) {
        relay->stdin_to = fd_close(relay->stdin_to);
        relay->console_fd = fd_close(relay->console_fd);
        relay->out.from = fd_close(relay->out.from);
        relay->err.from = fd_close(relay->err.from);
        if (relay->helper_ended)
                relay->helper_fd = fd_close(relay->helper_fd);
}
