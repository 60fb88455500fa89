/* SPDX-License-Identifier: Apache-2.0 */
/* Carries published UDP ports. */
#include "net/udp-forward.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

enum {
        BUCKETS = 256,
        NOBODY = UINT16_MAX, /* the end of a chain */
        RECEIVE_BATCH = 32,
};

typedef union UdpPeer {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
} UdpPeer;

/* The host's own address that a datagram came to. */
typedef union UdpLocal {
        struct in_pktinfo in;
        struct in6_pktinfo in6;
} UdpLocal;

typedef struct UdpSocket {
        int fd, family;    /* -EBADF: free */
        uint16_t container_port;
        UdpTarget target;
} UdpSocket;

typedef struct UdpFlow {
        int64_t used;      /* milliseconds; 0: free */
        size_t socket;
        UdpPeer peer;
        UdpLocal local;
        int seen_family;   /* how the container knows the peer */
        PacketEnd seen;
        uint16_t next_by_peer, next_by_seen;
} UdpFlow;

struct UdpForward {
        NetAddresses addresses;
        uint32_t mtu;
        UdpForwardOps ops;
        UdpSocket *sockets;
        size_t n_sockets;
        UdpFlow *flows;    /* UDP_FLOWS_LIMIT of them once there is a socket */
        uint8_t *frame;    /* FRAME_LIMIT bytes */
        uint16_t by_peer[BUCKETS], by_seen[BUCKETS];
        uint16_t next_port; /* tried next for a peer that needs a port of its own */
};

UdpForward *udp_forward_new(const NetAddresses *addresses, uint32_t mtu, const UdpForwardOps *ops) {
        UdpForward *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        f->addresses = *addresses;
        f->mtu = mtu;
        f->ops = *ops;
        f->next_port = 49152;
        memset(f->by_peer, 0xff, sizeof(f->by_peer));
        memset(f->by_seen, 0xff, sizeof(f->by_seen));
        return f;
}

UdpForward *udp_forward_free(UdpForward *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < f->n_sockets; i++)
                (void) fd_close(f->sockets[i].fd);
        free(f->sockets);
        free(f->flows);
        free(f->frame);
        free(f);
        return NULL;
}

static UdpSocket *take_socket(UdpForward *f) {
        for (size_t i = 0; i < f->n_sockets; i++)
                if (f->sockets[i].fd < 0)
                        return f->sockets + i;
        UdpSocket *sockets = reallocarray(f->sockets, f->n_sockets + 1, sizeof(*sockets));
        if (!sockets)
                return NULL;
        f->sockets = sockets;
        return f->sockets + f->n_sockets++;
}

int udp_forward_add(UdpForward *f, int fd, int family, uint16_t container_port, const UdpTarget *target) {
        const UdpTarget only = { .ipv4 = true, .ipv6 = f->addresses.ipv6, .address = f->addresses.container, .address6 = f->addresses.container6 };
        UdpSocket *s = take_socket(f);

        if (s)
                *s = (UdpSocket){ .fd = -EBADF };
        if (!f->flows)
                f->flows = calloc(UDP_FLOWS_LIMIT, sizeof(*f->flows));
        if (!f->frame)
                f->frame = malloc(FRAME_LIMIT);
        if (!s || !f->flows || !f->frame) {
                (void) fd_close(fd);
                return -ENOMEM;
        }
        *s = (UdpSocket){ .fd = fd, .family = family, .container_port = container_port, .target = target ? *target : only };
        return 0;
}

size_t udp_forward_count(const UdpForward *f) {
        return f->n_sockets;
}

int udp_forward_fd(const UdpForward *f, size_t i) {
        return f->sockets[i].fd;
}

static unsigned hash(const void *data, size_t size, unsigned seed) {
        const uint8_t *p = data;
        unsigned h = 2166136261U ^ seed; /* FNV-1a */

        for (size_t i = 0; i < size; i++)
                h = (h ^ p[i]) * 16777619U;
        return (h ^ h >> 16) % BUCKETS;
}

static unsigned hash_peer(const UdpPeer *peer, size_t socket_number) {
        if (peer->any.sa_family == AF_INET)
                return hash(&peer->in.sin_addr, 4, peer->in.sin_port + (unsigned) socket_number);
        return hash(&peer->in6.sin6_addr, 16, peer->in6.sin6_port + (unsigned) socket_number);
}

static unsigned hash_seen(int family, const PacketEnd *seen) {
        return hash(seen->address, family == AF_INET ? 4 : 16, seen->port);
}

static bool peer_equal(const UdpPeer *a, const UdpPeer *b) {
        if (a->any.sa_family != b->any.sa_family)
                return false;
        if (a->any.sa_family == AF_INET)
                return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
        return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
}

static UdpFlow *find_by_peer(UdpForward *f, size_t socket_number, const UdpPeer *peer) {
        for (uint16_t i = f->by_peer[hash_peer(peer, socket_number)]; i != NOBODY; i = f->flows[i].next_by_peer)
                if (f->flows[i].socket == socket_number && peer_equal(&f->flows[i].peer, peer))
                        return f->flows + i;
        return NULL;
}

static const void *target_address(const UdpTarget *target, int family) {
        return family == AF_INET ? (const void *) &target->address : &target->address6;
}

/* A flow by what the container sees: the peer, and its own end. */
static UdpFlow *find_by_seen(UdpForward *f, int family, const PacketEnd *seen, const PacketEnd *container) {
        for (uint16_t i = f->by_seen[hash_seen(family, seen)]; i != NOBODY; i = f->flows[i].next_by_seen) {
                UdpFlow *flow = f->flows + i;

                if (flow->seen_family == family && flow->seen.port == seen->port &&
                    memcmp(flow->seen.address, seen->address, family == AF_INET ? 4 : 16) == 0 &&
                    f->sockets[flow->socket].container_port == container->port &&
                    memcmp(target_address(&f->sockets[flow->socket].target, family), container->address, family == AF_INET ? 4 : 16) == 0)
                        return flow;
        }
        return NULL;
}

static void unlink_flow(UdpForward *f, uint16_t number) {
        UdpFlow *flow = f->flows + number;
        uint16_t *at = &f->by_peer[hash_peer(&flow->peer, flow->socket)];

        while (*at != number)
                at = &f->flows[*at].next_by_peer;
        *at = flow->next_by_peer;
        at = &f->by_seen[hash_seen(flow->seen_family, &flow->seen)];
        while (*at != number)
                at = &f->flows[*at].next_by_seen;
        *at = flow->next_by_seen;
        *flow = (UdpFlow){};
}

static void link_flow(UdpForward *f, uint16_t number) {
        UdpFlow *flow = f->flows + number;
        uint16_t *head = &f->by_peer[hash_peer(&flow->peer, flow->socket)];

        flow->next_by_peer = *head;
        *head = number;
        head = &f->by_seen[hash_seen(flow->seen_family, &flow->seen)];
        flow->next_by_seen = *head;
        *head = number;
}

/* A free place, the one unused for longest if none is. */
static uint16_t take_place(UdpForward *f) {
        size_t oldest = 0;

        for (size_t i = 0; i < UDP_FLOWS_LIMIT; i++)
                if (f->flows[i].used < f->flows[oldest].used)
                        oldest = i;
        if (f->flows[oldest].used != 0)
                unlink_flow(f, (uint16_t) oldest);
        return (uint16_t) oldest;
}

/* Addresses that the container cannot answer, or must not see: those of its own network and what the wire does not carry. */
static bool needs_gateway4(const UdpForward *f, const uint8_t *address) {
        uint32_t n = packet_get32(address);

        return n >> 24 == 127 || n >> 24 == 0 || n >> 24 >= 224 ||
               (n & ntohl(f->addresses.netmask.s_addr)) == ntohl(f->addresses.network.s_addr);
}

static bool needs_gateway6(const UdpForward *f, const struct in6_addr *address) {
        return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_V4MAPPED(address) ||
               memcmp(address, &f->addresses.network6, f->addresses.prefix6 / 8) == 0;
}

static PacketEnd container_end(const UdpSocket *s, int family) {
        PacketEnd end = { .port = s->container_port };

        memcpy(end.address, target_address(&s->target, family), family == AF_INET ? 4 : 16);
        return end;
}

/* As who it would be seen without any need for the gateway; whether there is one. */
static bool see_as_is(UdpForward *f, UdpFlow *flow) {
        const UdpSocket *s = f->sockets + flow->socket;

        flow->seen_family = s->family;
        if (s->family == AF_INET) {
                memcpy(flow->seen.address, &flow->peer.in.sin_addr, 4);
                flow->seen.port = ntohs(flow->peer.in.sin_port);
                if (s->target.ipv4)
                        return !needs_gateway4(f, flow->seen.address);
                flow->seen_family = AF_INET6;
                return false;
        }
        memcpy(flow->seen.address, &flow->peer.in6.sin6_addr, 16);
        flow->seen.port = ntohs(flow->peer.in6.sin6_port);
        if (s->target.ipv6 && f->addresses.ipv6 && f->ops.listens6(f->ops.context, s->container_port))
                return !needs_gateway6(f, &flow->peer.in6.sin6_addr);
        flow->seen_family = AF_INET;
        return false;
}

/* Decides how the container sees the peer of a new flow. */
static int choose_seen(UdpForward *f, UdpFlow *flow) {
        bool gateway = !see_as_is(f, flow);
        const PacketEnd container = container_end(f->sockets + flow->socket, flow->seen_family);

        if (gateway) {
                memset(flow->seen.address, 0, sizeof(flow->seen.address));
                if (flow->seen_family == AF_INET)
                        memcpy(flow->seen.address, &f->addresses.gateway, 4);
                else
                        memcpy(flow->seen.address, &f->addresses.gateway6, 16);
        }
        /* the same peer may ask two published ports that lead to one: its replies must be told apart, by another port of its */
        for (int i = 0; i <= UDP_FLOWS_LIMIT; i++) {
                if (flow->seen.port != 0 && !find_by_seen(f, flow->seen_family, &flow->seen, &container))
                        return 0;
                flow->seen.port = f->next_port;
                f->next_port = f->next_port == UINT16_MAX ? 49152 : (uint16_t) (f->next_port + 1);
        }
        return -EADDRINUSE;
}

static UdpFlow *make_flow(UdpForward *f, size_t socket_number, const UdpPeer *peer) {
        uint16_t number = take_place(f);
        UdpFlow *flow = f->flows + number;

        *flow = (UdpFlow){ .socket = socket_number, .peer = *peer };
        if (choose_seen(f, flow) < 0) {
                *flow = (UdpFlow){};
                return NULL;
        }
        link_flow(f, number);
        return flow;
}

static void read_local(struct msghdr *message, UdpLocal *ret) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
                        memcpy(&ret->in, CMSG_DATA(c), sizeof(ret->in));
                else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
                        memcpy(&ret->in6, CMSG_DATA(c), sizeof(ret->in6));
        }
}

/* Reads one datagram; false when there is none. */
static bool receive_one(UdpForward *f, size_t socket_number, int64_t now) {
        const UdpSocket *s = f->sockets + socket_number;
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(UdpLocal))];
        } control = {};
        /* the payload goes where the larger header leaves it, and moves only for an IPv6 peer seen as IPv4 */
        size_t offset = packet_udp_offset(s->family);
        struct iovec iov = { .iov_base = f->frame + offset, .iov_len = FRAME_LIMIT - offset };
        UdpPeer peer = {};
        struct msghdr message = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &iov, .msg_iovlen = 1,
                                  .msg_control = &control, .msg_controllen = sizeof(control) };

        ssize_t n = recvmsg(s->fd, &message, 0);
        if (n < 0)
                return errno != EAGAIN; /* an ICMP error of an earlier reply: nothing to tell */
        UdpFlow *flow = find_by_peer(f, socket_number, &peer);
        if (!flow)
                flow = make_flow(f, socket_number, &peer);
        if (!flow)
                return true;
        flow->used = now;
        read_local(&message, &flow->local);
        size_t wanted = packet_udp_offset(flow->seen_family);
        if (wanted - ETHERNET_HEADER + (size_t) n > f->mtu)
                return true; /* would need fragments, which the wire does not carry */
        if (wanted != offset)
                memmove(f->frame + wanted, f->frame + offset, (size_t) n);
        const PacketEnd to = container_end(s, flow->seen_family);
        size_t size = packet_make_udp(&f->addresses, flow->seen_family, &flow->seen, &to, f->frame, (size_t) n);
        f->ops.send_frame(f->ops.context, f->frame, size);
        return true;
}

void udp_forward_remove(UdpForward *f, uint64_t key) {
        for (size_t i = 0; i < f->n_sockets; i++) {
                if (f->sockets[i].fd < 0 || f->sockets[i].target.key != key)
                        continue;
                for (unsigned k = 0; k < UDP_FLOWS_LIMIT; k++)
                        if (f->flows[k].used != 0 && f->flows[k].socket == i)
                                unlink_flow(f, (uint16_t) k);
                f->sockets[i] = (UdpSocket){ .fd = fd_close(f->sockets[i].fd) };
        }
}

void udp_forward_receive(UdpForward *f, size_t i, int64_t now_msec) {
        for (int n = 0; n < RECEIVE_BATCH; n++)
                if (!receive_one(f, i, now_msec))
                        return;
}

static void send_to_peer(const UdpForward *f, UdpFlow *flow, const FrameInfo *info) {
        const UdpSocket *s = f->sockets + flow->socket;
        bool in = s->family == AF_INET;
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(UdpLocal))];
        } control = {};
        struct iovec iov = { .iov_base = (void *) info->payload, .iov_len = info->payload_size };
        size_t local_size = in ? sizeof(flow->local.in) : sizeof(flow->local.in6);
        struct msghdr message = { .msg_name = &flow->peer, .msg_namelen = in ? sizeof(flow->peer.in) : sizeof(flow->peer.in6),
                                  .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = CMSG_SPACE(local_size) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = in ? IPPROTO_IP : IPPROTO_IPV6;
        c->cmsg_type = in ? IP_PKTINFO : IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(local_size);
        if (in)
                flow->local.in.ipi_ifindex = 0; /* the way back is the routing's business */
        else if (!IN6_IS_ADDR_LINKLOCAL(&flow->local.in6.ipi6_addr))
                flow->local.in6.ipi6_ifindex = 0;
        memcpy(CMSG_DATA(c), &flow->local, local_size);
        (void) sendmsg(s->fd, &message, MSG_NOSIGNAL); /* a datagram may get lost */
}

bool udp_forward_reply(UdpForward *f, const FrameInfo *info, int64_t now_msec) {
        if (f->n_sockets == 0 || info->family == 0 || info->protocol != IPPROTO_UDP)
                return false;
        UdpFlow *flow = find_by_seen(f, info->family, &info->destination, &info->source);
        if (!flow || now_msec - flow->used > UDP_FLOW_IDLE_MSEC)
                return false;
        flow->used = now_msec;
        send_to_peer(f, flow, info);
        return true;
}
