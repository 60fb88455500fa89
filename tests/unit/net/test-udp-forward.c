/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/test.h"
#include "net/udp-forward.h"

/* The container's end of the wire. */
typedef struct Wire {
        uint8_t frame[FRAME_LIMIT];
        size_t size, n;
        bool listens6;
} Wire;

static void take_frame(void *context, const uint8_t *frame, size_t size) {
        Wire *w = context;

        memcpy(w->frame, frame, size);
        w->size = size;
        w->n++;
}

static bool listens6(void *context, uint16_t port) {
        (void) port;
        return ((Wire *) context)->listens6;
}

static NetAddresses addresses(void) {
        NetConfig config = NET_CONFIG_NULL;
        NetAddresses a = {};

        (void) net_addresses_from_config(&config, &a, NULL);
        return a;
}

/* A bound socket on the loopback; its port in *port. */
static int bound(int family, uint16_t *port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        struct sockaddr *address = family == AF_INET ? (struct sockaddr *) &in : (struct sockaddr *) &in6;
        socklen_t size = family == AF_INET ? sizeof(in) : sizeof(in6);
        int one = 1, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0 || bind(fd, address, size) < 0 || getsockname(fd, address, &size) < 0)
                return fd_close(fd);
        (void) setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO,
                          &one, sizeof(one));
        *port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
        return fd;
}

static void send_to(int fd, int family, uint16_t port, const char *text) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };

        if (family == AF_INET)
                (void) sendto(fd, text, strlen(text), 0, (struct sockaddr *) &in, sizeof(in));
        else
                (void) sendto(fd, text, strlen(text), 0, (struct sockaddr *) &in6, sizeof(in6));
}

/* The container's answer to the frame on the wire, as frame_check() would describe it. */
static FrameInfo answer_to(const Wire *w, const char *text) {
        bool ip4 = packet_get16(w->frame + 12) == 0x0800;
        const uint8_t *from = w->frame + (ip4 ? 26 : 22), *to = from + (ip4 ? 4 : 16), *header = to + (ip4 ? 4 : 16);
        FrameInfo info = { .family = ip4 ? AF_INET : AF_INET6, .protocol = IPPROTO_UDP, .payload = (const uint8_t *) text,
                           .payload_size = strlen(text) };

        memcpy(info.destination.address, from, ip4 ? 4 : 16);
        memcpy(info.source.address, to, ip4 ? 4 : 16);
        info.destination.port = packet_get16(header);
        info.source.port = packet_get16(header + 2);
        return info;
}

static bool received(int fd, const char *text) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char buffer[64];

        if (poll(&p, 1, 60000) <= 0)
                return false;
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
        return n == (ssize_t) strlen(text) && memcmp(buffer, text, (size_t) n) == 0;
}

static void check_exchange(int family, bool container6, int seen_family) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        uint16_t port = 0, peer_port = 0;
        _cleanup_fd_ int peer = bound(family, &peer_port);
        int fd = bound(family, &port);

        w = (Wire){ .listens6 = container6 };
        CHECK(f);
        if (fd < 0 || peer < 0)
                SKIP("no loopback address of this family");
        CHECK_INT(udp_forward_add(f, fd, family, 53, NULL), 0);
        send_to(peer, family, port, "question");
        udp_forward_receive(f, 0, 1000);
        CHECK_INT(w.n, 1);
        FrameInfo info = answer_to(&w, "answer");
        CHECK_INT(info.family, seen_family);
        CHECK_INT(info.source.port, 53);
        CHECK_INT(info.destination.port, peer_port);
        /* a peer on the loopback is the gateway to the container */
        CHECK(memcmp(info.destination.address, seen_family == AF_INET ? (void *) &a.gateway : (void *) &a.gateway6,
                     seen_family == AF_INET ? 4 : 16) == 0);
        CHECK(udp_forward_reply(f, &info, 2000));
        CHECK(received(peer, "answer"));

        /* nobody else on the loopback can be reached, nor from another port, nor after the flow's time */
        FrameInfo other = info;
        other.destination.port++;
        CHECK(!udp_forward_reply(f, &other, 2000));
        other = info;
        other.source.port++;
        CHECK(!udp_forward_reply(f, &other, 2000));
        CHECK(!udp_forward_reply(f, &info, 2001 + UDP_FLOW_IDLE_MSEC));
}

TEST(ipv4_peers_on_the_loopback) {
        check_exchange(AF_INET, true, AF_INET);
}

TEST(ipv6_peers_on_the_loopback) {
        check_exchange(AF_INET6, true, AF_INET6);
}

TEST(ipv6_peers_of_an_ipv4_server) {
        check_exchange(AF_INET6, false, AF_INET);
}

TEST(two_ports_that_lead_to_one_are_told_apart) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        uint16_t port[2], peer_port;
        _cleanup_fd_ int peer = bound(AF_INET, &peer_port);

        w = (Wire){};
        FrameInfo info[2];
        for (size_t i = 0; i < 2; i++) {
                int fd = bound(AF_INET, &port[i]);

                CHECK(fd >= 0);
                CHECK_INT(udp_forward_add(f, fd, AF_INET, 53, NULL), 0);
                send_to(peer, AF_INET, port[i], "question");
                udp_forward_receive(f, i, 1000);
                info[i] = answer_to(&w, i == 0 ? "first" : "second");
        }
        CHECK(info[0].destination.port != info[1].destination.port);
        for (size_t i = 0; i < 2; i++) {
                struct sockaddr_in from;
                socklen_t size = sizeof(from);
                char buffer[64];

                CHECK(udp_forward_reply(f, &info[i], 1000));
                struct pollfd p = { .fd = peer, .events = POLLIN };
                CHECK_INT(poll(&p, 1, 60000), 1);
                CHECK(recvfrom(peer, buffer, sizeof(buffer), 0, (struct sockaddr *) &from, &size) > 0);
                CHECK_INT(ntohs(from.sin_port), port[i]);
        }
}

/* A bound socket on an address of this machine that a container may see; the address and port in *ret. */
static int bound_outside(struct sockaddr_in *ret) {
        struct ifaddrs *list = NULL;
        socklen_t size = sizeof(*ret);
        bool found = false;

        (void) getifaddrs(&list);
        for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
                found = a->ifa_addr && a->ifa_addr->sa_family == AF_INET && !(a->ifa_flags & IFF_LOOPBACK);
                if (found)
                        memcpy(ret, a->ifa_addr, sizeof(*ret));
        }
        if (list)
                freeifaddrs(list);
        if (!found || ntohl(ret->sin_addr.s_addr) >> 8 == 0x0a0002)
                return -EADDRNOTAVAIL;
        ret->sin_port = 0;
        int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) ret, sizeof(*ret)) < 0 || getsockname(fd, (struct sockaddr *) ret, &size) < 0)
                return fd_close(fd);
        (void) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
        return fd;
}

/* It may be another client that the kernel has given the first one's port. */
TEST(a_peer_of_two_ports_keeps_its_address) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        struct sockaddr_in here;
        _cleanup_fd_ int peer = bound_outside(&here);
        uint16_t seen[2];

        w = (Wire){};
        if (peer < 0)
                SKIP("this machine has no address beside its loopback's");
        for (size_t i = 0; i < 2; i++) {
                struct sockaddr_in port;
                int fd = bound_outside(&port);

                CHECK(fd >= 0);
                CHECK_INT(udp_forward_add(f, fd, AF_INET, 53, NULL), 0);
                CHECK_INT(sendto(peer, "question", 8, 0, (struct sockaddr *) &port, sizeof(port)), 8);
                udp_forward_receive(f, i, 1000);
                FrameInfo info = answer_to(&w, "answer");
                CHECK(memcmp(info.destination.address, &here.sin_addr, 4) == 0);
                seen[i] = info.destination.port;
                CHECK(udp_forward_reply(f, &info, 1000));
                CHECK(received(peer, "answer"));
        }
        CHECK_INT(seen[0], ntohs(here.sin_port));
        CHECK(seen[1] != seen[0]);
}

TEST(more_peers_than_flows_replace_the_oldest) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        uint16_t port;
        int fd = bound(AF_INET, &port);
        FrameInfo first = {}, last = {};

        w = (Wire){};
        CHECK_INT(udp_forward_add(f, fd, AF_INET, 53, NULL), 0);
        for (int i = 0; i < UDP_FLOWS_LIMIT + 10; i++) {
                uint16_t peer_port;
                _cleanup_fd_ int peer = bound(AF_INET, &peer_port);

                /* the kernel may hand a port out again; that is the same flow then */
                send_to(peer, AF_INET, port, "question");
                udp_forward_receive(f, 0, 1000 + i);
                last = answer_to(&w, "answer");
                if (i == 0)
                        first = last;
        }
        CHECK_INT(w.n, UDP_FLOWS_LIMIT + 10);
        CHECK(udp_forward_reply(f, &last, 5000));
        (void) udp_forward_reply(f, &first, 5000);
}

TEST(datagrams_larger_than_the_wire_are_dropped) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        char text[1474] = { [0 ... 1472] = 'x' };
        uint16_t port, peer_port;
        _cleanup_fd_ int peer = bound(AF_INET, &peer_port);

        w = (Wire){};
        CHECK_INT(udp_forward_add(f, bound(AF_INET, &port), AF_INET, 53, NULL), 0);
        send_to(peer, AF_INET, port, text); /* 1473 + 28 */
        udp_forward_receive(f, 0, 1000);
        CHECK_INT(w.n, 0);
        text[1472] = '\0';
        send_to(peer, AF_INET, port, text);
        udp_forward_receive(f, 0, 1000);
        CHECK_INT(w.n, 1);
        CHECK_INT(w.size, 1514);
        CHECK_INT(packet_checksum(packet_sum(0, w.frame + 14, 20)), 0);
        CHECK_INT(packet_checksum(packet_sum(packet_sum(IPPROTO_UDP + 1480, w.frame + 26, 8), w.frame + 34, 1480)), 0);
}

TEST(a_routers_ports_lead_to_several_containers) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        UdpTarget targets[2] = { { .key = 1, .ipv4 = true }, { .key = 2, .ipv4 = true } };
        uint16_t ports[2], peer_port;
        _cleanup_fd_ int peer = bound(AF_INET, &peer_port);
        FrameInfo answers[2];

        w = (Wire){ .listens6 = true };
        (void) inet_pton(AF_INET, "10.91.1.2", &targets[0].address);
        (void) inet_pton(AF_INET, "10.91.1.3", &targets[1].address);
        for (size_t i = 0; i < 2; i++) {
                CHECK_INT(udp_forward_add(f, bound(AF_INET, &ports[i]), AF_INET, 53, &targets[i]), 0);
                send_to(peer, AF_INET, ports[i], "question");
                udp_forward_receive(f, i, 1000);
                answers[i] = answer_to(&w, i == 0 ? "first" : "second");
                CHECK(memcmp(answers[i].source.address, &targets[i].address, 4) == 0);
        }
        /* the same peer asked the same port of both: each answer goes out of its own socket, and none of a third container */
        FrameInfo third = answers[0];
        third.source.address[3] = 9;
        CHECK(!udp_forward_reply(f, &third, 1000));
        CHECK(udp_forward_reply(f, &answers[0], 1000));
        CHECK(received(peer, "first"));
        CHECK(udp_forward_reply(f, &answers[1], 1000));
        CHECK(received(peer, "second"));
        /* one ends: its port is closed, its flows are gone, its number is given again */
        udp_forward_remove(f, 1);
        CHECK_INT(udp_forward_fd(f, 0), -EBADF);
        CHECK(!udp_forward_reply(f, &answers[0], 1000));
        CHECK(udp_forward_reply(f, &answers[1], 1000));
        CHECK(received(peer, "second"));
        CHECK_INT(udp_forward_add(f, bound(AF_INET, &ports[0]), AF_INET, 53, &targets[0]), 0);
        CHECK_INT(udp_forward_count(f), 2);
        CHECK(udp_forward_fd(f, 0) >= 0);
}

TEST(a_container_without_ipv4_sees_ipv4_peers_as_its_gateway) {
        static Wire w;
        NetAddresses a = addresses();
        UdpForwardOps ops = { take_frame, listens6, &w };
        _cleanup_(udp_forward_freep) UdpForward *f = udp_forward_new(&a, 1500, &ops);
        UdpTarget target = { .key = 1, .ipv6 = true };
        uint16_t port, peer_port;
        _cleanup_fd_ int peer = bound(AF_INET, &peer_port);

        w = (Wire){ .listens6 = true };
        (void) inet_pton(AF_INET6, "fd91::2", &target.address6);
        CHECK_INT(udp_forward_add(f, bound(AF_INET, &port), AF_INET, 53, &target), 0);
        send_to(peer, AF_INET, port, "question");
        udp_forward_receive(f, 0, 1000);
        FrameInfo info = answer_to(&w, "answer");
        CHECK_INT(info.family, AF_INET6);
        CHECK(memcmp(info.destination.address, &a.gateway6, 16) == 0);
        CHECK(udp_forward_reply(f, &info, 1000));
        CHECK(received(peer, "answer"));
}
