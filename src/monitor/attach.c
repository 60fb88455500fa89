/* SPDX-License-Identifier: Apache-2.0 */
/* Attached clients: each has a bounded buffer; one that does not read misses output, and nobody waits for it. */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "monitor/monitor.h"

enum {
        FRAME_HEADER = 8,
        INPUT_SIZE = 16 * 1024,
        OUT_ROOM_MIN = 4096,
};

static void update(Client *c) {
        uint32_t events = 0;

        if (c->out_size > 0)
                events |= EPOLLOUT;
        if (c->wants_stdin && c->watch && c->in_size == 0 && !c->input_ended)
                events |= EPOLLIN;
        /* a hang-up is always reported: not wanted again while the container has to take input first */
        (void) sd_event_source_set_io_events(c->io, events);
        (void) sd_event_source_set_enabled(c->io, c->hung_up && c->in_size > 0 ? SD_EVENT_OFF : SD_EVENT_ON);
}

void client_free(Client *c) {
        Monitor *monitor = c->monitor;

        for (Client **p = &monitor->clients; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        monitor->n_clients--;
                        break;
                }
        if (c->watch)
                watch_count_client(c->watch, -1);
        (void) sd_event_source_disable_unref(c->io);
        (void) fd_close(c->fd);
        free(c->waits_for);
        free(c->out);
        free(c->in);
        free(c);
}

/* Keeps a copy of what the socket did not take; false where it does not fit. */
static bool keep(Client *c, const char *data, size_t size) {
        size_t room = MAX(c->out_room, (size_t) OUT_ROOM_MIN);

        if (c->out_size + size > MONITOR_CLIENT_BUFFER_MAX)
                return false;
        if (c->out_start > 0) {
                memmove(c->out, c->out + c->out_start, c->out_size);
                c->out_start = 0;
        }
        while (room < c->out_size + size)
                room *= 2;
        if (room > c->out_room) {
                char *grown = realloc(c->out, room);

                if (!grown)
                        return false;
                c->out = grown;
                c->out_room = room;
        }
        memcpy(c->out + c->out_size, data, size);
        c->out_size += size;
        return true;
}

/* Sends one frame, or without framing the bytes; what is left over is kept, so that a frame is whole or not there. */
static void send_frame(Client *c, LogStream stream, const char *data, size_t size) {
        unsigned char header[FRAME_HEADER] = { stream == LOG_STDERR ? 2 : 1 };
        uint32_t be_size = htobe32((uint32_t) size);
        size_t n_header = c->framed ? sizeof(header) : 0, sent = 0;
        struct iovec iov[2] = { { header, n_header }, { (void *) data, size } };
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };

        memcpy(header + 4, &be_size, sizeof(be_size));
        if (c->out_size + n_header + size > MONITOR_CLIENT_BUFFER_MAX) {
                c->skipped += size;
                return;
        }
        if (c->out_size == 0) {
                ssize_t n = RETRY_EINTR(sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
                sent = n > 0 ? (size_t) n : 0; /* an error shows as a hang-up in the loop */
        }
        if (sent == n_header + size)
                return;
        bool kept = true;
        if (sent < n_header) {
                kept = keep(c, (char *) header + sent, n_header - sent);
                sent = n_header;
        }
        if (!kept || !keep(c, data + (sent - n_header), size - (sent - n_header)))
                (void) shutdown(c->fd, SHUT_RDWR); /* out of memory in the middle of a frame */
        update(c);
}

static void tell_skipped(Client *c) {
        char text[128];

        if (c->skipped == 0)
                return;
        int n = snprintf(text, sizeof(text), "sdpod-monitor: %llu bytes of output left out here%s\n",
                         (unsigned long long) c->skipped, c->framed ? "" : "\r");
        c->skipped = 0;
        send_frame(c, LOG_STDERR, text, (size_t) n);
}

void clients_output(Watch *w, LogStream stream, const char *data, size_t size) {
        for (Client *c = w->monitor->clients; c; c = c->next)
                if (c->watch == w)
                        send_frame(c, stream, data, size);
}

static void flush_output(Client *c) {
        while (c->out_size > 0) {
                ssize_t n = RETRY_EINTR(send(c->fd, c->out + c->out_start, c->out_size, MSG_DONTWAIT | MSG_NOSIGNAL));

                if (n <= 0)
                        return;
                c->out_start += (size_t) n;
                c->out_size -= (size_t) n;
                if (c->out_size == 0) {
                        free(c->out);
                        c->out = NULL;
                        c->out_start = c->out_room = 0;
                        tell_skipped(c);
                }
        }
}

/* The container takes what it can. */
static void flush_input(Client *c) {
        while (c->watch && c->in_size > 0) {
                ssize_t n = watch_input(c->watch, c->in + c->in_start, c->in_size);

                if (n == 0) {
                        watch_want_input(c->watch);
                        return;
                }
                c->in_start += n > 0 ? (size_t) n : 0;
                c->in_size -= n > 0 ? (size_t) n : c->in_size; /* nobody will ever read it */
        }
        free(c->in);
        c->in = NULL;
        c->in_start = c->in_size = 0;
        if (c->input_ended && c->close_stdin && c->watch)
                watch_close_input(c->watch);
}

static void read_input(Client *c) {
        c->in = malloc(INPUT_SIZE);
        if (!c->in)
                return; /* again at the next event */
        ssize_t n = RETRY_EINTR(recv(c->fd, c->in, INPUT_SIZE, MSG_DONTWAIT));
        c->in_start = 0;
        c->in_size = n > 0 ? (size_t) n : 0;
        if (n == 0 || (n < 0 && errno != EAGAIN))
                c->input_ended = true;
        flush_input(c);
}

/* Frees the client when it has nothing left to give or to get. */
static void settle(Client *c) {
        bool read_all = !c->wants_stdin || !c->watch || c->input_ended;
        bool gone = c->hung_up && c->in_size == 0 && read_all, served = c->leaving && c->out_size == 0;

        if (gone || served)
                client_free(c);
        else
                update(c);
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Client *c = userdata;
        bool wants = c->wants_stdin && c->watch && c->in_size == 0 && !c->input_ended;

        (void) source;
        (void) fd;
        if (revents & EPOLLOUT)
                flush_output(c);
        if (revents & (EPOLLHUP | EPOLLERR))
                c->hung_up = true;
        if (wants && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                read_input(c);
        settle(c);
        return 0;
}

void clients_input_ready(Watch *w) {
        for (Client *c = w->monitor->clients, *next; c; c = next) {
                next = c->next;
                if (c->watch != w || c->in_size == 0)
                        continue;
                flush_input(c);
                settle(c);
        }
}

static void join(Client *c, Watch *w) {
        c->watch = w;
        c->framed = !w->config.terminal;
        free(c->waits_for);
        c->waits_for = NULL;
        watch_count_client(w, 1);
        update(c);
}

void clients_adopt(Watch *w) {
        for (Client *c = w->monitor->clients; c; c = c->next)
                if (c->waits_for && str_equal(c->waits_for, w->config.id))
                        join(c, w);
}

unsigned clients_leave(Watch *w) {
        unsigned n = 0;

        for (Client *c = w->monitor->clients, *next; c; c = next) {
                next = c->next;
                if (c->watch != w)
                        continue;
                watch_count_client(w, -1);
                c->watch = NULL;
                c->leaving = true;
                c->in_size = 0;
                n++;
                settle(c);
        }
        return n;
}

static int check_socket(int fd) {
        int type = 0, domain = 0;
        socklen_t size = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return -errno;
        return type == SOCK_STREAM && domain == AF_UNIX ? 0 : -EINVAL;
}

int client_add(Monitor *monitor, Watch *watch, const char *waits_for, int fd, ClientOptions options, Error *reterr) {
        int r = check_socket(fd);

        if (r < 0 || monitor->n_clients >= MONITOR_CLIENTS_MAX) {
                (void) fd_close(fd);
                return r < 0 ? error_set(reterr, r, ERROR_INVALID, "cannot attach: not a stream socket")
                             : error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot attach: too many clients");
        }
        Client *c = calloc(1, sizeof(*c));
        char *id = watch ? NULL : strdup(waits_for);
        if (!c || (!watch && !id)) {
                free(c);
                (void) fd_close(fd);
                return error_oom(reterr);
        }
        *c = (Client){
                .monitor = monitor, .next = monitor->clients, .waits_for = id, .fd = fd,
                .wants_stdin = options.wants_stdin, .close_stdin = options.close_stdin,
        };
        monitor->clients = c;
        monitor->n_clients++;
        r = sd_event_add_io(monitor->event, &c->io, fd, 0, on_client, c);
        if (r < 0) {
                client_free(c);
                return error_set_errno(reterr, r, "cannot attach");
        }
        if (watch)
                join(c, watch);
        return 0;
}
