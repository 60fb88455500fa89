/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on the virtual wire: reading and writing fields, checksums, and the few frames that sdpod-net makes itself. */
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "net/net-config.h"

enum {
        ETHERNET_HEADER = 14,
        IP4_HEADER = 20,
        IP6_HEADER = 40,
        TCP_HEADER = 20,
        UDP_HEADER = 8,
        ICMP_HEADER = 8,
        FRAME_LIMIT = 65536,
};

static inline uint16_t packet_get16(const uint8_t *p) {
        return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t packet_get32(const uint8_t *p) {
        return (uint32_t) packet_get16(p) << 16 | packet_get16(p + 2);
}

static inline void packet_put16(uint8_t *p, size_t value) {
        p[0] = (uint8_t) (value >> 8);
        p[1] = (uint8_t) value;
}

/* Adds bytes to a ones' complement sum (RFC 1071); packet_checksum() folds and inverts it. */
uint64_t packet_sum(uint64_t sum, const void *data, size_t size);
uint16_t packet_checksum(uint64_t sum);

/* An address and a port as a packet has them; IPv4 uses the first four bytes. */
typedef struct PacketEnd {
        uint8_t address[16];
        uint16_t port; /* host byte order */
} PacketEnd;

/* Makes the Ethernet, IP and UDP headers before `size` bytes of payload that already stand at `frame` +
 * packet_udp_offset(family). `family` is AF_INET or AF_INET6. Returns the frame's size. */
size_t packet_udp_offset(int family);
size_t packet_make_udp(const NetAddresses *a, int family, const PacketEnd *from, const PacketEnd *to, uint8_t *frame,
                       size_t size);

typedef enum PacketRefusal {
        PACKET_PORT_UNREACHABLE, /* the sender sees "connection refused" */
        PACKET_PROHIBITED,       /* the sender sees "no route to host" (IPv4), "permission denied" (IPv6) */
        PACKET_NO_ROUTE,         /* the sender sees "network is unreachable" */
        PACKET_NO_HOST,          /* the sender sees "no route to host" */
        _PACKET_REFUSAL_MAX,
} PacketRefusal;

/* Makes the ICMP error (RFC 792, RFC 4443) from the gateway that answers `original`, a frame which frame_check() has
 * understood. `frame` has room for 256 bytes. Returns the frame's size. */
size_t packet_make_refusal(const NetAddresses *a, PacketRefusal refusal, const uint8_t *original, size_t original_size,
                           uint8_t *frame);

/* Makes the reset that answers an opening TCP segment (RFC 9293, section 3.10.7.1) from where it was to go; 74 bytes at most. */
size_t packet_make_reset(const NetAddresses *a, const uint8_t *original, uint8_t *frame);

/* What the container would announce by itself: an ARP announcement (RFC 5227) and an unsolicited neighbour
 * advertisement (RFC 4861, 7.2.6). libslirp learns the container's MAC from them. 64 bytes and 128 bytes of room. */
size_t packet_make_arp_announcement(const NetAddresses *a, uint8_t *frame);
size_t packet_make_advertisement(const NetAddresses *a, uint8_t *frame);
