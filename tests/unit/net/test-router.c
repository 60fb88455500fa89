/* SPDX-License-Identifier: Apache-2.0 */
/* What the router of bridge networks decides without a kernel: names, addresses, rules, messages. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "net/router-control.h"
#include "net/router-rules.h"

static char *isolate[] = { (char *) "isolate=true", NULL }, *strict[] = { (char *) "isolate=strict", NULL }, *mtu[] = { (char *) "mtu=1400", NULL };

static NetworkSubnet v4[] = { { .subnet = (char *) "10.91.1.0/24", .gateway = (char *) "10.91.1.1" } };
static NetworkSubnet both[] = { { .subnet = (char *) "10.91.2.0/24", .gateway = (char *) "10.91.2.1" },
                                { .subnet = (char *) "fd91:2::/64", .gateway = (char *) "fd91:2::1" } };

static NetworkConfig network(const char *interface, NetworkSubnet *subnets, size_t n) {
        return (NetworkConfig){ .name = (char *) interface, .driver = (char *) "bridge", .network_interface = (char *) interface, .subnets = subnets, .n_subnets = n };
}

TEST(names_and_addresses_follow_from_what_they_are_for) {
        char a[IFNAMSIZ], b[IFNAMSIZ], c[IFNAMSIZ];
        IpAddress address;
        uint8_t mac[6], other[6];

        plumb_link_name("0123456789abcdef", "one", a);
        plumb_link_name("0123456789abcdef", "one", b);
        plumb_link_name("0123456789abcdef", "two", c);
        CHECK_STR(a, b);
        CHECK(!str_equal(a, c));
        CHECK(strlen(a) < IFNAMSIZ && network_interface_is_valid(a));
        CHECK_INT(ip_parse("10.91.1.7", &address), 0);
        plumb_mac("one", &address, mac);
        plumb_mac("two", &address, other);
        CHECK_INT(mac[0], 2);
        CHECK(memcmp(mac + 2, address.bytes, 4) == 0);
        CHECK(mac[1] != other[1]);
        CHECK_INT(ip_parse("fd91::1:2:3:4", &address), 0);
        plumb_mac("one", &address, mac);
        CHECK(memcmp(mac + 2, address.bytes + 12, 4) == 0);
}

TEST(the_mtu_is_the_networks_own_or_the_default) {
        NetworkConfig n = network("podman1", v4, 1);

        CHECK_INT(plumb_mtu(&n), NET_MTU_DEFAULT);
        n.options = mtu;
        CHECK_INT(plumb_mtu(&n), 1400);
}

static bool has(const char *text, const char *line) {
        return strstr(text, line);
}

TEST(rules_let_networks_out_and_to_each_other) {
        NetworkConfig a = network("podman1", v4, 1), b = network("podman2", both, 2);
        const NetworkConfig *list[] = { &a, &b };
        _cleanup_free_ char *text = router_rules_text(list, 2);

        CHECK(text);
        CHECK(has(text, "hook forward priority filter; policy drop;"));
        CHECK(has(text, "hook input priority filter; policy drop;"));
        CHECK(has(text, "    oifname \"uplink0\" masquerade\n"));
        CHECK(has(text, "    iifname \"podman1\" accept\n    iifname \"uplink0\" oifname \"podman1\" accept\n"));
        CHECK(has(text, "    iifname \"podman1\" ip saddr != { 10.91.1.0/24 } drop\n"));
        CHECK(has(text, "    iifname \"podman1\" ip6 saddr != { :: } drop\n")); /* it has no IPv6 */
        CHECK(has(text, "    iifname \"podman2\" ip6 saddr != { fd91:2::/64 } drop\n"));
        CHECK(!has(text, "oifname { "));
}

TEST(rules_keep_networks_apart_before_they_accept_anything) {
        NetworkConfig within = network("podman1", v4, 1), alone = network("podman2", both, 2), alone2 = network("podman3", v4, 1), all = network("podman4", v4, 1);
        const NetworkConfig *list[] = { &within, &alone, &alone2, &all };

        within.internal = true;
        alone.options = alone2.options = isolate;
        all.options = strict;
        _cleanup_free_ char *text = router_rules_text(list, 4);
        CHECK(text);
        const char *accepts = strstr(text, "ct state established,related accept");
        const char *const drops[] = {
                "    iifname \"podman1\" drop\n    oifname \"podman1\" drop\n",
                "    iifname { \"podman2\", \"podman3\" } oifname { \"podman2\", \"podman3\" } drop\n",
                "    iifname \"podman4\" oifname != \"uplink0\" drop\n    oifname \"podman4\" iifname != \"uplink0\" drop\n",
        };
        for (size_t i = 0; i < ELEMENTSOF(drops); i++) {
                const char *at = strstr(text, drops[i]);

                CHECK(at && accepts && at < accepts);
        }
}

TEST(who_speaks_to_the_router_is_who_he_says) {
        NetworkConfig a = network("podman1", v4, 1), b = network("podman2", both, 2);
        const NetworkConfig *list[] = { &a, &b };
        _cleanup_free_ char *text = router_rules_text(list, 2);
        const char *input = text ? strstr(text, "chain input") : NULL, *accepts = input ? strstr(input, "    meta l4proto != { 1, 58 } ct state established,related accept") : NULL;
        const char *const drops[] = {
                "    iifname \"podman1\" ip saddr != { 10.91.1.0/24 } drop\n",
                "    iifname \"podman1\" ip6 saddr != { ::, fe80::/10 } drop\n",
                "    iifname \"podman2\" ip6 saddr != { ::, fe80::/10, fd91:2::/64 } drop\n",
        };

        CHECK(accepts);
        for (size_t i = 0; i < ELEMENTSOF(drops); i++) {
                const char *at = strstr(input, drops[i]);

                CHECK(at && at < accepts);
        }
        CHECK(has(input, "    iifname \"podman2\" ip6 daddr fd91:2::1 meta l4proto { 6, 17 } th dport 53 accept\n"));
        CHECK(!has(input, "\" meta l4proto { 6, 17 } th dport 53")); /* of another network */
        /* errors about what was never sent change nothing, also no route's MTU */
        CHECK(!has(input, "l4proto { 1"));
        CHECK(has(input, "    icmp type 8 accept\n"));
        CHECK(has(input, "    icmp type 3 icmp code != 4 ct state related accept\n"));
        CHECK(!has(text, "meta mark 0x73647064 ct state established")); /* before the sources are looked at, answers alone */
}

TEST(rules_without_any_network_are_rules) {
        _cleanup_free_ char *text = router_rules_text(NULL, 0);

        CHECK(text && has(text, "table inet sdpod {}\ndelete table inet sdpod\n"));
        CHECK(!has(text, "{  }"));
}

TEST(ports_are_told_with_their_sockets) {
        int pair[2], fds[2];
        _cleanup_router_port_ RouterPort got = {};
        _cleanup_port_sockets_ PortSockets sockets = PORT_SOCKETS_NULL;

        CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        const RouterPort port = { .op = (char *) "publish", .key = 7, .protocol = (char *) "udp", .container_port = 53, .host_port = 5353, .ipv6 = true,
                                  .address = (char *) "10.91.1.2", .prefix = 24 };
        const PortSockets sent = { .fd4 = -EBADF, .fd6 = fds[0] };

        CHECK_INT(router_control_receive(pair[1], &got, &sockets), -EAGAIN);
        CHECK_INT(router_control_send(pair[0], &port, &sent), 0);
        CHECK_INT(router_control_receive(pair[1], &got, &sockets), 1);
        CHECK_STR(got.op, "publish");
        CHECK_STR(got.address, "10.91.1.2");
        CHECK_INT(got.key, 7);
        CHECK_INT(sockets.fd4, -EBADF);
        CHECK(sockets.fd6 >= 0);
        CHECK_INT(sockets.port, 5353);
        CHECK_INT(write(sockets.fd6, "x", 1), 1);
        char byte = 0;
        CHECK_INT(read(fds[1], &byte, 1), 1);
        CHECK_INT(byte, 'x');
        /* sockets that the text does not name, and what is no text */
        RouterPort bad = {};
        PortSockets none = PORT_SOCKETS_NULL;
        CHECK_INT(io_send_fds(pair[0], "{\"op\":\"publish\"}", 16, fds, 1), 0);
        CHECK_INT(router_control_receive(pair[1], &bad, &none), -EBADMSG);
        CHECK_INT(io_send_fds(pair[0], "{", 1, NULL, 0), 0);
        CHECK(router_control_receive(pair[1], &bad, &none) < 0);
        (void) fd_close(pair[0]);
        CHECK_INT(router_control_receive(pair[1], &bad, &none), 0);
        (void) fd_close(pair[1]);
        (void) fd_close(fds[0]);
        (void) fd_close(fds[1]);
}
