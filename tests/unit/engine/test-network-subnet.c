/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "engine/network-subnet.h"

static void add(SubnetList *list, const char *text) {
        IpSubnet subnet;

        CHECK_INT(ip_parse_subnet(text, &subnet), 0);
        CHECK_INT(subnet_list_add(list, &subnet), 0);
}

static bool has(const SubnetList *list, const char *text) {
        for (size_t i = 0; i < list->n; i++)
                if (str_equal(ip_subnet_text(&list->items[i]), text))
                        return true;
        return false;
}

TEST(the_first_that_is_free) {
        _cleanup_subnet_list_ SubnetList used = {};
        IpSubnet found;

        CHECK_INT(subnet_find_free(&used, AF_INET, &found), 0);
        CHECK_STR(ip_subnet_text(&found), "10.89.0.0/24");
        add(&used, "10.89.0.0/24");
        add(&used, "10.89.1.128/25");
        add(&used, "10.89.4.0/22");
        add(&used, "fd00::/8");
        CHECK_INT(subnet_find_free(&used, AF_INET, &found), 0);
        CHECK_STR(ip_subnet_text(&found), "10.89.2.0/24");
        add(&used, "10.89.2.0/23");
        CHECK_INT(subnet_find_free(&used, AF_INET, &found), 0);
        CHECK_STR(ip_subnet_text(&found), "10.89.8.0/24");
        add(&used, "10.0.0.0/8");
        CHECK_INT(subnet_find_free(&used, AF_INET, &found), -ENOSPC);
        CHECK_INT(subnet_find_free(&used, AF_INET6, &found), -ENOSPC);
}

TEST(made_up_prefixes) {
        _cleanup_subnet_list_ SubnetList used = {};
        IpSubnet first, second;

        CHECK_INT(subnet_find_free(&used, AF_INET6, &first), 0);
        CHECK_INT(subnet_find_free(&used, AF_INET6, &second), 0);
        CHECK(first.prefix == 64 && first.address.bytes[0] == 0xfd && first.address.bytes[15] == 0);
        CHECK(!ip_equal(&first.address, &second.address));
}

TEST(routes_of_the_host) {
        static const char route4[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                                     "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                                     "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                                     "tun0\t0000590A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                                     "eth0\t0000FEA9\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                                     "broken\n";
        static const char route6[] =
                "fd420000000000010000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n"
                "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n"
                "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"
                "zzzz0000000000000000000000000000 40 00000000000000000000000000000000\n"
                "fd430000000000010000000000000000 ff 00000000000000000000000000000000\n";
        _cleanup_subnet_list_ SubnetList list = {};

        CHECK_INT(subnet_list_add_routes_text(&list, AF_INET, route4), 0);
        CHECK_INT(subnet_list_add_routes_text(&list, AF_INET6, route6), 0);
        CHECK_INT(list.n, 3); /* neither default routes nor link-local ones, nor what is no route */
        CHECK(has(&list, "192.168.2.0/24") && has(&list, "10.89.0.0/16") && has(&list, "fd42:0:0:1::/64"));
}

TEST(addresses_of_the_host) {
        _cleanup_subnet_list_ SubnetList list = {};

        CHECK_INT(subnet_list_add_addresses(&list, NULL), 0);
        CHECK(has(&list, "10.0.2.0/24")); /* the uplink's */
        CHECK(has(&list, "127.0.0.1/8"));
}
