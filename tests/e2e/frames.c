/* SPDX-License-Identifier: Apache-2.0 */
/* frames INTERFACE GATEWAY-MAC ME4 ME6 CLASS TARGET PORT writes one class of frames, of which none must reach TARGET:PORT, past
 * what the kernel would send (it needs CAP_NET_RAW). TARGET is of the host or of the virtual network; frames of classes that are
 * about one family are sent for the other, too, where that means something. Then it listens for a moment, and prints what came
 * back: "syn-ack", "udp PORT" of the source, "dhcp"; nothing where it was silence, a reset or an ICMP error. `control` is decent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "frame.h"

enum { LISTEN_MSEC = 80, SOURCE_PORT = 41000 };

static uint8_t mac[6], gateway[6], me4[4], me6[16], target[16];
static uint16_t port;
static int is6;

static void frame(unsigned type, const uint8_t *packet, size_t n) {
        write_frame(gateway, mac, type, packet, n);
}

/* An IPv4 header before `n` bytes that stand behind it at p + 20 + n_options. Returns the size of the packet. */
static size_t ip4(uint8_t *p, const uint8_t *from, const uint8_t *dest, int protocol, size_t n, unsigned fragment, const uint8_t *options,
                  size_t n_options) {
        memset(p, 0, 20);
        p[0] = (uint8_t) (0x45 + n_options / 4);
        put16(p + 2, (unsigned) (20 + n_options + n));
        put16(p + 4, 7);
        put16(p + 6, fragment);
        p[8] = 64;
        p[9] = (uint8_t) protocol;
        memcpy(p + 12, from, 4);
        memcpy(p + 16, dest, 4);
        if (n_options)
                memcpy(p + 20, options, n_options);
        put16(p + 10, ~sum(p, 20 + n_options, 0) & 0xffff);
        return 20 + n_options + n;
}

static size_t ip6(uint8_t *p, const uint8_t *from, const uint8_t *dest, int next, size_t n) {
        memset(p, 0, 40);
        p[0] = 0x60;
        put16(p + 4, (unsigned) n);
        p[6] = (uint8_t) next;
        p[7] = next == 58 ? 255 : 64;
        memcpy(p + 8, from, 16);
        memcpy(p + 24, dest, 16);
        return 40 + n;
}

static void finish(uint8_t *p, size_t n, int protocol, size_t at, const uint8_t *from, const uint8_t *dest, size_t size) {
        put16(p + at, 0);
        uint32_t s = sum(from, size, (uint32_t) protocol + (uint32_t) n);
        put16(p + at, ~sum(p, n, sum(dest, size, s)) & 0xffff);
}

static size_t syn(uint8_t *p, unsigned dest_port, const uint8_t *from, const uint8_t *dest, size_t size) {
        static unsigned n;

        memset(p, 0, 20);
        put16(p, SOURCE_PORT + n++ % 1000);
        put16(p + 2, dest_port);
        p[12] = 0x50, p[13] = 2;
        put16(p + 14, 65535);
        finish(p, 20, 6, 16, from, dest, size);
        return 20;
}

static size_t udp(uint8_t *p, unsigned from_port, unsigned dest_port, const void *data, size_t n, const uint8_t *from, const uint8_t *dest, size_t size) {
        put16(p, from_port);
        put16(p + 2, dest_port);
        put16(p + 4, (unsigned) (8 + n));
        memcpy(p + 8, data, n);
        finish(p, 8 + n, 17, 6, from, dest, size);
        return 8 + n;
}

/* A SYN and a datagram from one address to another. */
static void both4(const uint8_t *from, const uint8_t *dest, unsigned dest_port) {
        uint8_t p[512];

        frame(ETH_P_IP, p, ip4(p, from, dest, 6, syn(p + 20, dest_port, from, dest, 4), 0, NULL, 0));
        frame(ETH_P_IP, p, ip4(p, from, dest, 17, udp(p + 20, SOURCE_PORT, dest_port, "frame", 5, from, dest, 4), 0, NULL, 0));
}

static void both6(const uint8_t *from, const uint8_t *dest, unsigned dest_port) {
        uint8_t p[512];

        frame(ETH_P_IPV6, p, ip6(p, from, dest, 6, syn(p + 40, dest_port, from, dest, 16)));
        frame(ETH_P_IPV6, p, ip6(p, from, dest, 17, udp(p + 40, SOURCE_PORT, dest_port, "frame", 5, from, dest, 16)));
}

static void plain(void) {
        if (is6)
                both6(me6, target, port);
        else
                both4(me4, target, port);
}

static void do_arp(void) {
        static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
        uint8_t p[28] = { 0, 1, 8, 0, 6, 4, 0, 2 }, stranger[6] = { 2, 1, 2, 3, 4, 5 };

        /* the target, and the gateway, are said to be here; then by a stranger's address; then nonsense */
        for (int i = 0; i < 4; i++) {
                p[7] = (uint8_t) (1 + i % 2);
                memcpy(p + 8, i < 2 ? mac : stranger, 6);
                memcpy(p + 14, target, 4);
                memcpy(p + 24, me4, 4);
                write_frame(all, mac, ETH_P_ARP, p, 28);
                memcpy(p + 14, me4, 3);
                p[17] = 2;
                write_frame(gateway, i < 2 ? mac : stranger, ETH_P_ARP, p, 28);
        }
        memset(p, 255, sizeof(p));
        frame(ETH_P_ARP, p, 28);
        frame(ETH_P_ARP, p, 3);
        plain();
}

static void do_fragments(void) {
        uint8_t p[512], whole[128], piece[128];
        size_t n;

        if (is6) { /* a fragment header, whole and in two */
                n = udp(whole, SOURCE_PORT, port, "fragmented frame", 16, me6, target, 16);
                for (int i = 0; i < 3; i++) {
                        size_t from = i == 2 ? 16 : 0, size = i == 1 ? 16 : n - from;
                        uint8_t header[8] = { 17, 0, (uint8_t) (from >> 8), (uint8_t) ((from & ~7U) | (i == 1)), 0, 0, 0, 9 };
                        memcpy(p + 40, header, 8);
                        memcpy(p + 48, whole + from, size);
                        frame(ETH_P_IPV6, p, ip6(p, me6, target, 44, 8 + size));
                }
                return;
        }
        n = udp(whole, SOURCE_PORT, port, "fragmented frame", 16, me4, target, 4);
        for (int order = 0; order < 2; order++)
                for (int i = 0; i < 2; i++) {
                        size_t from = (i ^ order) ? 16 : 0, size = (i ^ order) ? n - 16 : 16;
                        memcpy(p + 20, whole + from, size);
                        frame(ETH_P_IP, p, ip4(p, me4, target, 17, size, (unsigned) (from / 8) | (from ? 0 : 0x2000), NULL, 0));
                }
        n = syn(whole, port, me4, target, 4);
        memcpy(piece, whole, n); /* the flags come with the second, and the second again over the first */
        for (int i = 0; i < 3; i++) {
                memcpy(p + 20, piece + (i ? 8 : 0), i ? n - 8 : 8);
                frame(ETH_P_IP, p, ip4(p, me4, target, 6, i ? n - 8 : 8, i == 1 ? 1 : i ? 0 : 0x2000, NULL, 0));
        }
        both4(me4, target, port + 0);
}

static void do_routes(void) {
        static const uint8_t decent[4] = { 192, 0, 2, 1 }, kinds[] = { 0x83, 0x89, 0x07 };
        uint8_t p[512];

        for (size_t i = 0; i < sizeof(kinds) && !is6; i++) {
                uint8_t options[12] = { kinds[i], 11, 4 };
                memcpy(options + 3, target, 4);
                memcpy(options + 7, me4, 4);
                frame(ETH_P_IP, p, ip4(p, me4, decent, 17, udp(p + 32, SOURCE_PORT, port, "routed", 6, me4, decent, 4), 0, options, 12));
                frame(ETH_P_IP, p, ip4(p, me4, decent, 6, syn(p + 32, port, me4, decent, 4), 0, options, 12));
                frame(ETH_P_IP, p, ip4(p, me4, target, 6, syn(p + 32, port, me4, target, 4), 0, options, 12));
        }
        for (int kind = 0; kind < 5 && is6; kind++) { /* routing headers of type 0, 2, 4; hop by hop; destination options */
                uint8_t header[24] = { 17, 2, (uint8_t) (kind * 2), 1 };
                memcpy(header + 8, target, 16);
                memcpy(p + 40, header, 24);
                size_t n = udp(p + 64, SOURCE_PORT, port, "routed", 6, me6, target, 16);
                frame(ETH_P_IPV6, p, ip6(p, me6, target, kind == 3 ? 0 : kind == 4 ? 60 : 43, 24 + n));
        }
}

static void do_mapped(void) {
        uint8_t mapped[16] = { [10] = 255, [11] = 255 }, compatible[16] = { 0 }, nat64[16] = { 0, 0x64, 0xff, 0x9b }, six[16] = { 0x20, 2 };

        memcpy(mapped + 12, target, 4);
        memcpy(compatible + 12, target, 4);
        memcpy(nat64 + 12, target, 4);
        memcpy(six + 2, target, 4);
        both6(me6, mapped, port);
        both6(me6, compatible, port);
        both6(me6, nat64, port);
        both6(me6, six, port);
        both6(mapped, mapped, port);
}

static void do_zero(void) {
        static const uint8_t zero[16], ones[4] = { 255, 255, 255, 255 }, multicast[4] = { 224, 0, 0, 1 }, all[16] = { 255, 2, [15] = 1 };

        both4(me4, zero, port);
        both4(zero, zero, port);
        both4(me4, ones, port);
        both4(me4, multicast, port);
        both6(me6, zero, port);
        both6(zero, zero, port);
        both6(me6, all, port);
}

static void do_spoof(void) {
        uint8_t near[4], stranger[6] = { 2, 1, 2, 3, 4, 5 }, p[512];

        memcpy(near, me4, 4);
        near[3] = 77;
        both4(near, target, port);
        both4(target, target, port);
        near[3] = 2;
        both4(near, target, port);
        both6(target, target, port);
        write_frame(gateway, stranger, ETH_P_IP, p, ip4(p, me4, target, 17, udp(p + 20, 1, port, "frame", 5, me4, target, 4), 0, NULL, 0));
        write_frame(gateway, gateway, ETH_P_IP, p, ip4(p, me4, target, 17, udp(p + 20, 1, port, "frame", 5, me4, target, 4), 0, NULL, 0));
}

static void do_redirect(void) {
        uint8_t p[512] = { 0 }, inner[64], *icmp = p + 20;
        size_t n = ip4(inner, me4, target, 17, 8, 0, NULL, 0);

        for (int code = 0; code < 4; code++) { /* "the way to the target is by me" */
                memset(icmp, 0, 8);
                icmp[0] = 5, icmp[1] = (uint8_t) code;
                memcpy(icmp + 4, me4, 4);
                memcpy(icmp + 8, inner, n);
                put16(icmp + 2, ~sum(icmp, 8 + n, 0) & 0xffff);
                frame(ETH_P_IP, p, ip4(p, me4, target, 1, 8 + n, 0, NULL, 0));
        }
        for (int type = 9; type <= 17; type += 4) { /* router advertisement, timestamp, mask */
                memset(icmp, 0, 16);
                icmp[0] = (uint8_t) type;
                put16(icmp + 2, ~sum(icmp, 16, 0) & 0xffff);
                frame(ETH_P_IP, p, ip4(p, me4, target, 1, 16, 0, NULL, 0));
        }
        static const uint8_t types[] = { 134, 137, 138, 139, 143 };
        static const uint8_t gateway6[16] = { 0xfe, 0x80, [15] = 2 };
        for (size_t i = 0; i < sizeof(types); i++) {
                memset(p, 0, 100);
                p[40] = types[i];
                memcpy(p + 48, me6, 16);
                memcpy(p + 64, target, 16);
                finish(p + 40, 40, 58, 2, me6, gateway6, 16);
                frame(ETH_P_IPV6, p, ip6(p, me6, gateway6, 58, 40));
        }
        plain();
}

static void do_vlan(void) {
        static const unsigned tags[] = { 0x8100, 0x88a8, 0x9100 };
        uint8_t p[512] = { 0 };

        for (size_t i = 0; i < 3; i++)
                for (unsigned vlan = 0; vlan < 3; vlan++) {
                        put16(p, vlan);
                        put16(p + 2, is6 ? ETH_P_IPV6 : ETH_P_IP);
                        size_t n = is6 ? ip6(p + 4, me6, target, 17, udp(p + 44, 1, port, "frame", 5, me6, target, 16))
                                       : ip4(p + 4, me4, target, 17, udp(p + 24, 1, port, "frame", 5, me4, target, 4), 0, NULL, 0);
                        frame(tags[i], p, 4 + n);
                        memmove(p + 4, p, 4 + n); /* twice */
                        put16(p + 2, 0x8100);
                        frame(tags[i], p, 8 + n);
                }
        memset(p, 0, 14);
        p[0] = 8; /* NC-SI, which libslirp speaks, too */
        frame(0x88f8, p, 64);
        frame(0x8847, p, 64);
        frame(0x8863, p, 64);
        frame(100, p, 100);
}

static void do_tunnel(void) {
        static const uint8_t decent[4] = { 192, 0, 2, 1 }, protocols[] = { 47, 4, 41, 50, 51, 132, 33, 136, 2, 89, 103, 255, 0 };
        uint8_t p[512] = { 0 };

        for (size_t i = 0; i < sizeof(protocols); i++)
                for (int direct = 0; direct < 2; direct++) {
                        size_t head = protocols[i] == 47 ? 4 : 0;
                        put16(p + 20, 0);
                        put16(p + 22, ETH_P_IP);
                        size_t n = head + ip4(p + 20 + head, me4, target, 17, udp(p + 40 + head, 1, port, "frame", 5, me4, target, 4), 0, NULL, 0);
                        frame(ETH_P_IP, p, ip4(p, me4, direct ? target : decent, protocols[i], n, 0, NULL, 0));
                }
}

static void do_dhcp(void) {
        static const uint8_t any[4], all[4] = { 255, 255, 255, 255 };
        uint8_t p[512] = { 0 }, bootp[300] = { 1, 1, 6, 0, 1, 2, 3, 4 }, servers[2][4];

        memcpy(bootp + 28, mac, 6);
        memcpy(servers[0], me4, 4);
        memcpy(servers[1], all, 4);
        servers[0][3] = 2;
        for (int type = 0; type < 9; type++) { /* BOOTP without options, then DHCP's messages */
                if (type > 0)
                        memcpy(bootp + 236, (uint8_t[]){ 0x63, 0x82, 0x53, 0x63, 53, 1, (uint8_t) type, 255 }, 8);
                for (int i = 0; i < 4; i++) {
                        const uint8_t *from = i % 2 ? me4 : any, *dest = servers[i / 2];
                        frame(ETH_P_IP, p, ip4(p, from, dest, 17, udp(p + 20, 68, 67, bootp, sizeof(bootp), from, dest, 4), 0, NULL, 0));
                }
        }
        static const uint8_t agents[16] = { 255, 2, [13] = 1, [15] = 2 };
        frame(ETH_P_IPV6, p, ip6(p, me6, agents, 17, udp(p + 40, 546, 547, "\1\0\0\1", 4, me6, agents, 16)));
}

static void do_tftp(void) {
        static const char *const names[] = { "/etc/passwd", "../../../../etc/passwd", "etc/resolv.conf", "" };
        uint8_t p[512], dest[4], text[128];

        memcpy(dest, me4, 4);
        for (int host = 2; host < 4; host++)
                for (size_t i = 0; i < 4; i++)
                        for (int write = 1; write < 3; write++) {
                                size_t n = 2;
                                dest[3] = (uint8_t) host;
                                put16(text, (unsigned) write);
                                n += (size_t) sprintf((char *) text + n, "%s", names[i]) + 1;
                                n += (size_t) sprintf((char *) text + n, "octet") + 1;
                                n += (size_t) sprintf((char *) text + n, "tsize%c0", 0) + 1;
                                frame(ETH_P_IP, p, ip4(p, me4, dest, 17, udp(p + 20, SOURCE_PORT, 69, text, n, me4, dest, 4), 0, NULL, 0));
                        }
}

/* Every port but 53 of an address, the name server's: a scanner. */
static void do_scan(void) {
        static const unsigned ports[] = { 1, 22, 25, 54, 80, 111, 443, 631, 3306, 5432, 6379, 8080, 65535 };

        for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
                is6 ? both6(me6, target, ports[i]) : both4(me4, target, ports[i]);
        plain();
}

static void do_lengths(void) {
        uint8_t p[1024] = { 0 };
        size_t n = ip4(p, me4, target, 17, udp(p + 20, 1, port, "frame", 5, me4, target, 4), 0, NULL, 0);

        for (unsigned total = 0; total < 70; total += 3) { /* shorter and longer than the frame, and the header's length, too */
                put16(p + 2, total);
                frame(ETH_P_IP, p, n);
                p[0] = (uint8_t) (0x40 + total % 16);
                frame(ETH_P_IP, p, n);
                p[0] = 0x45;
        }
        for (size_t cut = 0; cut < n; cut++)
                frame(ETH_P_IP, p, cut);
        plain();
}

static const struct {
        const char *name;
        void (*send)(void);
} classes[] = {
        { "control", plain },     { "plain", plain },     { "arp", do_arp },       { "fragments", do_fragments }, { "routes", do_routes },
        { "mapped", do_mapped },  { "zero", do_zero },    { "spoof", do_spoof },   { "redirect", do_redirect },   { "vlan", do_vlan },
        { "tunnel", do_tunnel },  { "dhcp", do_dhcp },    { "tftp", do_tftp },     { "scan", do_scan },           { "lengths", do_lengths },
};

static void report(const uint8_t *f, size_t n) {
        unsigned type = (unsigned) f[12] << 8 | f[13];
        const uint8_t *p = f + 14, *transport;
        int protocol;

        if (n < 62 && !(type == ETH_P_IP && n >= 42))
                return;
        if (type == ETH_P_IP) {
                protocol = p[9];
                transport = p + (p[0] & 15) * 4;
        } else if (type == ETH_P_IPV6) {
                protocol = p[6];
                transport = p + 40;
        } else
                return;
        if (transport + 14 > f + n)
                return;
        unsigned from = (unsigned) transport[0] << 8 | transport[1];
        if (protocol == 17 && (from == 67 || from == 547))
                printf("dhcp\n");
        else if (protocol == 17)
                printf("udp %u\n", from);
        else if (protocol == 6 && (transport[13] & 0x12) == 0x12)
                printf("syn-ack\n");
}

int main(int argc, char **argv) {
        struct ifreq request = { 0 };
        uint8_t buffer[4096];
        struct pollfd p = { .events = POLLIN };

        if (argc != 8)
                return 2;
        to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = (int) if_nametoindex(argv[1]), .sll_halen = 6,
                                   .sll_protocol = htons(ETH_P_ALL) };
        p.fd = fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
        strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
        if (fd < 0 || bind(fd, (struct sockaddr *) &to, sizeof(to)) < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
                return perror("frames"), 1;
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
        if (sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", gateway, gateway + 1, gateway + 2, gateway + 3, gateway + 4, gateway + 5) != 6 ||
            inet_pton(AF_INET, argv[3], me4) != 1 || inet_pton(AF_INET6, argv[4], me6) != 1)
                return 2;
        is6 = strchr(argv[6], ':') != NULL;
        if (inet_pton(is6 ? AF_INET6 : AF_INET, argv[6], target) != 1)
                return 2;
        port = (uint16_t) atoi(argv[7]);
        for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
                if (strcmp(classes[i].name, argv[5]) == 0) {
                        classes[i].send();
                        while (poll(&p, 1, LISTEN_MSEC) > 0) {
                                struct sockaddr_ll from;
                                socklen_t size = sizeof(from);
                                ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *) &from, &size);
                                if (n > 14 && from.sll_pkttype != PACKET_OUTGOING)
                                        report(buffer, (size_t) n);
                        }
                        return 0;
                }
        fprintf(stderr, "frames: no such class: %s\n", argv[5]);
        return 2;
}
