/* SPDX-License-Identifier: Apache-2.0 */
/* claim INTERFACE WHAT VICTIM4 VICTIM6 VICTIM-MAC PEER4 PEER6 PEER-MAC GATEWAY4 writes frames that say, one way or another, that the
 * victim's addresses, or the gateway's, are this machine's (it needs CAP_NET_RAW). WHAT is one of the kinds below. Forged datagrams go to the peer's
 * port 7100, and have the kind as their text. `steal` says the victim's MAC for a second, and prints how many frames to it came here.
 * claim hear prints what comes to UDP port 7100, and to the ports of DHCP clients, as "SOURCE TEXT". */
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
#include <time.h>
#include <unistd.h>

#include "frame.h"

enum { PORT = 7100, STEAL_MSEC = 1000, STEAL_STEP_MSEC = 5 };

static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 }, all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };
static uint8_t mac[6], local6[16], victim_mac[6], peer_mac[6];
static uint8_t victim4[4], victim6[16], peer4[4], peer6[16], gateway4[4];

static void finish(uint8_t *p, size_t n, int protocol, size_t at, const uint8_t *from, const uint8_t *dest, size_t size) {
        put16(p + at, 0);
        uint32_t s = sum(from, size, (uint32_t) protocol + (uint32_t) n);
        s = ~sum(p, n, sum(dest, size, s)) & 0xffff;
        put16(p + at, s ? s : 0xffff);
}

/* A datagram as a packet; returns its size. */
static size_t datagram(uint8_t *p, const uint8_t *from, const uint8_t *dest, int family, unsigned from_port, unsigned dest_port, const char *text) {
        size_t n = 8 + strlen(text), head = family == 4 ? 20 : 40;
        uint8_t *udp = p + head;

        memset(p, 0, head);
        if (family == 4) {
                p[0] = 0x45, p[8] = 64, p[9] = 17;
                put16(p + 2, (unsigned) (20 + n));
                memcpy(p + 12, from, 4);
                memcpy(p + 16, dest, 4);
                put16(p + 10, ~sum(p, 20, 0) & 0xffff);
        } else {
                p[0] = 0x60, p[6] = 17, p[7] = 64;
                put16(p + 4, (unsigned) n);
                memcpy(p + 8, from, 16);
                memcpy(p + 24, dest, 16);
        }
        put16(udp, from_port);
        put16(udp + 2, dest_port);
        put16(udp + 4, (unsigned) n);
        memcpy(udp + 8, text, n - 8);
        finish(udp, n, 17, 6, from, dest, family == 4 ? 4 : 16);
        return head + n;
}

/* Neighbour discovery: type 136 with flags, 135, 134; what follows the first 4 bytes is the body. `behind`: an empty option header first. */
static void discovery(const uint8_t *ether_to, const uint8_t *from, const uint8_t *dest, int type, const uint8_t *body, size_t n_body, int behind) {
        uint8_t p[512] = { 0x60 }, *icmp = p + 40 + (behind ? 8 : 0);
        size_t n = 4 + n_body;

        put16(p + 4, (unsigned) (n + (behind ? 8 : 0)));
        p[6] = behind ? 60 : 58, p[7] = 255;
        memcpy(p + 8, from, 16);
        memcpy(p + 24, dest, 16);
        if (behind) {
                p[40] = 58;
                p[42] = 1, p[43] = 4; /* PadN */
        }
        icmp[0] = (uint8_t) type;
        memcpy(icmp + 4, body, n_body);
        finish(icmp, n, 58, 2, from, dest, 16);
        write_frame(ether_to, mac, ETH_P_IPV6, p, (size_t) (icmp - p) + n);
}

/* ---- the kinds ---- */

static void arp_about(const uint8_t *address, unsigned type) {
        uint8_t p[32] = { 0, 1, 8, 0, 6, 4 }, tagged[64];

        for (int i = 0; i < 4; i++) {
                p[7] = (uint8_t) (1 + i % 2);
                memcpy(p + 8, mac, 6);
                memcpy(p + 14, address, 4);
                memcpy(p + 18, i < 2 ? all : peer_mac, 6);
                memcpy(p + 24, i < 2 ? address : peer4, 4);
                if (type == ETH_P_ARP) {
                        write_frame(i < 2 ? all : peer_mac, mac, ETH_P_ARP, p, 28);
                        continue;
                }
                put16(tagged, 0); /* no VLAN, only a priority */
                put16(tagged + 2, ETH_P_ARP);
                memcpy(tagged + 4, p, 28);
                write_frame(i < 2 ? all : peer_mac, mac, type, tagged, 32);
        }
}

static void do_arp(void) {
        arp_about(victim4, ETH_P_ARP);
}

static void do_arp_tag(void) {
        arp_about(victim4, ETH_P_8021Q);
}

static void do_arp_gateway(void) {
        arp_about(gateway4, ETH_P_ARP);
}

static void advertise(int behind) {
        uint8_t body[28] = { 0x60 }; /* solicited, override */

        memcpy(body + 4, victim6, 16);
        body[20] = 2, body[21] = 1;
        memcpy(body + 22, mac, 6);
        discovery(peer_mac, victim6, peer6, 136, body, sizeof(body), behind);
        discovery(peer_mac, local6, peer6, 136, body, sizeof(body), behind);
        body[0] = 0x20;
        discovery(all_nodes_mac, local6, all_nodes, 136, body, sizeof(body), behind);
}

static void do_nd(void) {
        advertise(0);
        advertise(1);
}

static void do_nd_ask(void) { /* who asks says where he is */
        uint8_t body[28] = { 0 };

        memcpy(body + 4, peer6, 16);
        body[20] = 1, body[21] = 1;
        memcpy(body + 22, mac, 6);
        discovery(peer_mac, victim6, peer6, 135, body, sizeof(body), 0);
}

static void do_router(void) { /* "the way out is by me", for half an hour, and a prefix */
        uint8_t body[44] = { 64, 0, 0x07, 0x08, [12] = 3, 4, 64, 0xc0, 0, 1, 0x51, 0x80, 0, 1, 0x51, 0x80, [28] = 0xfd, 0xee, [41] = 0 };

        discovery(all_nodes_mac, local6, all_nodes, 134, body, sizeof(body), 0);
        discovery(peer_mac, local6, peer6, 134, body, sizeof(body), 1);
}

static void forge(const uint8_t *source_mac, const uint8_t *from4, const uint8_t *from6, const char *text) {
        uint8_t p[512];

        write_frame(peer_mac, source_mac, ETH_P_IP, p, datagram(p, from4, peer4, 4, 5555, PORT, text));
        if (from6)
                write_frame(peer_mac, source_mac, ETH_P_IPV6, p, datagram(p, from6, peer6, 6, 5555, PORT, text));
}

static void do_source(void) {
        forge(mac, victim4, victim6, "source");
}

static void do_source_mac(void) {
        forge(victim_mac, victim4, victim6, "source-mac");
}

static void do_gateway(void) {
        forge(mac, gateway4, NULL, "gateway");
}

static void do_outside(void) {
        static const uint8_t outside4[4] = { 198, 51, 100, 7 }, outside6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 7 };

        forge(mac, outside4, outside6, "outside");
}

static void find_own(uint8_t own[4]) {
        struct ifreq request = { 0 };

        if_indextoname((unsigned) to.sll_ifindex, request.ifr_name);
        if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFADDR, &request) < 0)
                exit(1);
        memcpy(own, &((struct sockaddr_in *) &request.ifr_addr)->sin_addr, 4);
}

static void do_decent(void) {
        uint8_t own[4];

        find_own(own);
        forge(mac, own, local6, "decent");
}

static void do_dhcp(void) { /* from the address that is one's own */
        static const uint8_t every[4] = { 255, 255, 255, 255 };
        uint8_t p[512], own[4];

        find_own(own);
        write_frame(all, mac, ETH_P_IP, p, datagram(p, own, every, 4, 67, 68, "dhcp"));
        write_frame(peer_mac, mac, ETH_P_IP, p, datagram(p, own, peer4, 4, 67, 68, "dhcp"));
        write_frame(peer_mac, mac, ETH_P_IPV6, p, datagram(p, local6, peer6, 6, 547, 546, "dhcp"));
}

static int64_t now_msec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* By frames to everybody, and by those that only the bridge hears (LLDP's group). */
static void do_steal(void) {
        static const uint8_t group[6] = { 0x01, 0x80, 0xc2, 0, 0, 0x0e };
        uint8_t buffer[4096], nothing[46] = { 0 };
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t end = now_msec() + STEAL_MSEC;
        int n = 0;

        while (now_msec() < end) {
                write_frame(group, victim_mac, 0x88cc, nothing, sizeof(nothing));
                write_frame(all, victim_mac, ETH_P_IP, nothing, sizeof(nothing));
                while (poll(&p, 1, STEAL_STEP_MSEC) > 0) {
                        struct sockaddr_ll from;
                        socklen_t size = sizeof(from);

                        if (recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *) &from, &size) > 14 && from.sll_pkttype != PACKET_OUTGOING &&
                            memcmp(buffer, victim_mac, 6) == 0)
                                n++;
                }
        }
        printf("%d\n", n);
}

static const struct {
        const char *name;
        void (*send)(void);
} kinds[] = {
        { "arp", do_arp },           { "arp-tag", do_arp_tag },       { "arp-gateway", do_arp_gateway }, { "nd", do_nd },
        { "nd-ask", do_nd_ask },     { "router", do_router },         { "source", do_source },           { "source-mac", do_source_mac },
        { "gateway", do_gateway },   { "outside", do_outside },       { "decent", do_decent },             { "dhcp", do_dhcp },               { "steal", do_steal },
};

static int hear(void) {
        static const int ports[] = { PORT, 68, 546 };
        struct pollfd fds[3];
        char text[512], name[64];

        for (int i = 0; i < 3; i++) {
                struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) ports[i]) };

                fds[i] = (struct pollfd){ .fd = socket(AF_INET6, SOCK_DGRAM, 0), .events = POLLIN };
                if (bind(fds[i].fd, (struct sockaddr *) &here, sizeof(here)) < 0)
                        return perror("claim: hear"), 1;
        }
        puts("listening");
        fflush(stdout);
        while (poll(fds, 3, -1) > 0)
                for (int i = 0; i < 3; i++) {
                        struct sockaddr_in6 peer;
                        socklen_t size = sizeof(peer);
                        ssize_t n = fds[i].revents ? recvfrom(fds[i].fd, text, sizeof(text), 0, (struct sockaddr *) &peer, &size) : 0;

                        if (n > 0)
                                printf("%s %.*s\n", inet_ntop(AF_INET6, &peer.sin6_addr, name, sizeof(name)), (int) n, text);
                        fflush(stdout);
                }
        return 0;
}

static int parse_mac(const char *text, uint8_t *ret) {
        return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", ret, ret + 1, ret + 2, ret + 3, ret + 4, ret + 5) == 6;
}

int main(int argc, char **argv) {
        struct ifreq request = { 0 };

        if (argc == 2)
                return hear();
        if (argc != 10)
                return 2;
        to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = (int) if_nametoindex(argv[1]), .sll_halen = 6, .sll_protocol = htons(ETH_P_ALL) };
        fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
        strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
        if (fd < 0 || bind(fd, (struct sockaddr *) &to, sizeof(to)) < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
                return perror("claim"), 1;
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
        memcpy(local6, (uint8_t[16]){ 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] }, 16);
        if (inet_pton(AF_INET, argv[3], victim4) != 1 || inet_pton(AF_INET6, argv[4], victim6) != 1 || !parse_mac(argv[5], victim_mac) ||
            inet_pton(AF_INET, argv[6], peer4) != 1 || inet_pton(AF_INET6, argv[7], peer6) != 1 || !parse_mac(argv[8], peer_mac) ||
            inet_pton(AF_INET, argv[9], gateway4) != 1)
                return 2;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (strcmp(kinds[i].name, argv[2]) == 0) {
                        kinds[i].send();
                        return 0;
                }
        fprintf(stderr, "claim: no such kind: %s\n", argv[2]);
        return 2;
}
