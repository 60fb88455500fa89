/* SPDX-License-Identifier: Apache-2.0 */
/* raw INTERFACE DESTINATION PORT TEXT sends one UDP datagram as a frame of its own making, past what the kernel's routing
 * would allow, by IPv4 or IPv6 (it needs CAP_NET_RAW); raw echo PORT returns what comes by UDP. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned sum(const void *data, size_t n, unsigned start) {
        const unsigned char *p = data;
        unsigned s = start;
        for (size_t i = 0; i < n; i++)
                s += i % 2 ? p[i] : p[i] << 8;
        while (s >> 16)
                s = (s & 0xffff) + (s >> 16);
        return s;
}

static int echo(int port) {
        struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(port) }, peer;
        socklen_t size = sizeof(peer);
        char text[2000];
        int fd = socket(AF_INET6, SOCK_DGRAM, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *) &here, sizeof(here)) < 0)
                return perror("raw: echo"), 1;
        puts("listening");
        fflush(stdout);
        for (ssize_t n; (n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *) &peer, &size)) >= 0;)
                sendto(fd, text, n, 0, (struct sockaddr *) &peer, size);
        return 0;
}

int main(int argc, char **argv) {
        static const unsigned char gateway[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };
        unsigned char frame[512] = { 0 }, *p = frame + 14, *udp;
        if (argc == 3)
                return echo(atoi(argv[2]));
        if (argc != 5)
                return 2;
        size_t length = strlen(argv[4]);
        struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1]), .sll_halen = 6 };
        struct ifreq request = { 0 };
        int fd = socket(AF_PACKET, SOCK_RAW, 0);

        strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
        if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
                return perror("raw"), 1;
        memcpy(frame, gateway, 6);
        memcpy(frame + 6, request.ifr_hwaddr.sa_data, 6);
        memcpy(to.sll_addr, gateway, 6);
        if (strchr(argv[2], ':')) {
                struct ip6_hdr *ip = (struct ip6_hdr *) p;
                frame[12] = 0x86, frame[13] = 0xdd;
                ip->ip6_vfc = 0x60, ip->ip6_nxt = 17, ip->ip6_hlim = 64, ip->ip6_plen = htons(8 + length);
                inet_pton(AF_INET6, getenv("SOURCE") ?: "fd00::100", &ip->ip6_src);
                inet_pton(AF_INET6, argv[2], &ip->ip6_dst);
                udp = p + 40;
        } else {
                struct iphdr *ip = (struct iphdr *) p;
                frame[12] = 0x08;
                ip->version = 4, ip->ihl = 5, ip->ttl = 64, ip->protocol = 17, ip->tot_len = htons(28 + length);
                inet_pton(AF_INET, getenv("SOURCE") ?: "10.0.2.100", &ip->saddr);
                inet_pton(AF_INET, argv[2], &ip->daddr);
                ip->check = htons(~sum(ip, 20, 0));
                udp = p + 20;
        }
        struct udphdr *head = (struct udphdr *) udp;
        head->source = htons(5555), head->dest = htons(atoi(argv[3])), head->len = htons(8 + length);
        memcpy(udp + 8, argv[4], length);
        if (strchr(argv[2], ':')) { /* IPv6 wants a checksum, IPv4 takes 0 */
                unsigned s = sum(p + 8, 32, 17 + 8 + length);
                head->check = htons(~sum(udp, 8 + length, s));
        }
        if (sendto(fd, frame, udp + 8 + length - frame, 0, (struct sockaddr *) &to, sizeof(to)) < 0)
                return perror("raw: send"), 1;
        return 0;
}
