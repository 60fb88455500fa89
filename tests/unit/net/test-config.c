/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/test.h"
#include "net/net-config.h"

static int check(const NetConfig *config) {
        _cleanup_error_ Error error = ERROR_NULL;
        NetAddresses a;

        int r = net_addresses_from_config(config, &a, &error);
        CHECK((r < 0) == (error.message != NULL));
        return r;
}

TEST(addresses_follow_from_the_network) {
        NetConfig config = NET_CONFIG_NULL;
        char text[INET6_ADDRSTRLEN];
        NetAddresses a;

        CHECK_INT(net_addresses_from_config(&config, &a, NULL), 0);
        CHECK_STR(inet_ntop(AF_INET, &a.gateway, text, sizeof(text)), "10.0.2.2");
        CHECK_STR(inet_ntop(AF_INET, &a.dns, text, sizeof(text)), "10.0.2.3");
        CHECK_STR(inet_ntop(AF_INET, &a.container, text, sizeof(text)), "10.0.2.100");
        CHECK_STR(inet_ntop(AF_INET, &a.netmask, text, sizeof(text)), "255.255.255.0");
        CHECK_STR(inet_ntop(AF_INET6, &a.gateway6, text, sizeof(text)), "fd00::2");
        CHECK_STR(inet_ntop(AF_INET6, &a.dns6, text, sizeof(text)), "fd00::3");
        CHECK_STR(inet_ntop(AF_INET6, &a.container6, text, sizeof(text)), "fd00::100");
        CHECK_STR(inet_ntop(AF_INET6, &a.link_local6, text, sizeof(text)), "fe80::aff:fe00:264");
        CHECK_INT(a.mac[0], 2);
        config.cidr = (char *) "192.168.200.77/25";
        CHECK_INT(net_addresses_from_config(&config, &a, NULL), 0);
        CHECK_STR(inet_ntop(AF_INET, &a.container, text, sizeof(text)), "192.168.200.100");
}

TEST(networks_that_cannot_be_are_refused) {
        static const char *const bad[] = { "", "10.0.2.0", "10.0.2.0/", "10.0.2.0/26", "10.0.2.0/7", "10.0.2/24", "10.0.2.0/24/1",
                                           "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/8", "0.0.0.0/8", "fd00::/64", "10.0.2.0/-1" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                NetConfig config = { .cidr = (char *) bad[i] };

                test_note("'%s'", bad[i]);
                CHECK_INT(check(&config), -EINVAL);
        }
}

TEST(ports_are_checked) {
        static const struct {
                NetPort port;
                int r;
        } rows[] = {
                { { (char *) "", 80, 80, (char *) "tcp" }, 0 },
                { { NULL, 0, 65535, (char *) "udp" }, 0 },
                { { (char *) "::1", 80, 80, (char *) "udp" }, 0 },
                { { (char *) "::1", 80, 80, (char *) "tcp" }, 0 },
                { { NULL, 80, 0, (char *) "tcp" }, -ERANGE },
                { { NULL, 65536, 80, (char *) "tcp" }, -ERANGE },
                { { NULL, 80, 80, (char *) "sctp" }, -EOPNOTSUPP },
                { { NULL, 80, 80, NULL }, -EOPNOTSUPP },
                { { (char *) "localhost", 80, 80, (char *) "tcp" }, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                NetPort port = rows[i].port;
                NetConfig config = { .ports = &port, .n_ports = 1 };

                CHECK_INT(check(&config), rows[i].r);
                config.ipv6 = true;
                CHECK_INT(check(&config), rows[i].r);
        }
}

TEST(other_values_are_checked) {
        static const char *const names[] = { "", ".", "..", "lo", "a/b", "a b", "tap%d", "a234567890123456" };
        NetConfig config = { .mtu = 1279 };

        CHECK_INT(check(&config), -ERANGE);
        config.mtu = 65521;
        CHECK_INT(check(&config), -ERANGE);
        config.mtu = 1280;
        CHECK_INT(check(&config), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                config.interface = (char *) names[i];
                CHECK_INT(check(&config), -EINVAL);
        }
        config.interface = (char *) "a23456789012345";
        CHECK_INT(check(&config), 0);
        config.outbound_addr = (char *) "::1";
        CHECK_INT(check(&config), -EINVAL);
        config.outbound_addr = (char *) "192.0.2.1";
        config.outbound_addr6 = (char *) "192.0.2.1";
        CHECK_INT(check(&config), -EINVAL);
}

TEST(a_config_survives_json) {
        NetPort port = { (char *) "127.0.0.1", 8080, 80, (char *) "tcp" };
        char *dns[] = { (char *) "1.1.1.1", NULL };
        NetConfig config = { .name = (char *) "web", .mtu = 1500, .ipv6 = true, .ports = &port, .n_ports = 1, .dns = dns };
        _cleanup_json_ json_t *json = json_fields_save(net_config_fields, &config);
        _cleanup_net_config_ NetConfig copy = {};

        CHECK(json);
        CHECK_INT(json_fields_load(json, net_config_fields, &copy, NULL), 0);
        CHECK_STR(copy.name, "web");
        CHECK_INT(copy.mtu, 1500);
        CHECK(copy.ipv6 && !copy.allow_host_loopback);
        CHECK_INT(copy.n_ports, 1);
        CHECK_STR(copy.ports[0].host_ip, "127.0.0.1");
        CHECK_INT(copy.ports[0].container_port, 80);
        CHECK_STR(copy.dns[0], "1.1.1.1");
        CHECK(!copy.dns[1]);
}
