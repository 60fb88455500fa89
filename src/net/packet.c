/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the frames that sdpod-net sends by itself. */
#include "net/packet.h"

#include <net/ethernet.h>

uint64_t packet_sum(uint64_t sum, const void *data, size_t size) {
        const uint8_t *p = data;

        for (; size >= 4; p += 4, size -= 4)
                sum += packet_get32(p);
        if (size >= 2) {
                sum += packet_get16(p);
                p += 2;
                size -= 2;
        }
        if (size > 0)
                sum += (uint64_t) *p << 8;
        return sum;
}

uint16_t packet_checksum(uint64_t sum) {
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t) ~sum;
}

static void put_ethernet(const NetAddresses *a, uint16_t type, uint8_t *frame) {
        /* libslirp's own form for the gateway's MAC: 52:55 and its IPv4 address */
        memcpy(frame, a->mac, 6);
        frame[6] = 0x52;
        frame[7] = 0x55;
        memcpy(frame + 8, &a->gateway, 4);
        packet_put16(frame + 12, type);
}

static void put_ip4(uint8_t protocol, const uint8_t *from, const uint8_t *to, size_t payload, uint8_t *p) {
        memset(p, 0, IP4_HEADER);
        p[0] = 0x45;
        packet_put16(p + 2, IP4_HEADER + payload);
        p[6] = 0x40; /* do not fragment */
        p[8] = 64;
        p[9] = protocol;
        memcpy(p + 12, from, 4);
        memcpy(p + 16, to, 4);
        packet_put16(p + 10, packet_checksum(packet_sum(0, p, IP4_HEADER)));
}

static void put_ip6(uint8_t protocol, const uint8_t *from, const uint8_t *to, size_t payload, uint8_t hops, uint8_t *p) {
        memset(p, 0, IP6_HEADER);
        p[0] = 0x60;
        packet_put16(p + 4, payload);
        p[6] = protocol;
        p[7] = hops;
        memcpy(p + 8, from, 16);
        memcpy(p + 24, to, 16);
}

/* The sum of the pseudo header and of `size` bytes at `data`. */
static uint64_t sum_with_pseudo(uint8_t protocol, size_t width, const uint8_t *from, const uint8_t *to, const uint8_t *data,
                                size_t size) {
        return packet_sum(packet_sum(packet_sum(protocol + size, from, width), to, width), data, size);
}

size_t packet_udp_offset(int family) {
        return ETHERNET_HEADER + (family == AF_INET ? IP4_HEADER : IP6_HEADER) + UDP_HEADER;
}

size_t packet_make_udp(const NetAddresses *a, int family, const PacketEnd *from, const PacketEnd *to, uint8_t *frame,
                       size_t size) {
        size_t width = family == AF_INET ? 4 : 16, offset = packet_udp_offset(family);
        uint8_t *udp = frame + offset - UDP_HEADER;

        put_ethernet(a, family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6, frame);
        if (family == AF_INET)
                put_ip4(IPPROTO_UDP, from->address, to->address, UDP_HEADER + size, frame + ETHERNET_HEADER);
        else
                put_ip6(IPPROTO_UDP, from->address, to->address, UDP_HEADER + size, 64, frame + ETHERNET_HEADER);
        packet_put16(udp, from->port);
        packet_put16(udp + 2, to->port);
        packet_put16(udp + 4, UDP_HEADER + size);
        packet_put16(udp + 6, 0);
        uint16_t sum = packet_checksum(sum_with_pseudo(IPPROTO_UDP, width, from->address, to->address, udp, UDP_HEADER + size));
        packet_put16(udp + 6, sum == 0 ? 0xffff : sum);
        return offset + size;
}

/* RFC 792, RFC 1812 (5.2.7.1), RFC 4443 (3.1) */
static const struct {
        uint8_t code4, code6;
} unreachable[_PACKET_REFUSAL_MAX] = {
        [PACKET_PORT_UNREACHABLE] = { 3, 4 },
        [PACKET_PROHIBITED] = { 13, 1 },
        [PACKET_NO_ROUTE] = { 0, 0 },
        [PACKET_NO_HOST] = { 1, 3 },
};

size_t packet_make_refusal(const NetAddresses *a, PacketRefusal refusal, const uint8_t *original, size_t original_size,
                           uint8_t *frame) {
        bool ip4 = packet_get16(original + 12) == ETHERTYPE_IP;
        size_t header = ip4 ? IP4_HEADER : IP6_HEADER;
        size_t quoted = MIN(original_size - ETHERNET_HEADER, ip4 ? (size_t) IP4_HEADER + 8 : (size_t) 128);
        uint8_t *icmp = frame + ETHERNET_HEADER + header;

        put_ethernet(a, ip4 ? ETHERTYPE_IP : ETHERTYPE_IPV6, frame);
        memset(icmp, 0, ICMP_HEADER);
        memcpy(icmp + ICMP_HEADER, original + ETHERNET_HEADER, quoted);
        if (ip4) {
                put_ip4(IPPROTO_ICMP, (const uint8_t *) &a->gateway, original + ETHERNET_HEADER + 12, ICMP_HEADER + quoted,
                        frame + ETHERNET_HEADER);
                icmp[0] = 3;
                icmp[1] = unreachable[refusal].code4;
                packet_put16(icmp + 2, packet_checksum(packet_sum(0, icmp, ICMP_HEADER + quoted)));
        } else {
                const uint8_t *to = original + ETHERNET_HEADER + 8;

                put_ip6(IPPROTO_ICMPV6, a->gateway6.s6_addr, to, ICMP_HEADER + quoted, 64, frame + ETHERNET_HEADER);
                icmp[0] = 1;
                icmp[1] = unreachable[refusal].code6;
                packet_put16(icmp + 2, packet_checksum(sum_with_pseudo(IPPROTO_ICMPV6, 16, a->gateway6.s6_addr, to, icmp,
                                                                       ICMP_HEADER + quoted)));
        }
        return ETHERNET_HEADER + header + ICMP_HEADER + quoted;
}

size_t packet_make_reset(const NetAddresses *a, const uint8_t *original, uint8_t *frame) {
        bool ip4 = packet_get16(original + 12) == ETHERTYPE_IP;
        size_t header = ip4 ? IP4_HEADER : IP6_HEADER, width = ip4 ? 4 : 16;
        const uint8_t *ip = original + ETHERNET_HEADER, *asked = ip + header, *from = ip + (ip4 ? 16 : 24), *to = ip + (ip4 ? 12 : 8);
        size_t total = ip4 ? packet_get16(ip + 2) - (size_t) IP4_HEADER : packet_get16(ip + 4);
        uint32_t acknowledged = packet_get32(asked + 4) + 1 + (uint32_t) (total - (size_t) (asked[12] >> 4) * 4);
        uint8_t *tcp = frame + ETHERNET_HEADER + header;

        put_ethernet(a, ip4 ? ETHERTYPE_IP : ETHERTYPE_IPV6, frame);
        if (ip4)
                put_ip4(IPPROTO_TCP, from, to, TCP_HEADER, frame + ETHERNET_HEADER);
        else
                put_ip6(IPPROTO_TCP, from, to, TCP_HEADER, 64, frame + ETHERNET_HEADER);
        memset(tcp, 0, TCP_HEADER);
        memcpy(tcp, asked + 2, 2);
        memcpy(tcp + 2, asked, 2);
        packet_put16(tcp + 8, acknowledged >> 16);
        packet_put16(tcp + 10, acknowledged & 0xffff);
        tcp[12] = TCP_HEADER / 4 << 4;
        tcp[13] = 0x14; /* RST, ACK */
        packet_put16(tcp + 16, packet_checksum(sum_with_pseudo(IPPROTO_TCP, width, from, to, tcp, TCP_HEADER)));
        return ETHERNET_HEADER + header + TCP_HEADER;
}

size_t packet_make_arp_announcement(const NetAddresses *a, uint8_t *frame) {
        uint8_t *arp = frame + ETHERNET_HEADER;

        memset(frame, 0xff, 6);
        memcpy(frame + 6, a->mac, 6);
        packet_put16(frame + 12, ETHERTYPE_ARP);
        memset(arp, 0, 28);
        packet_put16(arp, 1);
        packet_put16(arp + 2, ETHERTYPE_IP);
        arp[4] = 6;
        arp[5] = 4;
        packet_put16(arp + 6, 1);
        memcpy(arp + 8, a->mac, 6);
        memcpy(arp + 14, &a->container, 4);
        memcpy(arp + 24, &a->container, 4);
        return ETHERNET_HEADER + 28;
}

size_t packet_make_advertisement(const NetAddresses *a, uint8_t *frame) {
        static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
        uint8_t *icmp = frame + ETHERNET_HEADER + IP6_HEADER;
        enum { SIZE = 32 };

        frame[0] = frame[1] = 0x33;
        memcpy(frame + 2, all_nodes + 12, 4);
        memcpy(frame + 6, a->mac, 6);
        packet_put16(frame + 12, ETHERTYPE_IPV6);
        put_ip6(IPPROTO_ICMPV6, a->container6.s6_addr, all_nodes, SIZE, 255, frame + ETHERNET_HEADER);
        memset(icmp, 0, SIZE);
        icmp[0] = 136;
        icmp[4] = 0x20; /* override */
        memcpy(icmp + 8, &a->container6, 16);
        icmp[24] = 2; /* target link-layer address, one unit of eight bytes */
        icmp[25] = 1;
        memcpy(icmp + 26, a->mac, 6);
        packet_put16(icmp + 2, packet_checksum(sum_with_pseudo(IPPROTO_ICMPV6, 16, a->container6.s6_addr, all_nodes, icmp, SIZE)));
        return ETHERNET_HEADER + IP6_HEADER + SIZE;
}
