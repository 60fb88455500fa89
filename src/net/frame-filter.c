/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which of the container's frames libslirp gets to see; see the header for why. */
#include "net/frame-filter.h"

#include <net/ethernet.h>

enum {
        TCP_SYN = 0x02,
        TCP_ACK = 0x10,
        PORT_DNS = 53,
        PORT_BOOTP_SERVER = 67,
        PORT_TFTP = 69,
        PORT_DHCP6_CLIENT = 546,
        PORT_DHCP6_SERVER = 547,
        ICMP_ECHO_REQUEST = 8,
        ICMP6_ECHO_REQUEST = 128,
        ICMP6_SOLICITATION = 135,
        ICMP6_ADVERTISEMENT = 136,
};

/* What kind of place a destination is. */
typedef enum Place {
        PLACE_NOWHERE,   /* never a destination: drop */
        PLACE_OUTSIDE,
        PLACE_GATEWAY,   /* the host's loopback, if that is allowed */
        PLACE_DNS,
        PLACE_EMPTY,     /* the rest of the virtual network */
        PLACE_LINK_LOCAL,
} Place;

static Place place_of4(const FrameFilter *f, const uint8_t *address) {
        uint32_t n = packet_get32(address), network, netmask;

        if (memcmp(address, &f->addresses.gateway, 4) == 0)
                return PLACE_GATEWAY;
        if (memcmp(address, &f->addresses.dns, 4) == 0)
                return PLACE_DNS;
        /* this network, loopback, multicast, reserved and broadcast (RFC 6890) */
        if (n >> 24 == 0 || n >> 24 == 127 || n >> 24 >= 224)
                return PLACE_NOWHERE;
        if (n >> 16 == 0xa9fe)
                return PLACE_LINK_LOCAL;
        network = packet_get32((const uint8_t *) &f->addresses.network);
        netmask = packet_get32((const uint8_t *) &f->addresses.netmask);
        if ((n & netmask) == network)
                return (n & ~netmask) == ~netmask ? PLACE_NOWHERE : PLACE_EMPTY;
        return PLACE_OUTSIDE;
}

static Place place_of6(const FrameFilter *f, const uint8_t *address) {
        static const uint8_t slirp_link_local[16] = { 0xfe, 0x80, [15] = 2 }, zero[12] = {},
                             mapped[12] = { [10] = 0xff, 0xff };

        if (memcmp(address, &f->addresses.gateway6, 16) == 0)
                return PLACE_GATEWAY;
        if (memcmp(address, &f->addresses.dns6, 16) == 0)
                return PLACE_DNS;
        /* the unspecified address, loopback, IPv4-compatible and IPv4-mapped ones, multicast */
        if (memcmp(address, zero, 12) == 0 || memcmp(address, mapped, 12) == 0 || address[0] == 0xff)
                return PLACE_NOWHERE;
        if (memcmp(address, slirp_link_local, 16) == 0)
                return PLACE_EMPTY;
        if (address[0] == 0xfe && address[1] >= 0x80) /* fe80::/10, and the old site-local fec0::/10 */
                return PLACE_LINK_LOCAL;
        if (memcmp(address, &f->addresses.network6, f->addresses.prefix6 / 8) == 0)
                return PLACE_EMPTY;
        return PLACE_OUTSIDE;
}

static FrameVerdict judge_tcp(const FrameFilter *f, Place place, uint8_t flags, const FrameInfo *info) {
        /* only a SYN opens anything, and only the kernel's own kind of SYN */
        if (!(flags & TCP_SYN) || (flags & TCP_ACK))
                return FRAME_PASS;
        switch (place) {
        case PLACE_OUTSIDE:
                return FRAME_PASS;
        case PLACE_GATEWAY:
                return f->allow_host_loopback ? FRAME_PASS : FRAME_REFUSE;
        case PLACE_DNS:
                return info->destination.port == PORT_DNS ? FRAME_PASS : FRAME_REFUSE;
        case PLACE_EMPTY:
                return FRAME_REFUSE;
        case PLACE_LINK_LOCAL:
                return FRAME_PROHIBIT;
        case PLACE_NOWHERE:
        default:
                return FRAME_DROP;
        }
}

static FrameVerdict judge_udp(const FrameFilter *f, Place place, const FrameInfo *info) {
        uint16_t port = info->destination.port;

        if (place == PLACE_OUTSIDE)
                return FRAME_PASS;
        if (place == PLACE_NOWHERE)
                return FRAME_DROP;
        /* libslirp's own servers stay silent, whatever they are configured to do */
        if ((port >= PORT_BOOTP_SERVER && port <= PORT_TFTP) || port == PORT_DHCP6_CLIENT || port == PORT_DHCP6_SERVER)
                return FRAME_DROP;
        if (place == PLACE_LINK_LOCAL)
                return FRAME_PROHIBIT;
        if (place == PLACE_DNS && port == PORT_DNS)
                return FRAME_PASS;
        return place == PLACE_GATEWAY && f->allow_host_loopback ? FRAME_PASS : FRAME_REFUSE;
}

static FrameVerdict judge_echo(Place place) {
        switch (place) {
        case PLACE_OUTSIDE:
        case PLACE_GATEWAY: /* libslirp answers by itself */
        case PLACE_DNS:
                return FRAME_PASS;
        case PLACE_LINK_LOCAL:
                return FRAME_PROHIBIT;
        default:
                return FRAME_DROP;
        }
}

/* The transport's header: `p` has `size` bytes, all that the IP header says and no more. */
static FrameVerdict check_transport(const FrameFilter *f, Place place, const uint8_t *p, size_t size, FrameInfo *info) {
        if (info->protocol == IPPROTO_TCP) {
                if (size < TCP_HEADER || (size_t) (p[12] >> 4) * 4 < TCP_HEADER || (size_t) (p[12] >> 4) * 4 > size)
                        return FRAME_DROP;
                info->source.port = packet_get16(p);
                info->destination.port = packet_get16(p + 2);
                return place == PLACE_NOWHERE ? FRAME_DROP : judge_tcp(f, place, p[13], info);
        }
        if (info->protocol == IPPROTO_UDP) {
                if (size < UDP_HEADER || packet_get16(p + 4) != size)
                        return FRAME_DROP;
                info->source.port = packet_get16(p);
                info->destination.port = packet_get16(p + 2);
                info->payload = p + UDP_HEADER;
                info->payload_size = size - UDP_HEADER;
                return judge_udp(f, place, info);
        }
        if (size >= ICMP_HEADER && p[1] == 0 &&
            p[0] == (info->protocol == IPPROTO_ICMP ? (uint8_t) ICMP_ECHO_REQUEST : (uint8_t) ICMP6_ECHO_REQUEST))
                return judge_echo(place);
        return FRAME_DROP;
}

static FrameVerdict check_ip4(const FrameFilter *f, const uint8_t *frame, size_t size, FrameInfo *info) {
        const uint8_t *p = frame + ETHERNET_HEADER;
        size_t room = size - ETHERNET_HEADER;

        /* version 4 and five words: no options, so no source routes */
        if (room < IP4_HEADER || p[0] != 0x45)
                return FRAME_DROP;
        size_t total = packet_get16(p + 2);
        if (total < IP4_HEADER || total > room)
                return FRAME_DROP;
        if (packet_get16(p + 6) & ~0x4000) /* anything but "do not fragment": a fragment, or the reserved bit */
                return FRAME_DROP;
        bool own = memcmp(p + 12, &f->addresses.container, 4) == 0;
        if (!own && !(f->router && p[9] == IPPROTO_UDP))
                return FRAME_DROP;
        info->family = AF_INET;
        info->protocol = p[9];
        memcpy(info->source.address, p + 12, 4);
        memcpy(info->destination.address, p + 16, 4);
        if (info->protocol != IPPROTO_TCP && info->protocol != IPPROTO_UDP && info->protocol != IPPROTO_ICMP)
                return FRAME_DROP;
        Place place = place_of4(f, p + 16);
        info->to_dns = place == PLACE_DNS;
        FrameVerdict verdict = check_transport(f, place, p + IP4_HEADER, total - IP4_HEADER, info);
        return own || verdict == FRAME_DROP ? verdict : FRAME_REPLY;
}

/* Neighbour discovery: questions about libslirp's addresses, and answers about the container's own (RFC 4861). */
static FrameVerdict check_neighbour(const FrameFilter *f, const uint8_t *source, uint8_t hops, const uint8_t *p, size_t size) {
        const uint8_t *target = p + 8;

        if (size < 24 || p[1] != 0 || hops != 255)
                return FRAME_DROP;
        if (p[0] == ICMP6_ADVERTISEMENT)
                return memcmp(target, source, 16) == 0 ? FRAME_PASS : FRAME_DROP;
        Place place = place_of6(f, target);
        return place == PLACE_GATEWAY || place == PLACE_DNS || place == PLACE_EMPTY ? FRAME_PASS : FRAME_DROP;
}

static FrameVerdict check_ip6(const FrameFilter *f, const uint8_t *frame, size_t size, FrameInfo *info) {
        const uint8_t *p = frame + ETHERNET_HEADER, *transport = p + IP6_HEADER;
        size_t room = size - ETHERNET_HEADER;

        if (!f->addresses.ipv6 || room < IP6_HEADER || p[0] >> 4 != 6)
                return FRAME_DROP;
        size_t payload = packet_get16(p + 4);
        if (payload > room - IP6_HEADER)
                return FRAME_DROP;
        /* what follows must be the transport itself: no extension header is looked behind */
        info->protocol = p[6];
        bool global = memcmp(p + 8, &f->addresses.container6, 16) == 0;
        bool behind = !global && f->router && info->protocol == IPPROTO_UDP;
        if (!global && !behind && memcmp(p + 8, &f->addresses.link_local6, 16) != 0)
                return FRAME_DROP;
        if (info->protocol == IPPROTO_ICMPV6 && payload >= ICMP_HEADER &&
            (transport[0] == ICMP6_SOLICITATION || transport[0] == ICMP6_ADVERTISEMENT))
                return check_neighbour(f, p + 8, p[7], transport, payload);
        if ((!global && !behind) || (info->protocol != IPPROTO_TCP && info->protocol != IPPROTO_UDP && info->protocol != IPPROTO_ICMPV6))
                return FRAME_DROP;
        info->family = AF_INET6;
        memcpy(info->source.address, p + 8, 16);
        memcpy(info->destination.address, p + 24, 16);
        Place place = place_of6(f, p + 24);
        info->to_dns = place == PLACE_DNS;
        /* libslirp cannot send echo requests on: say so at once instead of letting ping wait */
        if (info->protocol == IPPROTO_ICMPV6 && place == PLACE_OUTSIDE && payload >= ICMP_HEADER &&
            transport[0] == ICMP6_ECHO_REQUEST)
                return FRAME_PROHIBIT;
        FrameVerdict verdict = check_transport(f, place, transport, payload, info);
        return behind && verdict != FRAME_DROP ? FRAME_REPLY : verdict;
}

static FrameVerdict check_arp(const FrameFilter *f, const uint8_t *frame, size_t size) {
        static const uint8_t ethernet_ip4[6] = { 0, 1, 8, 0, 6, 4 };
        const uint8_t *p = frame + ETHERNET_HEADER;

        if (size < ETHERNET_HEADER + 28 || memcmp(p, ethernet_ip4, 6) != 0)
                return FRAME_DROP;
        uint16_t operation = packet_get16(p + 6);
        if (operation != 1 && operation != 2)
                return FRAME_DROP;
        if (memcmp(p + 8, f->addresses.mac, 6) != 0 || memcmp(p + 14, &f->addresses.container, 4) != 0)
                return FRAME_DROP;
        return FRAME_PASS;
}

FrameVerdict frame_check(const FrameFilter *filter, const uint8_t *frame, size_t size, FrameInfo *ret) {
        FrameVerdict verdict = FRAME_DROP;
        FrameInfo info = {};

        if (size < ETHERNET_HEADER || size > FRAME_LIMIT || memcmp(frame + 6, filter->addresses.mac, 6) != 0)
                return FRAME_DROP;
        switch (packet_get16(frame + 12)) {
        case ETHERTYPE_ARP:
                verdict = check_arp(filter, frame, size);
                break;
        case ETHERTYPE_IP:
                verdict = check_ip4(filter, frame, size, &info);
                break;
        case ETHERTYPE_IPV6:
                verdict = check_ip6(filter, frame, size, &info);
                break;
        default:
                return FRAME_DROP;
        }
        if (verdict != FRAME_DROP)
                *ret = info;
        return verdict;
}
