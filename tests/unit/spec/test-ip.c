/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "spec/ip.h"

static IpSubnet subnet(const char *text) {
        IpSubnet subnet = {};

        CHECK_INT(ip_parse_subnet(text, &subnet), 0);
        return subnet;
}

static IpAddress address(const char *text) {
        IpAddress address = {};

        CHECK_INT(ip_parse(text, &address), 0);
        return address;
}

TEST(what_is_no_address_is_refused) {
        static const char *const bad[] = { "",        "1.2.3",     "1.2.3.4.5", "256.1.1.1", "01.2.3.4", " 1.2.3.4", "1.2.3.4\n",
                                           "1.2.3.4/8", "::ffff:1.2.3.4", "fe80::1%eth0", "::g", ":::",   "../../etc" };
        IpAddress ip;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(ip_parse(bad[i], &ip), -EINVAL);
        CHECK_STR(ip_text(&(IpAddress[]){ address("10.0.0.1") }[0]), "10.0.0.1");
        CHECK_STR(ip_text(&(IpAddress[]){ address("FD00:0::1") }[0]), "fd00::1");
}

TEST(what_is_no_subnet_is_refused) {
        static const char *const bad[] = { "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "fd00::/129",
                                           "10.0.0.0/ 8", "10.0.0.0/+8",
                                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8" };
        IpSubnet s;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(ip_parse_subnet(bad[i], &s), -EINVAL);
        s = subnet("10.0.0.7/24");
        CHECK_STR(ip_subnet_text(&s), "10.0.0.7/24");
}

TEST(the_ends_of_a_subnet) {
        IpSubnet a = subnet("10.1.2.77/20"), b = subnet("fd00:1:2::7/61"), c = subnet("10.0.0.1/32"), d = subnet("0.0.0.0/0");
        IpAddress first = ip_first(&a), last = ip_last(&a);

        CHECK_STR(ip_text(&first), "10.1.0.0");
        CHECK_STR(ip_text(&last), "10.1.15.255");
        first = ip_first(&b), last = ip_last(&b);
        CHECK_STR(ip_text(&first), "fd00:1:2::");
        CHECK_STR(ip_text(&last), "fd00:1:2:7:ffff:ffff:ffff:ffff");
        first = ip_first(&c), last = ip_last(&c);
        CHECK(ip_equal(&first, &last));
        last = ip_last(&d);
        CHECK_STR(ip_text(&last), "255.255.255.255");
}

TEST(inside_and_overlap) {
        IpSubnet net = subnet("10.89.0.0/24"), wide = subnet("10.0.0.0/8"), other = subnet("10.89.1.0/24"), six = subnet("fd00::/64"),
                 all = subnet("::/0");
        IpAddress in = address("10.89.0.255"), out = address("10.89.1.0"), v6 = address("fd00::1");

        CHECK(ip_contains(&net, &in) && !ip_contains(&net, &out) && !ip_contains(&net, &v6) && ip_contains(&all, &v6));
        CHECK(ip_overlap(&net, &wide) && ip_overlap(&wide, &net) && !ip_overlap(&net, &other) && !ip_overlap(&net, &all));
        CHECK(ip_overlap(&six, &all));
}

TEST(adding_carries_over) {
        IpAddress a = address("10.0.0.255"), b = address("fd00::ffff:ffff"), c = address("255.255.255.255");

        a = ip_add(&a, 1), b = ip_add(&b, 2), c = ip_add(&c, 1);
        CHECK_STR(ip_text(&a), "10.0.1.0");
        CHECK_STR(ip_text(&b), "fd00::1:0:1");
        CHECK_STR(ip_text(&c), "0.0.0.0");
}

TEST(special_addresses) {
        static const char *const special[] = { "127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "::", "::1",
                                               "fe80::1", "fec0::1", "ff02::1" };
        static const char *const usual[] = { "10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "fd00::1", "2001:db8::1" };

        for (size_t i = 0; i < ELEMENTSOF(special); i++) {
                IpAddress a = address(special[i]);

                CHECK(ip_is_special(&a));
        }
        for (size_t i = 0; i < ELEMENTSOF(usual); i++) {
                IpAddress a = address(usual[i]);

                CHECK(!ip_is_special(&a));
        }
}

TEST(addresses_of_cards) {
        static const char *const bad[] = { "", "92:d0:c6:0a:29", "92:d0:c6:0a:29:33:11", "92:d0:c6:0a:29:3", "92.d0.c6.0a.29.33", "00:00:00:00:00:00",
                                           "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "92:d0:c6:0a:29:3g", "92:d0:c6:0a:29:33 ", " 2:d0:c6:0a:29:33" };
        uint8_t mac[6];

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(ip_parse_mac(bad[i], mac), -EINVAL);
        CHECK_INT(ip_parse_mac("92:D0-c6:0a:29:33", mac), 0);
        CHECK(mac[0] == 0x92 && mac[1] == 0xd0 && mac[5] == 0x33);
}
