/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of sdpod-bypass.
 *
 * Theory of operation: one thread; no question is waited for. What takes time, a blocking connect(2), is kept as a wait: the socket, which is
 * the caller's already, is watched until it is connected or not. A caller that a signal has interrupted asks again (its socket is one
 * of ours then) or not at all; its first wait finds that nobody waits. */
#include "net/bypass-loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/time.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0) /* Linux 6.6 */
#endif

enum {
        SOURCES_MAX = 4096, /* listeners and waits; what is beyond stays inside, or is not served */
        EVENTS_MAX = 32,
};

typedef enum SourceKind {
        SOURCE_INIT,
        SOURCE_DOOR,     /* where new ones come in */
        SOURCE_GUEST,    /* somebody who came in and has not spoken yet */
        SOURCE_LISTENER,
        SOURCE_WAIT,
} SourceKind;

typedef struct Source Source;
struct Source {
        SourceKind kind;
        int fd;
        bool dead;               /* freed at the end of the round: an event of it may still be in the list */
        BypassListener listener; /* SOURCE_LISTENER */
        Source *of;              /* SOURCE_WAIT: the listener's */
        uint64_t id;
        int64_t deadline_usec;   /* CLOCK_MONOTONIC; 0: none */
        Source *next;
};

typedef struct Loop {
        const BypassHost *host;
        int epoll_fd;
        Source *sources;
        size_t n_sources;
        bool ended;
} Loop;

static Source *add_source(Loop *loop, SourceKind kind, int fd, uint32_t events) {
        Source *source = loop->n_sources < SOURCES_MAX ? calloc(1, sizeof(*source)) : NULL;
        struct epoll_event event = { .events = events, .data.ptr = source };

        if (!source)
                return NULL;
        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
                free(source);
                return NULL;
        }
        *source = (Source){ .kind = kind, .fd = fd, .listener = { .fd = -EBADF, .route_fd = -EBADF }, .next = loop->sources };
        loop->sources = source;
        loop->n_sources++;
        return source;
}

static void bury(Loop *loop, Source *source) {
        if (source->dead)
                return;
        source->dead = true;
        (void) epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
        source->fd = fd_close(source->fd);
        source->listener.route_fd = fd_close(source->listener.route_fd);
        for (Source *s = loop->sources; s; s = s->next)
                if (s->of == source)
                        bury(loop, s);
}

static void free_dead(Loop *loop) {
        for (Source **p = &loop->sources; *p;) {
                Source *s = *p;

                if (!s->dead) {
                        p = &s->next;
                        continue;
                }
                *p = s->next;
                free(s);
                loop->n_sources--;
        }
}

static void reply(const BypassListener *listener, uint64_t id, const BypassAnswer *answer) {
        struct seccomp_notif_resp response = { .id = id };

        if (answer->verdict == BYPASS_CONTINUE)
                response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else
                response.error = answer->error;
        (void) ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_SEND, &response); /* ENOENT: nobody waits any more */
}

/* Waits whose callers were interrupted, or ended. */
static void sweep_waits(Loop *loop) {
        for (Source *s = loop->sources; s; s = s->next)
                if (s->kind == SOURCE_WAIT && !s->dead && !bypass_is_waiting(&s->of->listener, s->id))
                        bury(loop, s);
}

static void begin_wait(Loop *loop, Source *of, uint64_t id, BypassAnswer *answer) {
        if (loop->n_sources >= SOURCES_MAX / 2)
                sweep_waits(loop);
        Source *wait = add_source(loop, SOURCE_WAIT, answer->fd, EPOLLOUT);
        if (!wait) { /* as if a signal had come: the socket goes on connecting */
                const BypassAnswer interrupted = { .verdict = BYPASS_RETURN, .error = -EINTR };

                (void) fd_close(answer->fd);
                reply(&of->listener, id, &interrupted);
                return;
        }
        wait->of = of;
        wait->id = id;
        wait->deadline_usec = answer->timeout_usec > 0 ? time_monotonic_usec() + answer->timeout_usec : 0;
}

static void on_wait(Loop *loop, Source *wait, bool timeout) {
        BypassAnswer answer = { .verdict = BYPASS_RETURN, .error = -EINPROGRESS };

        if (bypass_is_waiting(&wait->of->listener, wait->id)) {
                if (!timeout)
                        answer.error = bypass_connect_finish(wait->fd);
                reply(&wait->of->listener, wait->id, &answer);
        }
        bury(loop, wait);
}

static void on_listener(Loop *loop, Source *source, uint32_t events) {
        struct seccomp_notif request;
        BypassAnswer answer;

        if (!(events & EPOLLIN)) { /* EPOLLHUP: no process has the filter any more */
                bury(loop, source);
                return;
        }
        memset(&request, 0, sizeof(request));
        if (ioctl(source->fd, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
                if (errno != ENOENT && errno != EINTR)
                        bury(loop, source);
                return;
        }
        bypass_connect_answer(loop->host, &source->listener, &request, &answer);
        if (answer.verdict == BYPASS_WAIT)
                begin_wait(loop, source, request.id, &answer);
        else if (answer.verdict != BYPASS_GONE)
                reply(&source->listener, request.id, &answer);
}

static void on_door(Loop *loop, const Source *door) {
        _cleanup_fd_ int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0 && add_source(loop, SOURCE_GUEST, fd, EPOLLIN))
                TAKE_FD(fd);
}

static void on_guest(Loop *loop, Source *guest) {
        int fds[2] = { -EBADF, -EBADF };
        size_t n_fds = ELEMENTSOF(fds);
        uint64_t cookie;
        char byte;

        ssize_t n = io_receive_fds(guest->fd, &byte, sizeof(byte), fds, &n_fds);
        if (n == -EAGAIN)
                return;
        bury(loop, guest);
        _cleanup_fd_ int listener_fd = n == 1 && n_fds > 0 ? fds[0] : -EBADF, route_fd = n == 1 && n_fds > 1 ? fds[1] : -EBADF;
        if (listener_fd < 0 || route_fd < 0 || bypass_socket_cookie(route_fd, &cookie) < 0)
                return;
        Source *source = add_source(loop, SOURCE_LISTENER, listener_fd, EPOLLIN);
        if (!source)
                return;
        (void) ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
        source->listener = (BypassListener){ .fd = TAKE_FD(listener_fd), .route_fd = TAKE_FD(route_fd), .cookie = cookie };
}

static void dispatch(Loop *loop, Source *source, uint32_t events) {
        if (source->dead)
                return;
        switch (source->kind) {
        case SOURCE_INIT:
                loop->ended = true;
                break;
        case SOURCE_DOOR:
                on_door(loop, source);
                break;
        case SOURCE_GUEST:
                on_guest(loop, source);
                break;
        case SOURCE_LISTENER:
                on_listener(loop, source, events);
                break;
        case SOURCE_WAIT:
                on_wait(loop, source, /* timeout= */ false);
                break;
        }
}

/* Milliseconds until the first deadline, at least one; -1: there is none. Ends the waits whose time is over. */
static int run_deadlines(Loop *loop) {
        int64_t first = 0, now = 0;

        for (Source *s = loop->sources; s; s = s->next) {
                if (s->dead || s->deadline_usec == 0)
                        continue;
                now = now ?: time_monotonic_usec();
                if (s->deadline_usec <= now)
                        on_wait(loop, s, /* timeout= */ true);
                else if (first == 0 || s->deadline_usec < first)
                        first = s->deadline_usec;
        }
        if (first == 0)
                return -1;
        int64_t msec = (first - now + 999) / 1000;
        return (int) MIN(msec, (int64_t) INT32_MAX);
}

static void loop_done(Loop *loop) {
        for (Source *s = loop->sources; s; s = s->next)
                if (s->kind != SOURCE_INIT && s->kind != SOURCE_DOOR)
                        bury(loop, s);
                else
                        s->dead = true;
        free_dead(loop);
        (void) fd_close(loop->epoll_fd);
}

int bypass_loop_run(const BypassHost *host, int listen_fd, int init_pidfd) {
        _cleanup_(loop_done) Loop loop = { .host = host, .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };

        if (loop.epoll_fd < 0)
                return -errno;
        if (!add_source(&loop, SOURCE_INIT, init_pidfd, EPOLLIN) || !add_source(&loop, SOURCE_DOOR, listen_fd, EPOLLIN))
                return -ENOMEM;
        while (!loop.ended) {
                struct epoll_event events[EVENTS_MAX];
                int n = epoll_wait(loop.epoll_fd, events, EVENTS_MAX, run_deadlines(&loop));

                if (n < 0 && errno != EINTR)
                        return -errno;
                for (int i = 0; i < n && !loop.ended; i++)
                        dispatch(&loop, events[i].data.ptr, events[i].events);
                free_dead(&loop);
        }
        return 0;
}
