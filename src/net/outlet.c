/* SPDX-License-Identifier: Apache-2.0 */
/* Connects on the host, and brings the two ends together. */
#include "net/outlet.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/time.h"
#include "net/local-tcp.h"
#include "net/packet.h"
#include "net/slirp-calls.h"

enum {
        BUCKETS = 256,       /* a power of two */
        DIALS_MAX = 4096,    /* connections on their way; the segments of more are lost, and sent again */
        EVENTS = 64,
        ACCEPT_BATCH = 256,
        ANSWER_MSEC = 5000,  /* for the container to come, after its segment was given back */
        SILENT_MSEC = 4000,  /* beyond twice the time that it has tried for: a client that is still there has repeated its segment by then */
        SWEEP_MSEC = 100,    /* between two looks at all of them */
        DEAF_MSEC = 100,     /* until a listener that could not accept is tried again */
        TCP_FLAGS = 13,
        TCP_SYN = 0x02,
        TCP_ACK = 0x10,
        IP4_TTL = 8,
        IP6_HOP_LIMIT = 7,
};

/* Both ends, as a packet has them. */
typedef struct Key {
        int family;
        PacketEnd source, destination;
} Key;

/* A connection on its way. */
typedef struct Dial {
        Key key;
        int fd;
        bool answered;         /* the host's side is there */
        int64_t begun_msec, seen_msec; /* its first segment and its last */
        int64_t deadline_msec;         /* then it is forgotten */
        uint8_t *frame;
        size_t size;
        struct Dial *next;     /* of the bucket */
} Dial;

struct Outlet {
        const NetAddresses *addresses;
        const struct sockaddr_in *source4;
        const struct sockaddr_in6 *source6;
        OutletOps ops;
        OutletSockets sockets;
        int epoll_fd;
        Dial *buckets[BUCKETS];
        size_t n_dials;
        int64_t next_sweep_msec;
        int64_t hear_msec;   /* when the listeners are watched again; 0: they are */
};

static int64_t now_msec(void) {
        return time_monotonic_usec() / 1000;
}

static int watch(Outlet *o, int fd, uint32_t events, void *data) {
        struct epoll_event event = { .events = events, .data.ptr = data };

        return epoll_ctl(o->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int outlet_new(const NetAddresses *addresses, const struct sockaddr_in *source4, const struct sockaddr_in6 *source6, const OutletOps *ops,
               OutletSockets *sockets, Outlet **ret) {
        Outlet *o = calloc(1, sizeof(*o));
        int r = 0;

        if (!o) {
                outlet_sockets_done(sockets);
                return -ENOMEM;
        }
        *o = (Outlet){ .addresses = addresses, .source4 = source4, .source6 = source6, .ops = *ops, .sockets = *sockets };
        *sockets = OUTLET_SOCKETS_NULL;
        o->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (o->epoll_fd < 0)
                r = -errno;
        if (r >= 0)
                r = watch(o, o->sockets.listener4, EPOLLIN, &o->sockets.listener4);
        if (r >= 0 && o->sockets.listener6 >= 0)
                r = watch(o, o->sockets.listener6, EPOLLIN, &o->sockets.listener6);
        *ret = r < 0 ? outlet_free(o) : o;
        return r;
}

/* The one that `link` points to. Returns its socket, or closes that. */
static int forget(Outlet *o, Dial **link, bool keep_fd) {
        Dial *dial = *link;
        int fd = dial->fd;

        *link = dial->next;
        o->n_dials--;
        if (fd >= 0 && !dial->answered)
                (void) epoll_ctl(o->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        if (!keep_fd)
                fd = fd_close(fd);
        free(dial->frame);
        free(dial);
        return fd;
}

Outlet *outlet_free(Outlet *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < BUCKETS; i++)
                while (o->buckets[i])
                        (void) forget(o, o->buckets + i, /* keep_fd= */ false);
        outlet_sockets_done(&o->sockets);
        (void) fd_close(o->epoll_fd);
        free(o);
        return NULL;
}

size_t outlet_count(const Outlet *o) {
        return o->n_dials;
}

int outlet_fd(const Outlet *o) {
        return o->epoll_fd;
}

static size_t bucket_of(const Key *key) {
        uint32_t hash = packet_get32(key->destination.address) ^ packet_get32(key->destination.address + 12);

        return (hash ^ hash >> 16 ^ key->source.port ^ (uint32_t) key->destination.port * 31) % BUCKETS;
}

static bool same_end(const PacketEnd *a, const PacketEnd *b) {
        return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static Dial **find(Outlet *o, const Key *key) {
        Dial **link = o->buckets + bucket_of(key);

        while (*link && !((*link)->key.family == key->family && same_end(&(*link)->key.source, &key->source) &&
                          same_end(&(*link)->key.destination, &key->destination)))
                link = &(*link)->next;
        return link;
}

/* Gives the segment back to who sent it. */
static void give_back(Outlet *o, const Dial *dial) {
        memcpy(dial->frame, o->addresses->mac, sizeof(o->addresses->mac));
        o->ops.send_frame(o->ops.context, dial->frame, dial->size);
}

/* Of other errors (no time, no room) nobody is told: the segment is lost, and comes again or not. */
static void refuse(Outlet *o, int error, const uint8_t *frame, size_t size) {
        static const struct {
                int error;
                PacketRefusal refusal;
        } refusals[] = {
                { ENETUNREACH, PACKET_NO_ROUTE },  { ENETDOWN, PACKET_NO_ROUTE },   { EADDRNOTAVAIL, PACKET_NO_ROUTE },
                { EAFNOSUPPORT, PACKET_NO_ROUTE }, { EHOSTUNREACH, PACKET_NO_HOST }, { EHOSTDOWN, PACKET_NO_HOST },
                { ENONET, PACKET_NO_HOST },        { ENOPROTOOPT, PACKET_NO_HOST }, { EACCES, PACKET_PROHIBITED },
                { EPERM, PACKET_PROHIBITED },
        };
        uint8_t answer[256];

        if (error == -ECONNREFUSED || error == -ECONNRESET) {
                o->ops.send_frame(o->ops.context, answer, packet_make_reset(o->addresses, frame, answer));
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                if (refusals[i].error == -error)
                        o->ops.send_frame(o->ops.context, answer, packet_make_refusal(o->addresses, refusals[i].refusal, frame, size, answer));
}

static int bind_source(const Outlet *o, int family, int fd) {
        int one = 1, r = 0;

        if (family == AF_INET ? !o->source4 : !o->source6)
                return 0;
        (void) setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
        if (family == AF_INET)
                r = bind(fd, (const struct sockaddr *) o->source4, sizeof(*o->source4));
        else
                r = bind(fd, (const struct sockaddr *) o->source6, sizeof(*o->source6));
        return r < 0 ? -errno : 0;
}

/* Begins to connect. Returns the socket, or -errno. */
static int dial_out(const Outlet *o, const Key *key, bool *ret_connected) {
        static const struct {
                int level, name;
        } options[] = { { IPPROTO_TCP, TCP_NODELAY }, { SOL_SOCKET, SO_OOBINLINE }, { SOL_SOCKET, SO_KEEPALIVE } };
        PortAddress address;
        socklen_t size = port_address_fill(key->family, key->destination.address, key->destination.port, &address);
        int one = 1;

        if (!slirp_calls_may_reach(&address.any, size))
                return -EPERM;
        _cleanup_fd_ int fd = socket(key->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                (void) setsockopt(fd, options[i].level, options[i].name, &one, sizeof(one));
        int r = bind_source(o, key->family, fd);
        if (r < 0)
                return r;
        if (local_tcp_is(fd, &address))
                local_tcp_hasten(fd);
        *ret_connected = slirp_calls_connect(fd, &address.any, size) >= 0;
        return *ret_connected || errno == EINPROGRESS ? TAKE_FD(fd) : -errno;
}

static void set_deadline(Outlet *o, Dial *dial, int64_t deadline_msec) {
        dial->deadline_msec = deadline_msec;
        if (o->n_dials == 1 || deadline_msec < o->next_sweep_msec)
                o->next_sweep_msec = deadline_msec;
}

/* Its segment has come. A client repeats it after one second, then two, four and so on, and says nothing when it gives up. */
static void seen(Outlet *o, Dial *dial) {
        dial->seen_msec = now_msec();
        if (!dial->answered)
                set_deadline(o, dial, dial->seen_msec + 2 * (dial->seen_msec - dial->begun_msec) + SILENT_MSEC);
}

static void answer(Outlet *o, Dial *dial) {
        dial->answered = true;
        set_deadline(o, dial, now_msec() + ANSWER_MSEC);
        give_back(o, dial);
}

/* Another one takes the place of the one that has not been heard of for longest. */
static void make_room(Outlet *o) {
        Dial **oldest = NULL;

        for (size_t i = 0; i < BUCKETS; i++)
                for (Dial **link = o->buckets + i; *link; link = &(*link)->next)
                        if (!(*link)->answered && (!oldest || (*link)->seen_msec < (*oldest)->seen_msec))
                                oldest = link;
        if (oldest)
                (void) forget(o, oldest, /* keep_fd= */ false);
}

static void begin(Outlet *o, const Key *key, const uint8_t *frame, size_t size) {
        bool connected = false;

        if (o->n_dials >= DIALS_MAX)
                make_room(o);
        Dial *dial = o->n_dials < DIALS_MAX && o->ops.has_room(o->ops.context, o->n_dials) ? malloc(sizeof(*dial)) : NULL;
        uint8_t *copy = dial ? malloc(size) : NULL;
        if (!copy) {
                free(dial);
                return;
        }
        memcpy(copy, frame, size);
        *dial = (Dial){ .key = *key, .fd = dial_out(o, key, &connected), .begun_msec = now_msec(), .frame = copy, .size = size };
        Dial **link = find(o, key);
        *link = dial;
        o->n_dials++;
        seen(o, dial);
        int r = dial->fd < 0 ? dial->fd : connected ? 0 : watch(o, dial->fd, EPOLLOUT, dial);
        if (r < 0) {
                refuse(o, r, frame, size);
                (void) forget(o, link, /* keep_fd= */ false);
        } else if (connected)
                answer(o, dial);
}

static bool is_own_network(const Outlet *o, const FrameInfo *info) {
        const NetAddresses *a = o->addresses;

        if (info->family == AF_INET6)
                return memcmp(info->destination.address, &a->network6, a->prefix6 / 8) == 0;
        struct in_addr to;
        memcpy(&to, info->destination.address, sizeof(to));
        return (to.s_addr & a->netmask.s_addr) == a->network.s_addr;
}

/* Sent again, perhaps with other options, perhaps by another one with the same port: the last is what is answered. */
static void repeat(Outlet *o, Dial *dial, const uint8_t *frame, size_t size) {
        uint8_t *copy = dial->size == size ? dial->frame : realloc(dial->frame, size);

        if (!copy)
                return;
        memcpy(copy, frame, size);
        dial->frame = copy;
        dial->size = size;
        seen(o, dial);
        if (dial->answered)
                give_back(o, dial);
}

bool outlet_take(Outlet *o, const FrameInfo *info, const uint8_t *frame, size_t size) {
        const uint8_t *ip = frame + ETHERNET_HEADER, *tcp = ip + (info->family == AF_INET ? IP4_HEADER : IP6_HEADER);

        if (info->family == AF_UNSPEC || info->protocol != IPPROTO_TCP || (tcp[TCP_FLAGS] & (TCP_SYN | TCP_ACK)) != TCP_SYN ||
            ip[info->family == AF_INET ? IP4_TTL : IP6_HOP_LIMIT] != OUTLET_HOPS || is_own_network(o, info))
                return false;
        Key key = { .family = info->family, .source = info->source, .destination = info->destination };
        Dial *dial = *find(o, &key);
        if (!dial)
                begin(o, &key, frame, size);
        else
                repeat(o, dial, frame, size);
        return true;
}

static void on_connected(Outlet *o, Dial *dial) {
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        (void) epoll_ctl(o->epoll_fd, EPOLL_CTL_DEL, dial->fd, NULL);
        if (error == 0) {
                answer(o, dial);
                return;
        }
        refuse(o, -error, dial->frame, dial->size);
        (void) forget(o, find(o, &dial->key), /* keep_fd= */ false);
}

static void end_of(const PortAddress *address, PacketEnd *ret) {
        PortSource source = port_source_of(address);

        *ret = (PacketEnd){ .port = source.port };
        memcpy(ret->address, &source.address, source.family == AF_INET ? 4 : 16);
}

/* Who connects to the listener is one that was answered, most often: without a descriptor for it one of those goes. */
static bool forget_answered(Outlet *o) {
        for (size_t i = 0; i < BUCKETS; i++)
                for (Dial **link = o->buckets + i; *link; link = &(*link)->next)
                        if ((*link)->answered) {
                                (void) forget(o, link, /* keep_fd= */ false);
                                return true;
                        }
        return false;
}

static void listen_for(Outlet *o, uint32_t events) {
        int *const listeners[] = { &o->sockets.listener4, &o->sockets.listener6 };

        for (size_t i = 0; i < ELEMENTSOF(listeners); i++) {
                struct epoll_event event = { .events = events, .data.ptr = listeners[i] };

                if (*listeners[i] >= 0)
                        (void) epoll_ctl(o->epoll_fd, EPOLL_CTL_MOD, *listeners[i], &event);
        }
}

/* It would stay readable, and this process awake, until there is a descriptor. */
static void be_deaf(Outlet *o) {
        listen_for(o, 0);
        o->hear_msec = now_msec() + DEAF_MSEC;
}

static void hear_again(Outlet *o) {
        if (o->hear_msec == 0 || now_msec() < o->hear_msec)
                return;
        o->hear_msec = 0;
        listen_for(o, EPOLLIN);
}

static void on_listener(Outlet *o, int *listener) {
        for (int i = 0; i < ACCEPT_BATCH; i++) {
                PortAddress from, to;
                socklen_t from_size = sizeof(from), to_size = sizeof(to);
                Key key = {};
                int one = 1;

                _cleanup_fd_ int fd = accept4(*listener, &from.any, &from_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0 && errno == EAGAIN)
                        return;
                if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
                        if (!forget_answered(o))
                                be_deaf(o);
                        return;
                }
                if (fd < 0 && errno == EINVAL) { /* destroyed from inside (sock_diag(7)): it would be ready for ever */
                        *listener = fd_close(*listener);
                        return;
                }
                if (fd < 0 || getsockname(fd, &to.any, &to_size) < 0)
                        continue;
                key.family = from.any.sa_family;
                end_of(&from, &key.source);
                end_of(&to, &key.destination);
                Dial **link = find(o, &key);
                if (!*link || !(*link)->answered) /* a program inside has found the listener */
                        continue;
                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                (void) setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
                (void) o->ops.join(o->ops.context, TAKE_FD(fd), forget(o, link, /* keep_fd= */ true));
        }
}

/* Who has had its answer and did not come, or repeats its segment no more, has given up meanwhile. */
static void sweep(Outlet *o) {
        int64_t now = now_msec(), next = INT64_MAX;

        if (o->n_dials == 0 || now < o->next_sweep_msec)
                return;
        for (size_t i = 0; i < BUCKETS; i++)
                for (Dial **link = o->buckets + i; *link;) {
                        Dial *dial = *link;

                        if (dial->deadline_msec <= now) {
                                (void) forget(o, link, /* keep_fd= */ false);
                                continue;
                        }
                        next = MIN(next, dial->deadline_msec);
                        link = &dial->next;
                }
        o->next_sweep_msec = MAX(next, now + SWEEP_MSEC);
}

int outlet_timeout(const Outlet *o) {
        int64_t next = o->n_dials == 0 ? INT64_MAX : o->next_sweep_msec;

        if (o->hear_msec != 0)
                next = MIN(next, o->hear_msec);
        return next == INT64_MAX ? -1 : (int) MAX(next - now_msec(), (int64_t) 0);
}

void outlet_run(Outlet *o) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(o->epoll_fd, events, EVENTS, 0);

        for (int i = 0; i < n; i++) {
                void *what = events[i].data.ptr;

                if (what == &o->sockets.listener4 || what == &o->sockets.listener6)
                        on_listener(o, what);
                else
                        on_connected(o, what);
        }
        sweep(o);
        hear_again(o);
}
