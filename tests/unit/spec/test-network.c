/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/test.h"
#include "spec/network.h"

#define ID "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"

/* What stands behind the name, ID and driver of a record that is otherwise right. */
static int check(const char *more, Error *reterr) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
        _cleanup_free_ char *text = str_format("{\"name\":\"a\",\"id\":\"" ID "\",\"driver\":\"bridge\"%s%s}",
                                               strstr(more, "network_interface") ? "" : ",\"network_interface\":\"podman1\"", more);

        CHECK(text);
        CHECK_INT(json_fields_parse(text, strlen(text), network_config_fields, &config, reterr), 0);
        return network_config_check(&config, reterr);
}

TEST(the_default_network_is_right) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;

        CHECK_INT(network_config_default(&config), 0);
        CHECK_INT(network_config_check(&config, NULL), 0);
        CHECK_STR(config.id, ID);
        CHECK(network_has_addresses(&config));
}

TEST(interfaces) {
        CHECK(network_interface_is_valid("podman0") && network_interface_is_valid("123456789012345"));
        CHECK(!network_interface_is_valid("1234567890123456") && !network_interface_is_valid("") && !network_interface_is_valid(".."));
        CHECK(!network_interface_is_valid("a/b") && !network_interface_is_valid("a b") && !network_interface_is_valid("a%d"));
        CHECK(!network_interface_is_valid("a:1") && !network_interface_is_valid("all") && !network_interface_is_valid("lo"));
        CHECK(network_interface_is_valid("br-1.20@x+y=z_"));
        /* they are written into rules, and given to dnsmasq: quotes, wildcards, lists; and one is the router's own */
        static const char *const bad[] = { "a\"accept;#", "podman*", "po\"}", "$x", "a;b", "{a}", "#", "a\\", "a,b", "uplink0" };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK(!network_interface_is_valid(bad[i]));
        CHECK(!network_interface_is_valid("a\nb") && !network_interface_is_valid("\xc3\xa4"));
}

TEST(damaged_records_are_refused) {
        static const char *const bad[] = {
                ",\"network_interface\":\"a/b\"", ",\"network_interface\":null",
                ",\"options\":{\"mtu\":\"4294967295\"}", ",\"options\":{\"mtu\":\"x\"}", ",\"options\":{\"isolate\":\"\\\" drop\"}",
                ",\"options\":{\"dns_peers\":\"192.0.2.1\"}", ",\"options\":{\"what\":\"x\"}",
                ",\"subnets\":[{\"subnet\":\"10.0.0.1/24\"}]", ",\"subnets\":[{}]", ",\"subnets\":[{\"subnet\":\"127.0.0.0/8\"}]",
                ",\"subnets\":[{\"subnet\":\"0.0.0.0/0\"}]", ",\"subnets\":[{\"subnet\":\"169.254.0.0/16\"}]",
                ",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.1.1\"}]",
                ",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"x\"}]",
                ",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"lease_range\":{\"start_ip\":\"10.0.1.1\"}}]",
                ",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"lease_range\":{\"end_ip\":\"fd00::1\"}}]",
                ",\"subnets\":[{\"subnet\":\"10.0.0.0/24\"},{\"subnet\":\"10.0.0.128/25\"}]",
                ",\"routes\":[{\"destination\":\"10.1.0.0/16\"}]", ",\"routes\":[{\"destination\":\"10.1.0.0/16\",\"gateway\":\"fd00::1\"}]",
                ",\"network_dns_servers\":[\"1.1.1.1\\nserver=/#/\"]",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(check(bad[i], /* reterr= */ NULL), -EBADMSG);
        CHECK_INT(check("", /* reterr= */ NULL), 0);
        CHECK_INT(check(",\"options\":{\"mtu\":\"1400\",\"isolate\":\"strict\"}", /* reterr= */ NULL), 0);
        CHECK_INT(check(",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.1\"},{\"subnet\":\"fd00::/64\"}]", NULL), 0);
}

TEST(names) {
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;

        CHECK_INT(network_config_default(&config), 0);
        CHECK_INT(str_replace(&config.name, "../podman"), 0);
        CHECK_INT(network_config_check(&config, NULL), -EBADMSG);
        CHECK_INT(str_replace(&config.name, "podman"), 0);
        CHECK_INT(str_replace(&config.id, "../podman"), 0);
        CHECK_INT(network_config_check(&config, NULL), -EBADMSG);
        CHECK_INT(str_replace(&config.id, NULL), 0);
        CHECK_INT(network_config_check(&config, NULL), -EBADMSG);
        CHECK_INT(str_replace(&config.id, ID), 0);
        CHECK_INT(str_replace(&config.driver, "host"), 0);
        CHECK_INT(network_config_check(&config, NULL), -EBADMSG);
}
