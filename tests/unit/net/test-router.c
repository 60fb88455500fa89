/* SPDX-License-Identifier: Apache-2.0 */
/* What the router of bridge networks decides without a kernel: names, addresses, rules, messages. */
#include <stdio.h>
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
        _cleanup_free_ char *text = router_rules_text(&(RouterRules){ .networks = list, .n_networks = 2 });

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
        _cleanup_free_ char *text = router_rules_text(&(RouterRules){ .networks = list, .n_networks = 4 });
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
        _cleanup_free_ char *text = router_rules_text(&(RouterRules){ .networks = list, .n_networks = 2 });
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
        _cleanup_free_ char *text = router_rules_text(&(RouterRules){ .networks = NULL, .n_networks = 0 });

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

static char *spoofing[] = { (char *) "spoofing=true", NULL };

static PlumbLink link_to(const NetworkConfig *to, const char *name, const char *address, const char *address6) {
        PlumbLink link = { .network = to, .mac = { 2, 1, 2, 3, 4, 5 } };

        (void) snprintf(link.name, sizeof(link.name), "%s", name);
        CHECK(ip_parse_subnet(address, &link.addresses[link.n_addresses++]) >= 0);
        if (address6)
                CHECK(ip_parse_subnet(address6, &link.addresses[link.n_addresses++]) >= 0);
        return link;
}

TEST(a_container_is_who_it_was_made) {
        NetworkRoute route = { .destination = (char *) "10.99.0.0/16", .gateway = (char *) "10.91.1.9" };
        NetworkConfig a = network("podman1", v4, 1), b = network("podman2", both, 2), open = network("podman3", v4, 1), tunnel = network("podman4", v4, 1);
        const NetworkConfig *list[] = { &a, &b, &open, &tunnel };
        PlumbLink links[] = { link_to(&a, "v01", "10.91.1.2/24", NULL), link_to(&b, "v02", "10.91.2.2/24", "fd91:2::2/64") },
                  forwarder[] = { link_to(&a, "v03", "10.91.1.9/24", NULL) }, wild[] = { link_to(&open, "v04", "10.91.1.4/24", NULL) };
        const GuardContainer containers[] = { { links, 2 }, { forwarder, 1 }, { wild, 1 } };

        a.routes = &route;
        a.n_routes = 1;
        open.options = spoofing;
        tunnel.driver = (char *) "vxlan";
        _cleanup_free_ char *text = router_rules_text(&(RouterRules){ .networks = list, .n_networks = 4, .containers = containers, .n_containers = 3 });
        const char *guard = text ? strstr(text, "delete table bridge sdpod\n") : NULL;
        CHECK(guard);
        static const char *const wanted[] = {
                "set members {\n    type ifname\n    flags timeout\n    gc-interval 10m\n    elements = {\n      \"v01\",\n      \"v02\",\n    }",
                "set forwarders {\n    type ifname\n    flags timeout\n    gc-interval 10m\n    elements = {\n      \"v03\",\n    }",
                "set free {\n    type ifname\n    flags timeout\n    gc-interval 10m\n    elements = {\n      \"v04\",\n    }",
                "set tunnels {\n    type ifname\n    flags timeout\n    gc-interval 10m\n    elements = {\n      \"x",
                "\"v01\" . 02:01:02:03:04:05,\n",
                /* each of its addresses by each of its ports, but its link-local one */
                "\"v01\" . 10.91.1.2,\n", "\"v01\" . 10.91.2.2,\n", "\"v02\" . 10.91.1.2,\n", "\"v02\" . 10.91.2.2,\n",
                "\"v01\" . 0xfd910002000000000000000000000002,\n",
                "\"v02\" . 0xfe80000000000000000102fffe030405,\n",
        };
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                CHECK(has(guard, wanted[i]));
        }
        CHECK(has(guard, "      10.91.2.1,\n")); /* the gateway's is nobody else's */
        CHECK(!has(guard, "\"v04\" . "));
        CHECK(!has(guard, "\"v03\" . 10.91.1.2"));
        _cleanup_free_ char *without = router_rules_text(&(RouterRules){ .networks = list, .n_networks = 4, .without_guard = true });
        CHECK(without && !has(without, "table bridge"));
}
