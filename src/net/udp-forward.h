/* SPDX-License-Identifier: Apache-2.0 */
/* Published UDP ports, past libslirp.
 *
 * Theory of operation: libslirp knows one peer per published UDP port, and refuses the replies to a peer on the host's
 * loopback once host loopback is off. So datagrams are made into frames here, and the container's replies are taken off
 * the wire before libslirp sees them. A flow is one peer of one socket: it gives the container the peer's true address
 * where it can (S64), and otherwise (loopback, or an IPv6 peer of a server that only listens on IPv4) the gateway's. Its port
 * is the peer's, unless another flow to the same server looks like that: then it is one of the flow's own. A reply passes only if a flow is there, so the loopback is no more open than its peers asked. */
#pragma once

#include <stdint.h>

#include "net/frame-filter.h"

enum {
        UDP_FLOWS_LIMIT = 1024,
        UDP_FLOW_IDLE_MSEC = 180 * 1000, /* RFC 4787, REQ-5: two minutes at least */
};

typedef struct UdpForward UdpForward;

/* What the forwarder needs of its surroundings. */
typedef struct UdpForwardOps {
        void (*send_frame)(void *context, const uint8_t *frame, size_t size);
        /* whether the container listens on this UDP port in IPv6 */
        bool (*listens6)(void *context, uint16_t port);
        void *context;
} UdpForwardOps;

UdpForward *udp_forward_new(const NetAddresses *addresses, uint32_t mtu, const UdpForwardOps *ops);
UdpForward *udp_forward_free(UdpForward *forward);
DEFINE_CLEANUP(UdpForward, udp_forward_free)

/* Where a router's published port leads. */
typedef struct UdpTarget {
        uint64_t key;      /* of the container, for udp_forward_remove() */
        bool ipv4, ipv6;   /* the addresses that it has */
        struct in_addr address;
        struct in6_addr address6;
} UdpTarget;

/* Takes a bound socket over; its datagrams go to `container_port`, of the target (NULL: of the one container that there is). */
int udp_forward_add(UdpForward *forward, int fd, int family, uint16_t container_port, const UdpTarget *target);

/* Closes the sockets with this key. */
void udp_forward_remove(UdpForward *forward, uint64_t key);

/* The sockets to wait for, by number from 0; -EBADF: a number that is not in use. */
size_t udp_forward_count(const UdpForward *forward);
int udp_forward_fd(const UdpForward *forward, size_t i);

/* Reads what came to socket `i` and sends it to the container. */
void udp_forward_receive(UdpForward *forward, size_t i, int64_t now_msec);

/* Whether the frame answers a flow; it was sent to the peer then. */
bool udp_forward_reply(UdpForward *forward, const FrameInfo *info, int64_t now_msec);
