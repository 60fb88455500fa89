/* SPDX-License-Identifier: Apache-2.0 */
/* Carries bytes between two sockets, both ways, with half-close. */
#include "net/tcp-relay.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/io.h"
#include "net/slirp-calls.h"

enum { BUFFER = 64 * 1024 };

/* One direction: from one socket's input to the other's output. */
typedef struct Way {
        uint8_t *data;
        size_t begin, end;
        bool ended;   /* the source has no more */
        bool shut;    /* and the sink was told */
} Way;

typedef struct TcpRelay {
        int fd[2];    /* the peer, the published port */
        Way way[2];   /* way[i] reads fd[i], writes fd[!i] */
        bool connected;
} TcpRelay;

struct TcpRelays {
        TcpRelay *items;
        size_t n_items;
};

TcpRelays *tcp_relays_new(void) {
        return calloc(1, sizeof(TcpRelays));
}

static void relay_done(TcpRelay *relay) {
        for (int i = 0; i < 2; i++) {
                relay->fd[i] = fd_close(relay->fd[i]);
                free(TAKE_PTR(relay->way[i].data));
        }
}

TcpRelays *tcp_relays_free(TcpRelays *relays) {
        if (!relays)
                return NULL;
        for (size_t i = 0; i < relays->n_items; i++)
                relay_done(relays->items + i);
        free(relays->items);
        free(relays);
        return NULL;
}

static int connect_to(uint16_t port) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int one = 1;

        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (slirp_calls_connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 && errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

void tcp_relays_add(TcpRelays *relays, int fd, uint16_t port) {
        TcpRelay relay = { .fd = { fd, -EBADF } };
        int one = 1;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        TcpRelay *items = relays->n_items < TCP_RELAYS_LIMIT
                ? reallocarray(relays->items, relays->n_items + 1, sizeof(*items)) : NULL;
        if (items) {
                relays->items = items;
                relay.fd[1] = connect_to(port);
                relay.way[0].data = malloc(BUFFER);
                relay.way[1].data = malloc(BUFFER);
        }
        if (!items || relay.fd[1] < 0 || !relay.way[0].data || !relay.way[1].data) {
                relay_done(&relay);
                return;
        }
        relays->items[relays->n_items++] = relay;
}

size_t tcp_relays_poll_count(const TcpRelays *relays) {
        return relays->n_items * 2;
}

void tcp_relays_fill(const TcpRelays *relays, struct pollfd *fds) {
        for (size_t i = 0; i < relays->n_items; i++)
                for (int side = 0; side < 2; side++) {
                        const TcpRelay *relay = relays->items + i;
                        const Way *in = &relay->way[side], *out = &relay->way[!side];
                        short events = 0;

                        if (relay->connected && !in->ended && in->end < BUFFER)
                                events |= POLLIN;
                        if (out->begin < out->end || (side == 1 && !relay->connected))
                                events |= POLLOUT;
                        /* a socket with nothing to wait for would report its hang-up for ever */
                        *fds++ = (struct pollfd){ .fd = events ? relay->fd[side] : -1, .events = events };
                }
}

/* Returns false when the relay is broken. */
static bool move(TcpRelay *relay, int from) {
        Way *way = &relay->way[from];

        if (!way->ended && way->end < BUFFER) {
                ssize_t n = recv(relay->fd[from], way->data + way->end, BUFFER - way->end, 0);

                if (n == 0)
                        way->ended = true;
                else if (n > 0)
                        way->end += (size_t) n;
                else if (errno != EAGAIN && errno != EINTR)
                        return false;
        }
        if (way->begin < way->end) {
                ssize_t n = send(relay->fd[!from], way->data + way->begin, way->end - way->begin, MSG_NOSIGNAL);

                if (n > 0)
                        way->begin += (size_t) n;
                else if (errno != EAGAIN && errno != EINTR)
                        return false;
        }
        if (way->begin == way->end) {
                way->begin = way->end = 0;
                if (way->ended && !way->shut) {
                        way->shut = true;
                        (void) shutdown(relay->fd[!from], SHUT_WR);
                }
        }
        return true;
}

/* Returns false when it is over. */
static bool run_one(TcpRelay *relay, const struct pollfd *fds) {
        if (!relay->connected) {
                int error = 0;
                socklen_t size = sizeof(error);

                if (!fds[1].revents)
                        return true;
                if (getsockopt(relay->fd[1], SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
                        return false;
                relay->connected = true;
        }
        if (!move(relay, 0) || !move(relay, 1))
                return false;
        return !relay->way[0].shut || !relay->way[1].shut;
}

void tcp_relays_run(TcpRelays *relays, const struct pollfd *fds, size_t n_fds) {
        size_t kept = 0, n = MIN(n_fds / 2, relays->n_items), old = relays->n_items;

        for (size_t i = 0; i < old; i++) {
                TcpRelay *relay = relays->items + i;
                bool ready = i < n && (fds[2 * i].revents || fds[2 * i + 1].revents);

                if (ready && !run_one(relay, fds + 2 * i))
                        relay_done(relay);
                else
                        relays->items[kept++] = *relay;
        }
        relays->n_items = kept;
}
