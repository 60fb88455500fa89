/* SPDX-License-Identifier: Apache-2.0 */
/* A watched container: its pipes or terminal, its recording, its end. */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "monitor/fd-store.h"
#include "monitor/monitor.h"

enum {
        READ_MAX = 256 * 1024,   /* of one stream before the others have their turn */
        DRAIN_ROUNDS = 64,       /* at the end: what a pipe holds, and some */
        PIPE_SIZE = 256 * 1024,  /* of a busy stream */
        DELAY_USEC = 2000,       /* a busy stream is read this often, and not at every line */
        PARTIAL_USEC = 250000,   /* a line that is not ended shows up after this */
        RETRY_USEC = 1000000,    /* a log that cannot be written is tried again */
        PATIENCE_USEC = 10000000, /* with a journal that takes nothing, and at the end with any log */
};

static void stream_ready(WatchStream *s);
static void check_end(Watch *w);

Watch *watch_find(const Monitor *monitor, const char *id) {
        Watch *w = monitor->watches;

        while (w && !str_equal(w->config.id, id))
                w = w->next;
        return w;
}

void watch_fds_done(WatchFds *fds) {
        for (int i = 0; i < _LOG_STREAM_MAX; i++) {
                fds->streams[i] = fd_close(fds->streams[i]);
                fds->pty_pipe[i] = fd_close(fds->pty_pipe[i]);
        }
        fds->input = fd_close(fds->input);
        fds->pidfd = fd_close(fds->pidfd);
}

/* Arms the one timer of a watch, unless it goes off earlier anyway. */
static void arm_timer(Watch *w, uint64_t usec) {
        uint64_t at = monitor_now(w->monitor) + usec, armed;
        int enabled;

        if (!w->timer)
                return;
        if (sd_event_source_get_enabled(w->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
            sd_event_source_get_time(w->timer, &armed) >= 0 && armed <= at)
                return;
        (void) sd_event_source_set_time(w->timer, at);
        (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static int on_journal_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Monitor *monitor = userdata;

        (void) fd;
        (void) revents;
        monitor->journal = sd_event_source_disable_unref(source);
        for (Watch *w = monitor->watches, *next; w; w = next) {
                next = w->next;
                if (w->journal_full) {
                        watch_flush(w);
                        check_end(w);
                }
                if (monitor->journal)
                        break; /* full again: the next round begins with the others */
        }
        return 0;
}

/* The journal's queue is full: says so when it is not. The source has a descriptor of its own, as a recorder may close
 * and open the shared one. */
static void wait_for_journal(Watch *w) {
        Monitor *monitor = w->monitor;
        uint64_t progress = w->recorder.state.batch * LOG_JOURNAL_BATCH_MAX + w->recorder.sent;

        if (!w->journal_full || progress != w->progress) {
                w->blocked_since = monitor_now(monitor);
                w->ending_since = w->ending_since ? w->blocked_since : 0; /* slow is not stuck */
        }
        w->journal_full = true;
        w->progress = progress;
        arm_timer(w, PATIENCE_USEC);
        if (monitor->journal)
                return;
        int fd = fcntl(monitor->shared.journal_fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0 || sd_event_add_io(monitor->event, &monitor->journal, fd, EPOLLOUT, on_journal_writable, monitor) < 0) {
                (void) fd_close(fd);
                arm_timer(w, DELAY_USEC); /* then by trying */
                return;
        }
        (void) sd_event_source_set_io_fd_own(monitor->journal, true);
}

static void set_paused(WatchStream *s, bool paused) {
        if (s->paused == paused || !s->io)
                return;
        s->paused = paused;
        (void) sd_event_source_set_enabled(s->io, paused ? SD_EVENT_OFF : SD_EVENT_ON);
}

static void drain(WatchStream *s, bool flush) {
        Watch *w = s->watch;
        int r = recorder_drain(&w->recorder, s->stream, flush);

        if (r == -EAGAIN) {
                wait_for_journal(w);
                return;
        }
        w->journal_full = false;
        set_paused(s, false);
        if (r < 0)
                arm_timer(w, RETRY_USEC);
        else if (recorder_pending(&w->recorder, s->stream) > 0)
                arm_timer(w, PARTIAL_USEC);
}

/* The spool takes no more. With a log that works that is over at once; a slow journal makes the writer wait; a log that
 * fails costs the older half of what waits. */
static void make_room(WatchStream *s) {
        Watch *w = s->watch;
        int r = recorder_drain(&w->recorder, s->stream, /* flush= */ true);

        if (r == -EAGAIN) {
                wait_for_journal(w);
                if (monitor_now(w->monitor) - w->blocked_since < PATIENCE_USEC) {
                        set_paused(s, true);
                        return;
                }
                r = -ETIMEDOUT;
        }
        if (r < 0) {
                recorder_drop(&w->recorder, s->stream, r);
                arm_timer(w, RETRY_USEC);
        }
        set_paused(s, false);
}

static void open_peer(Watch *w) {
        w->pty_peer = fd_close(w->pty_peer);
        if (w->pidfd >= 0 && !w->process_ended)
                w->pty_peer = ioctl(w->streams[0].fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* Terminal -> private pipe -> spool; both steps move each byte once. */
static ssize_t fill_from_terminal(WatchStream *s) {
        Watch *w = s->watch;

        ssize_t n = recorder_fill(&w->recorder, s->stream, w->pty_pipe[0], READ_MAX);
        if (n != -EAGAIN)
                return n;
        n = RETRY_EINTR(splice(s->fd, NULL, w->pty_pipe[1], NULL, READ_MAX, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
        if (n < 0 && errno == EIO && w->pidfd >= 0 && !w->process_ended) {
                open_peer(w); /* all have closed it, but somebody can open it again */
                return w->pty_peer < 0 ? 0 : -EAGAIN;
        }
        if (n <= 0)
                return n < 0 && errno != EIO ? -errno : 0;
        return recorder_fill(&w->recorder, s->stream, w->pty_pipe[0], READ_MAX);
}

static ssize_t fill(WatchStream *s) {
        return s->watch->config.terminal ? fill_from_terminal(s)
                                         : recorder_fill(&s->watch->recorder, s->stream, s->fd, READ_MAX);
}

static void end_stream(WatchStream *s) {
        s->ended = true;
        s->io = sd_event_source_disable_unref(s->io);
        s->delay = sd_event_source_disable_unref(s->delay);
}

static int on_delay(sd_event_source *source, uint64_t usec, void *userdata) {
        WatchStream *s = userdata;

        (void) source;
        (void) usec;
        if (!s->paused && s->io)
                (void) sd_event_source_set_enabled(s->io, SD_EVENT_ON);
        stream_ready(s);
        return 0;
}

/* Many small writes in a row: reading each of them would cost a wake-up a line. The pipe is made larger so that nobody
 * waits meanwhile; a writer that fills it all the same is read at once. */
static void slow_down(WatchStream *s, size_t n) {
        uint64_t now = monitor_now(s->watch->monitor), since = now - s->last_usec;

        s->last_usec = now;
        if (s->watch->config.terminal || s->paused || since >= DELAY_USEC || n >= s->capacity / 4)
                return;
        if (!s->delay) {
                if (s->capacity < PIPE_SIZE && fcntl(s->fd, F_SETPIPE_SZ, PIPE_SIZE) > 0)
                        s->capacity = PIPE_SIZE;
                if (sd_event_add_time(s->watch->monitor->event, &s->delay, CLOCK_MONOTONIC, now + DELAY_USEC, 1, on_delay,
                                      s) < 0)
                        return;
        } else {
                (void) sd_event_source_set_time(s->delay, now + DELAY_USEC);
                (void) sd_event_source_set_enabled(s->delay, SD_EVENT_ONESHOT);
        }
        (void) sd_event_source_set_enabled(s->io, SD_EVENT_OFF);
}

/* Reads once. Whether there may be more. */
static bool read_stream(WatchStream *s) {
        ssize_t n = fill(s);

        if (n == -EAGAIN)
                return false;
        if (n == -ENOBUFS) {
                make_room(s);
                return !s->paused;
        }
        if (n <= 0) {
                if (n < 0)
                        log_warning("cannot read the output of container '%s': %s", s->watch->config.id, strerror((int) -n));
                end_stream(s);
                return false;
        }
        drain(s, /* flush= */ false);
        slow_down(s, (size_t) n);
        return true;
}

static void stream_ready(WatchStream *s) {
        (void) read_stream(s);
        if (s->ended)
                check_end(s->watch);
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source;
        (void) fd;
        (void) revents;
        stream_ready(userdata);
        return 0;
}

void watch_flush(Watch *w) {
        for (unsigned i = 0; i < w->n_streams; i++)
                drain(&w->streams[i], /* flush= */ true);
}

/* Pieces of lines that waited long enough, a log to try again, a journal that took nothing for too long, an end that
 * could not be written: one look at all of them. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Watch *w = userdata;

        (void) source;
        (void) usec;
        watch_flush(w);
        for (unsigned i = 0; i < w->n_streams; i++)
                if (w->streams[i].paused)
                        make_room(&w->streams[i]);
        check_end(w);
        return 0;
}

/* The process is gone: what it wrote is in the pipes, and whoever else holds them is none of the container. */
static int on_process(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *w = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        watch_process_ended(w);
        return 0;
}

/* Reads what the pipes hold; a writer outside of the container does not keep us for ever. Whether that is all: a slow
 * journal may have to take some first. */
static bool read_the_rest(Watch *w) {
        bool all = true;

        for (unsigned i = 0; i < w->n_streams; i++) {
                WatchStream *s = &w->streams[i];

                for (unsigned k = 0; k < DRAIN_ROUNDS && !s->ended && read_stream(s); k++)
                        ;
                all = all && !s->paused;
        }
        return all;
}

/* The descriptor of a kind, -EBADF where this container has none. */
static int fd_to_store(const Watch *w, FdStoreKind kind) {
        const int fds[_FD_STORE_KIND_MAX] = {
                [FD_STORE_STDOUT] = w->config.terminal ? -EBADF : w->streams[0].fd,
                [FD_STORE_STDERR] = w->streams[1].fd,
                [FD_STORE_TERMINAL] = w->config.terminal ? w->streams[0].fd : -EBADF,
                [FD_STORE_PIPE_READ] = w->pty_pipe[0],
                [FD_STORE_PIPE_WRITE] = w->pty_pipe[1],
                [FD_STORE_STDIN] = w->config.terminal ? -EBADF : w->input_fd,
                [FD_STORE_PIDFD] = w->pidfd,
        };

        return fds[kind];
}

static void forget(Watch *w) {
        Monitor *monitor = w->monitor;

        for (int kind = 0; monitor->use_store && kind < _FD_STORE_KIND_MAX; kind++)
                if (fd_to_store(w, (FdStoreKind) kind) >= 0)
                        fd_store_remove(w->config.id, (FdStoreKind) kind);
        if (monitor->index_fd >= 0)
                (void) unlinkat(monitor->index_fd, w->config.id, 0);
}

/* Finishes if all is written, or if there was time enough to do so (`force`: there is none). */
static void finish(Watch *w, bool force) {
        Monitor *monitor = w->monitor;
        uint64_t now = monitor_now(monitor);

        w->ending_since = w->ending_since ?: now;
        int r = recorder_finish(&w->recorder, force || now - w->ending_since >= PATIENCE_USEC);
        if (r == -EAGAIN)
                wait_for_journal(w);
        if (r < 0) {
                arm_timer(w, RETRY_USEC);
                return;
        }
        _cleanup_free_ char *id = TAKE_PTR(w->config.id);
        w->config.id = strdup(id); /* freed below; the copy outlives the watch for the one who asked to know */
        (void) clients_leave(w);
        if (w->config.id)
                forget(w);
        watch_free(w);
        if (monitor->on_watch_end)
                monitor->on_watch_end(id, monitor->userdata);
}

/* Frees the watch when it has come to its end. */
static void check_end(Watch *w) {
        bool ended = true;

        for (unsigned i = 0; i < w->n_streams; i++)
                ended = ended && w->streams[i].ended;
        if (!w->process_ended && !(ended && w->pidfd < 0))
                return;
        if (w->ending_since || read_the_rest(w))
                finish(w, /* force= */ false);
}

void watch_process_ended(Watch *w) {
        w->process = sd_event_source_disable_unref(w->process);
        w->process_ended = true;
        net_watch_done(w);
        w->pty_peer = fd_close(w->pty_peer);
        check_end(w);
}

void watch_end(Watch *w) {
        w->process_ended = true;
        (void) read_the_rest(w);
        finish(w, /* force= */ true);
}

static void on_output(LogStream stream, const char *data, size_t size, void *userdata) {
        clients_output(userdata, stream, data, size);
}

void watch_count_client(Watch *w, int change) {
        w->n_clients += (unsigned) change;
        w->recorder.on_output = w->n_clients > 0 ? on_output : NULL;
        w->recorder.userdata = w;
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *w = userdata;

        (void) fd;
        (void) revents;
        w->input = sd_event_source_disable_unref(source);
        clients_input_ready(w);
        return 0;
}

ssize_t watch_input(Watch *w, const char *data, size_t size) {
        if (w->input_fd < 0)
                return -EPIPE;
        ssize_t n = RETRY_EINTR(write(w->input_fd, data, size));
        return n >= 0 ? n : errno == EAGAIN ? 0 : -errno;
}

void watch_want_input(Watch *w) {
        if (!w->input && w->input_fd >= 0)
                (void) sd_event_add_io(w->monitor->event, &w->input, w->input_fd, EPOLLOUT, on_input, w);
}

void watch_close_input(Watch *w) {
        if (w->config.terminal || w->input_fd < 0)
                return;
        w->input = sd_event_source_disable_unref(w->input);
        w->input_fd = fd_close(w->input_fd);
        if (w->monitor->use_store)
                fd_store_remove(w->config.id, FD_STORE_STDIN);
}

void watch_free(Watch *w) {
        Monitor *monitor = w->monitor;

        for (Watch **p = &monitor->watches; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        monitor->n_watches--;
                        break;
                }
        for (int i = 0; i < _LOG_STREAM_MAX; i++) {
                end_stream(&w->streams[i]);
                w->streams[i].fd = fd_close(w->streams[i].fd);
                w->pty_pipe[i] = fd_close(w->pty_pipe[i]);
        }
        net_watch_done(w);
        (void) sd_event_source_disable_unref(w->process);
        (void) sd_event_source_disable_unref(w->timer);
        (void) sd_event_source_disable_unref(w->input);
        (void) fd_close(w->pty_peer);
        (void) fd_close(w->input_fd);
        (void) fd_close(w->pidfd);
        recorder_done(&w->recorder);
        monitor_config_done(&w->config);
        free(w);
}

static int check_stream_fd(int fd, bool terminal) {
        struct stat st;
        unsigned number;

        if (terminal)
                return ioctl(fd, TIOCGPTN, &number) < 0 ? -errno : 0;
        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISFIFO(st.st_mode) ? 0 : -EINVAL;
}

static int set_nonblocking(int fd) {
        int flags = fcntl(fd, F_GETFL);

        return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* Takes the descriptors over, as far as they are what they should be. */
static int take_fds(Watch *w, WatchFds *fds) {
        bool terminal = w->config.terminal;

        for (unsigned i = 0; i < w->n_streams; i++) {
                int r = check_stream_fd(fds->streams[i], terminal);
                if (r < 0)
                        return r;
                w->streams[i].fd = TAKE_FD(fds->streams[i]);
                w->streams[i].capacity = terminal ? 0 : (size_t) MAX(fcntl(w->streams[i].fd, F_GETPIPE_SZ), 4096);
        }
        w->pidfd = TAKE_FD(fds->pidfd);
        w->input_fd = terminal ? fcntl(w->streams[0].fd, F_DUPFD_CLOEXEC, 3) : TAKE_FD(fds->input);
        if (w->input_fd >= 0) {
                int r = check_stream_fd(w->input_fd, terminal);
                r = r < 0 ? r : set_nonblocking(w->input_fd);
                if (r < 0)
                        return r;
        }
        if (!terminal)
                return 0;
        if (fds->pty_pipe[0] < 0 && pipe2(fds->pty_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        w->pty_pipe[0] = TAKE_FD(fds->pty_pipe[0]);
        w->pty_pipe[1] = TAKE_FD(fds->pty_pipe[1]);
        open_peer(w);
        return 0;
}

/* Everything that must outlive us goes to systemd before anything is read. */
static int store_fds(const Watch *w) {
        for (int kind = 0; kind < _FD_STORE_KIND_MAX; kind++) {
                int fd = fd_to_store(w, (FdStoreKind) kind);
                int r = fd >= 0 ? fd_store_put(w->config.id, (FdStoreKind) kind, fd) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_sources(Watch *w) {
        sd_event *event = w->monitor->event;
        int r = sd_event_add_time(event, &w->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, w);

        if (r >= 0)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        for (unsigned i = 0; r >= 0 && i < w->n_streams; i++)
                r = sd_event_add_io(event, &w->streams[i].io, w->streams[i].fd, EPOLLIN, on_stream, &w->streams[i]);
        if (r >= 0 && w->pidfd >= 0)
                r = sd_event_add_io(event, &w->process, w->pidfd, EPOLLIN, on_process, w);
        /* what an earlier life left in the spools has no event of its own */
        for (unsigned i = 0; r >= 0 && i < w->n_streams; i++)
                if (recorder_pending(&w->recorder, w->streams[i].stream) > 0)
                        arm_timer(w, 0);
        return r;
}

static int set_up(Watch *w, WatchFds *fds, bool resume, Error *reterr) {
        _cleanup_fd_ int dir_fd = open(w->config.runtime_dir, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (dir_fd < 0 || fstat(dir_fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open runtime directory '%s'", w->config.runtime_dir);
        if (st.st_uid != w->monitor->uid || (st.st_mode & 022))
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use runtime directory '%s': others can write to it",
                                 w->config.runtime_dir);
        int r = take_fds(w, fds);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot watch '%s': not the descriptors of a container", w->config.id);
        r = (resume ? recorder_resume : recorder_begin)(&w->recorder, &w->monitor->shared, &w->config, dir_fd, reterr);
        if (r < 0)
                return r;
        if (!resume && w->monitor->index_fd >= 0) {
                (void) unlinkat(w->monitor->index_fd, w->config.id, 0);
                if (symlinkat(w->config.runtime_dir, w->monitor->index_fd, w->config.id) < 0)
                        return error_set_errno(reterr, -errno, "cannot list container '%s'", w->config.id);
        }
        r = resume || !w->monitor->use_store ? 0 : store_fds(w);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hand descriptors of '%s' to systemd", w->config.id);
        r = add_sources(w);
        return r < 0 ? error_set_errno(reterr, r, "cannot watch '%s'", w->config.id) : 0;
}

int watch_add(Monitor *monitor, MonitorConfig *config, WatchFds *fds, bool resume, Error *reterr) {
        Watch *w = calloc(1, sizeof(*w));

        if (!w) {
                watch_fds_done(fds);
                return error_oom(reterr);
        }
        w->monitor = monitor;
        w->config = *config;
        *config = (MonitorConfig){};
        w->recorder = RECORDER_NULL;
        w->n_streams = w->config.terminal ? 1 : 2;
        w->pty_peer = w->input_fd = w->pidfd = -EBADF;
        for (int i = 0; i < _LOG_STREAM_MAX; i++) {
                w->streams[i] = (WatchStream){ .watch = w, .stream = (LogStream) i, .fd = -EBADF };
                w->pty_pipe[i] = -EBADF;
        }
        w->next = monitor->watches;
        monitor->watches = w;
        monitor->n_watches++;
        int r = set_up(w, fds, resume, reterr);
        watch_fds_done(fds);
        if (r < 0) {
                forget(w);
                watch_free(w);
                return r;
        }
        clients_adopt(w);
        net_watch_begin(w, resume);
        return 0;
}
