/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts, connects and carries the connections of published TCP ports. */
#include "net/port-relay.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "net/local-tcp.h"
#include "net/port-connector.h"
#include "net/port-flow.h"
#include "net/port-source.h"
#include "net/slirp-calls.h"

#define PORT_RELAY_JOINED UINT64_MAX /* no id of a published port */

enum {
        EVENTS = 64,
        ROUNDS = 8,         /* before others of this process have their turn */
        ACCEPT_BATCH = 32,  /* of one listener, before another's turn */
        FD_RESERVE = 128,   /* for pipes, the stock of sockets and the rest of the process */
        SOCKETS_NEEDED = 2, /* one may be spoilt by an address that is in use */
};

typedef enum ItemKind {
        ITEM_LISTENER,
        ITEM_CONNECTOR,
        ITEM_END,
        ITEM_OTHER,
} ItemKind;

/* What an epoll event points to. */
typedef struct Item {
        ItemKind kind;
        void *owner;
} Item;

typedef struct Listener {
        Item item;
        int fd, family;
        uint64_t id;
        PortTarget target;
        bool ready; /* there may be connections to accept */
} Listener;

enum { PEER, INSIDE };

typedef struct Connection {
        Item items[2];
        PortEnd ends[2];
        PortFlow flows[2];  /* flows[i] reads ends[i] */
        uint64_t id;
        PortTarget target;
        PortSource peer;
        int family;         /* of the inner socket */
        bool connected, queued, dead;
        struct Connection *next, *previous; /* all of them */
        struct Connection *next_queued;
} Connection;

struct PortRelay {
        PortConnector connector;
        Item connector_item, other_item;
        struct epoll_event events[EVENTS]; /* told, but not handled yet */
        int n_events;
        PortFlowShare share;
        TcpCongestion congestion; /* the host's default; empty until there is a listener */
        int epoll_fd;
        bool ipv6, transparent;
        bool waiting;       /* a listener is ready, but there was no socket or no descriptor */
        bool more_to_accept;
        bool starved;       /* the connector could not make a socket: those who wait are told, rather than left */
        Listener **listeners;
        size_t n_listeners;
        Connection *connections, *queue, **queue_end;
        size_t n_connections, fd_limit, n_other_fds;
};

static int watch(PortRelay *relay, int fd, uint32_t events, Item *item) {
        struct epoll_event event = { .events = events, .data.ptr = item };

        return epoll_ctl(relay->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int port_relay_new(int connector_fd, PortRelay **ret) {
        PortRelay *relay = calloc(1, sizeof(*relay));
        struct rlimit limit;
        int r;

        if (!relay) {
                (void) fd_close(connector_fd);
                return -ENOMEM;
        }
        relay->connector = PORT_CONNECTOR_NULL;
        relay->connector.fd = connector_fd;
        relay->connector_item = (Item){ .kind = ITEM_CONNECTOR };
        relay->other_item = (Item){ .kind = ITEM_OTHER };
        relay->ipv6 = relay->transparent = true;
        relay->queue_end = &relay->queue;
        relay->fd_limit = getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : (size_t) limit.rlim_cur;
        relay->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        r = relay->epoll_fd < 0 ? -errno : port_flow_share_init(&relay->share);
        if (r >= 0 && connector_fd >= 0)
                r = watch(relay, connector_fd, EPOLLIN, &relay->connector_item);
        if (r < 0)
                relay = port_relay_free(relay);
        *ret = relay;
        return r;
}

void port_relay_set_namespace(PortRelay *relay, bool ipv6, bool transparent) {
        struct rlimit limit;

        relay->ipv6 = ipv6;
        relay->transparent = transparent;
        relay->fd_limit = getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : (size_t) limit.rlim_cur;
}

/* Both sides learn that it broke, unless they have been told that it is over. */
static void reset_on_close(int fd) {
        struct linger linger = { .l_onoff = 1 };

        (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void connection_close(PortRelay *relay, Connection *c, bool broken) {
        for (int i = 0; i < 2; i++) {
                if (broken && c->ends[i].fd >= 0)
                        reset_on_close(c->ends[i].fd);
                c->ends[i].fd = fd_close(c->ends[i].fd);
                port_flow_done(c->flows + i, &relay->share);
        }
        c->dead = true;
}

static void connection_free(PortRelay *relay, Connection *c) {
        *(c->previous ? &c->previous->next : &relay->connections) = c->next;
        if (c->next)
                c->next->previous = c->previous;
        relay->n_connections--;
        free(c);
}

/* A connection is freed only from the queue, so that no event of this round points to nothing. */
static void enqueue(PortRelay *relay, Connection *c) {
        if (c->queued)
                return;
        c->queued = true;
        c->next_queued = NULL;
        *relay->queue_end = c;
        relay->queue_end = &c->next_queued;
}

/* A router has the socket open, too: closed alone, it would stay in the set (epoll(7), Q6). */
static void close_listener(PortRelay *relay, Listener *listener) {
        (void) epoll_ctl(relay->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
        (void) fd_close(listener->fd);
        free(listener);
}

PortRelay *port_relay_free(PortRelay *relay) {
        if (!relay)
                return NULL;
        while (relay->connections) {
                connection_close(relay, relay->connections, /* broken= */ false);
                connection_free(relay, relay->connections);
        }
        port_relay_finish(relay);
        free(relay->listeners);
        port_connector_done(&relay->connector);
        port_flow_share_done(&relay->share);
        (void) fd_close(relay->epoll_fd);
        free(relay);
        return NULL;
}

int port_relay_add(PortRelay *relay, int fd, uint64_t id, const PortTarget *target) {
        Listener **listeners = reallocarray(relay->listeners, relay->n_listeners + 1, sizeof(Listener *));
        Listener *listener = calloc(1, sizeof(*listener));
        socklen_t size = sizeof(int);
        int family = AF_INET, one = 1, r = -ENOMEM;

        if (listeners)
                relay->listeners = listeners;
        if (listeners && listener) {
                /* what it accepts has these options, too (tcp(7)) */
                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
                (void) setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
                if (!relay->congestion.name[0])
                        relay->congestion = local_tcp_default();
                local_tcp_hasten(fd);
                r = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 ? -errno : 0;
        }
        if (r >= 0) {
                *listener = (Listener){ .item = { .kind = ITEM_LISTENER, .owner = listener }, .fd = fd, .family = family,
                                        .id = id, .target = *target };
                r = watch(relay, fd, EPOLLIN | EPOLLET, &listener->item);
        }
        if (r < 0) {
                free(listener);
                (void) fd_close(fd);
                return r;
        }
        relay->listeners[relay->n_listeners++] = listener;
        return 0;
}

void port_relay_remove(PortRelay *relay, uint64_t id) {
        size_t kept = 0;

        for (size_t i = 0; i < relay->n_listeners; i++)
                if (relay->listeners[i]->id == id)
                        close_listener(relay, relay->listeners[i]);
                else
                        relay->listeners[kept++] = relay->listeners[i];
        relay->n_listeners = kept;
        for (Connection *c = relay->connections, *next; c; c = next) {
                next = c->next;
                if (c->id != id)
                        continue;
                if (!c->dead)
                        connection_close(relay, c, /* broken= */ true);
                if (!c->queued)
                        connection_free(relay, c);
        }
}

void port_relay_finish(PortRelay *relay) {
        while (relay->n_listeners > 0)
                close_listener(relay, relay->listeners[--relay->n_listeners]);
        relay->waiting = relay->more_to_accept = false;
}

int port_relay_fd(const PortRelay *relay) {
        return relay->epoll_fd;
}

bool port_relay_is_delivering(const PortRelay *relay) {
        for (const Connection *c = relay->connections; c; c = c->next)
                if (c->connected && !c->dead && !c->flows[INSIDE].shut)
                        return true;
        return false;
}

/* The address that the container's server is reached at. */
static socklen_t destination_of(const Connection *c, PortAddress *ret) {
        const PortTarget *t = &c->target;

        return c->family == AF_INET ? port_address_fill(AF_INET, &t->address, t->port, ret)
                                    : port_address_fill(AF_INET6, &t->address6, t->port, ret);
}

/* Begins to connect a new socket. 1: connected; 0: an event will tell; -errno. */
static int try_connect(PortRelay *relay, Connection *c, bool own_port) {
        _cleanup_fd_ int fd = port_connector_take(&relay->connector, c->family);
        PortAddress address;
        socklen_t size;

        if (fd < 0)
                return fd;
        if (relay->transparent) {
                int r = port_source_bind(&c->peer, &c->target, c->family, own_port, fd);
                if (r < 0)
                        return r;
        }
        size = destination_of(c, &address);
        if (slirp_calls_connect(fd, &address.any, size) < 0 && errno != EINPROGRESS)
                return -errno;
        /* the answer came over the loopback interface within that very call, but is only told to the next */
        bool connected = slirp_calls_connect(fd, &address.any, size) >= 0 || errno == EISCONN;
        if (!connected && errno != EALREADY)
                return -errno;
        c->ends[INSIDE].fd = TAKE_FD(fd);
        return connected;
}

static int watch_end(PortRelay *relay, Connection *c, int end) {
        c->items[end] = (Item){ .kind = ITEM_END, .owner = c };
        return watch(relay, c->ends[end].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c->items + end);
}

static int connection_open(PortRelay *relay, Connection *c) {
        c->connected = true;
        return watch_end(relay, c, PEER);
}

static int connection_connect(PortRelay *relay, Connection *c) {
        int r = try_connect(relay, c, /* own_port= */ true);

        /* the same peer's port is in use for another connection to the same server, perhaps one that ended just now */
        if (r == -EADDRNOTAVAIL || r == -EADDRINUSE)
                r = try_connect(relay, c, /* own_port= */ false);
        if (r >= 0) {
                int q = watch_end(relay, c, INSIDE);
                if (q < 0)
                        return q;
        }
        return r <= 0 ? r : connection_open(relay, c);
}

/* An IPv6 server may not be there, and an IPv4 one be. */
static bool may_fall_back(const Connection *c) {
        return c->family == AF_INET6 && c->target.address.s_addr != 0;
}

static int connection_fall_back(PortRelay *relay, Connection *c) {
        (void) fd_close(c->ends[INSIDE].fd);
        c->ends[INSIDE] = (PortEnd){ .fd = -EBADF };
        c->family = AF_INET;
        return connection_connect(relay, c);
}

static int connection_begin(PortRelay *relay, Connection *c) {
        int r = connection_connect(relay, c);

        if (r >= 0 || !may_fall_back(c))
                return r;
        return connection_fall_back(relay, c);
}

static int connection_continue(PortRelay *relay, Connection *c) {
        PortAddress address;
        socklen_t size = destination_of(c, &address);

        if (slirp_calls_connect(c->ends[INSIDE].fd, &address.any, size) >= 0 || errno == EISCONN)
                return connection_open(relay, c);
        if (errno == EALREADY || errno == EINPROGRESS)
                return 0;
        int r = -errno;
        if (!may_fall_back(c))
                return r;
        return connection_fall_back(relay, c);
}

static Connection *connection_new(PortRelay *relay, const Connection *of) {
        Connection *c = calloc(1, sizeof(*c));

        if (!c)
                return NULL;
        *c = *of;
        c->flows[PEER] = c->flows[INSIDE] = PORT_FLOW_NULL;
        c->next = relay->connections;
        if (c->next)
                c->next->previous = c;
        relay->connections = c;
        relay->n_connections++;
        return c;
}

bool port_relay_has_room(const PortRelay *relay, size_t n_dials, size_t n_other_fds) {
        return (relay->n_connections + n_dials + 1) * 2 + relay->n_listeners + n_other_fds + FD_RESERVE < relay->fd_limit;
}

int port_relay_join(PortRelay *relay, int inside_fd, int peer_fd) {
        const Connection joined = { .ends = { [PEER] = { .fd = peer_fd }, [INSIDE] = { .fd = inside_fd } }, .id = PORT_RELAY_JOINED };
        Connection *c = connection_new(relay, &joined);

        if (!c) {
                (void) fd_close(inside_fd);
                (void) fd_close(peer_fd);
                return -ENOMEM;
        }
        int r = watch_end(relay, c, INSIDE);
        if (r >= 0)
                r = connection_open(relay, c);
        if (r < 0) {
                connection_close(relay, c, /* broken= */ true);
                enqueue(relay, c);
        }
        return r;
}

static void accept_one(PortRelay *relay, const Listener *listener, int fd, const PortAddress *peer) {
        bool ipv6 = listener->family == AF_INET6 && relay->ipv6 && !IN6_IS_ADDR_UNSPECIFIED(&listener->target.address6);

        const Connection accepted = { .ends = { { .fd = fd }, { .fd = -EBADF } }, .id = listener->id, .target = listener->target,
                                      .peer = port_source_of(peer),
                                      .family = ipv6 || listener->target.address.s_addr == 0 ? AF_INET6 : AF_INET };
        Connection *c = connection_new(relay, &accepted);

        if (!c) {
                (void) fd_close(fd);
                return;
        }
        if (!local_tcp_is(fd, peer))
                local_tcp_restore(fd, &relay->congestion);
        if (connection_begin(relay, c) < 0) {
                connection_close(relay, c, /* broken= */ true);
                enqueue(relay, c);
        }
}

/* Whether a connection of this listener could be served now. */
static bool can_accept(PortRelay *relay, const Listener *listener) {
        bool four = listener->target.address.s_addr == 0 || port_connector_has(&relay->connector, AF_INET, SOCKETS_NEEDED);
        bool six = listener->family == AF_INET || !relay->ipv6 || IN6_IS_ADDR_UNSPECIFIED(&listener->target.address6) ||
                   port_connector_has(&relay->connector, AF_INET6, SOCKETS_NEEDED);

        return four && six && relay->n_connections * 2 + relay->n_listeners + relay->n_other_fds + FD_RESERVE < relay->fd_limit;
}

/* Without its connector no connection can be served, and each is told at once. */
static void accept_some(PortRelay *relay, Listener *listener) {
        for (int i = 0; i < ACCEPT_BATCH; i++) {
                PortAddress peer;
                socklen_t size = sizeof(peer);

                if (relay->connector.fd >= 0 && !relay->starved && !can_accept(relay, listener)) {
                        relay->waiting = true;
                        return;
                }
                int fd = accept4(listener->fd, &peer.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
                        relay->waiting = true;
                        return;
                }
                if (fd < 0 && errno == EAGAIN) {
                        listener->ready = false;
                        return;
                }
                if (fd >= 0)
                        accept_one(relay, listener, fd, &peer);
        }
        relay->more_to_accept = true;
}

static void accept_waiting(PortRelay *relay) {
        relay->waiting = relay->more_to_accept = false;
        for (size_t i = 0; i < relay->n_listeners; i++)
                if (relay->listeners[i]->ready)
                        accept_some(relay, relay->listeners[i]);
        relay->starved = false;
}

static void handle_end(PortRelay *relay, Connection *c, int i, uint32_t events) {
        PortEnd *end = c->ends + i;

        if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                end->hung_up = true;
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                end->readable = true;
        if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
                end->writable = true;
        /* nobody would read the error of one that has said all that it had to */
        if ((events & EPOLLERR) && c->connected && c->flows[i].ended && !c->dead)
                connection_close(relay, c, /* broken= */ true);
        enqueue(relay, c);
}

static void handle_event(PortRelay *relay, const struct epoll_event *event) {
        Item *item = event->data.ptr;
        int r;

        switch (item->kind) {
        case ITEM_LISTENER:
                ((Listener *) item->owner)->ready = true;
                relay->more_to_accept = true;
                break;
        case ITEM_CONNECTOR:
                r = port_connector_receive(&relay->connector);
                relay->starved = r < 0;
                if (r == -EPIPE || r == -ECONNRESET)
                        relay->connector.fd = fd_close(relay->connector.fd);
                relay->more_to_accept |= relay->waiting;
                break;
        case ITEM_END: {
                Connection *c = item->owner;

                handle_end(relay, c, item == c->items + PEER ? PEER : INSIDE, event->events);
                break;
        }
        case ITEM_OTHER:
                break;
        }
}

/* Returns whether there is more to move at once. */
static bool serve(PortRelay *relay, Connection *c) {
        int r = c->connected ? 0 : connection_continue(relay, c), q = 0;

        if (r >= 0 && c->connected) {
                r = port_flow_move(c->flows + PEER, c->ends + PEER, c->ends + INSIDE, &relay->share);
                if (r >= 0)
                        q = port_flow_move(c->flows + INSIDE, c->ends + INSIDE, c->ends + PEER, &relay->share);
        }
        if (r < 0 || q < 0)
                connection_close(relay, c, /* broken= */ true);
        else if (c->flows[PEER].shut && c->flows[INSIDE].shut)
                connection_close(relay, c, /* broken= */ false);
        return r > 0 || q > 0;
}

/* One turn for everyone in the queue now. */
static void serve_queue(PortRelay *relay) {
        Connection *c = relay->queue, *next;

        relay->queue = NULL;
        relay->queue_end = &relay->queue;
        for (; c; c = next) {
                next = c->next_queued;
                c->queued = false;
                if (!c->dead && serve(relay, c))
                        enqueue(relay, c);
                if (c->dead) {
                        relay->more_to_accept |= relay->waiting;
                        connection_free(relay, c);
                }
        }
}

int port_relay_watch_other(PortRelay *relay, int fd) {
        return watch(relay, fd, EPOLLIN, &relay->other_item);
}

void port_relay_unwatch_other(PortRelay *relay, int fd) {
        (void) epoll_ctl(relay->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int port_relay_wait(PortRelay *relay, int timeout, bool *ret_others) {
        int n = (int) RETRY_EINTR(epoll_wait(relay->epoll_fd, relay->events, EVENTS, timeout));

        *ret_others = false;
        relay->n_events = MAX(n, 0);
        for (int i = 0; i < n; i++)
                *ret_others |= relay->events[i].data.ptr == &relay->other_item;
        return n < 0 ? -errno : n;
}

bool port_relay_run(PortRelay *relay, size_t n_other_fds) {
        relay->n_other_fds = n_other_fds;
        for (int i = 0; i < ROUNDS; i++) {
                int n = relay->n_events > 0 ? relay->n_events : epoll_wait(relay->epoll_fd, relay->events, EVENTS, 0);

                relay->n_events = 0;
                for (int k = 0; k < n; k++)
                        handle_event(relay, relay->events + k);
                serve_queue(relay);
                if (relay->more_to_accept)
                        accept_waiting(relay);
                if (n < EVENTS && !relay->queue && !relay->more_to_accept)
                        return false;
        }
        return true;
}
