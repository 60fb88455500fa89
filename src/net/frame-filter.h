/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the container's frames libslirp gets to see.
 *
 * Theory of operation: the container may hold CAP_NET_RAW or CAP_NET_ADMIN and write any bytes to the wire, and libslirp
 * (4.7) opens a host socket to whatever destination a packet names: 127.0.0.1 too, with `disable_host_loopback` set. So
 * nothing goes to slirp_input() that was not understood here, whole, first:
 *   - Ethernet from the container's own MAC; ARP, IPv4 and IPv6 only, each from the container's own address;
 *   - IP without options, fragments and extension headers, with lengths that agree with the frame's, as they are what
 *     parsers differ about;
 *   - TCP, UDP and echo requests, and of neighbour discovery what libslirp needs to answer;
 *   - a destination that policy allows. A TCP segment other than the opening SYN only reaches a connection that exists
 *     (libslirp answers it with a reset otherwise), so it passes where a SYN would be refused: that is how replies of
 *     published ports come back to peers on the host's loopback, which the container knows as the gateway. */
#pragma once

#include <stdint.h>

#include "net/net-config.h"
#include "net/packet.h"

typedef enum FrameVerdict {
        FRAME_DROP,     /* not understood, spoofed, or nobody's business: silence */
        FRAME_PASS,
        FRAME_REFUSE,   /* well formed, but nothing is there: answer PACKET_PORT_UNREACHABLE */
        FRAME_PROHIBIT, /* well formed, but not allowed: answer PACKET_PROHIBITED */
        FRAME_REPLY,    /* of a router: a container's datagram that has not become the router's own: it passes only where it answers a
                         * published port (net/udp-forward.h), and libslirp never sees it */
} FrameVerdict;

typedef struct FrameFilter {
        NetAddresses addresses;
        bool allow_host_loopback;
        bool router; /* there are containers behind it, with addresses of their own */
} FrameFilter;

/* What a frame with a verdict other than FRAME_DROP holds. */
typedef struct FrameInfo {
        int family;       /* AF_INET, AF_INET6; 0 for ARP and neighbour discovery */
        uint8_t protocol; /* IPPROTO_* */
        bool to_dns;      /* goes to the virtual DNS address */
        PacketEnd source, destination; /* ports for TCP and UDP */
        const uint8_t *payload; /* of UDP; borrowed from the frame */
        size_t payload_size;
} FrameInfo;

/* Judges one Ethernet frame. Pure: no state, no allocation, reads no byte beyond `size`. */
FrameVerdict frame_check(const FrameFilter *filter, const uint8_t *frame, size_t size, FrameInfo *ret);
