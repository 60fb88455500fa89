/* SPDX-License-Identifier: Apache-2.0 */
/* --network and what goes with it. */
#include <string.h>

#include "base/str.h"
#include "base/test.h"
#include "cli/parse-network.h"

typedef struct Row {
        const char *value, *wanted; /* the mode, or an errno's name */
} Row;

TEST(one_value) {
        static const Row rows[] = {
                { "none", "none" }, { "host", "host" }, { "slirp4netns", "slirp" }, { "slirp", "slirp" }, { "private", "slirp" }, { "", "slirp" },
                { "container:web", "container:web" }, { "ns:/run/netns/x", "ns:/run/netns/x" },
                { "slirp4netns:enable_ipv6=true,mtu=65520", "slirp:enable_ipv6=true,mtu=65520" }, { "container:", "EINVAL" }, { "ns:", "EINVAL" },
                { "ns:x", "EINVAL" }, { "pasta", "EOPNOTSUPP" }, { "pasta:-t,80", "EOPNOTSUPP" }, { "pod", "EINVAL" },
                { "bridge", "bridge" }, { "bridge:ip=1.2.3.4", "bridge" }, { "mynet", "bridge" }, { "a,b,c", "bridge" }, { "mynet:", "bridge" },
                { "mynet:alias=a,alias=b,interface_name=eth7,mac=92:d0:c6:0a:29:33,ip6=fd00::1", "bridge" },
                { "a,,b", "EINVAL" }, { ",", "EINVAL" }, { ":ip=1.2.3.4", "EINVAL" }, { "../x", "EINVAL" }, { "a/b", "EINVAL" }, { "a\nb", "EINVAL" },
                { ".lock", "EINVAL" }, { "a b", "EINVAL" },
                { "a:ip", "EINVAL" }, { "a:ip=", "EINVAL" }, { "a:ip=x", "EINVAL" }, { "a:ip=1.2.3.4/8", "EINVAL" }, { "a:mac=1", "EINVAL" },
                { "a:mac=01:00:00:00:00:00", "EINVAL" }, { "a:alias=", "EINVAL" }, { "a:alias=a b", "EINVAL" }, { "a:alias=a\n1.2.3.4 b", "EINVAL" },
                { "a:alias=#", "EINVAL" }, { "a:interface_name=", "EINVAL" }, { "a:interface_name=a/b", "EINVAL" },
                { "a:interface_name=1234567890123456", "EINVAL" }, { "a:foo=x", "EINVAL" }, { "a:host_interface_name=x", "EOPNOTSUPP" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                int r = parse_network(&config, rows[i].value, NULL);

                test_note("row %zu", i);
                CHECK_STR(r < 0 ? strerrorname_np(-r) : config.network, rows[i].wanted);
        }
}

TEST(several) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL, slirp = CONTAINER_CONFIG_NULL;
        static const char *const further[] = { "none", "host", "bridge", "bridge:ip=1.2.3.4", "slirp4netns:mtu=1500", "container:x", "ns:/x", "b,c" };

        CHECK_INT(parse_network(&config, "a:ip=10.0.0.7,alias=x", NULL), 0);
        CHECK_INT(parse_network(&config, "b:mac=92-D0-C6-0a-29-33", NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(further); i++)
                CHECK_INT(parse_network(&config, further[i], NULL), -EINVAL);
        CHECK_INT(config.n_networks, 2);
        CHECK_STR(config.networks[0].static_ips[0], "10.0.0.7");
        CHECK_STR(config.networks[1].static_mac, "92:d0:c6:0a:29:33");
        CHECK_INT(parse_network(&config, "a:alias=y", NULL), 0); /* said again: it is this, and no more */
        CHECK_INT(config.n_networks, 2);
        CHECK(!config.networks[0].static_ips);
        CHECK_STR(config.networks[0].aliases[0], "y");
        CHECK_INT(parse_network(&slirp, "slirp", NULL), 0);
        CHECK_INT(parse_network(&slirp, "a", NULL), -EINVAL);
}

TEST(many_are_too_many) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        int r = 0;

        for (unsigned i = 0; i < 1000 && r >= 0; i++) {
                _cleanup_free_ char *name = str_format("n%u", i);

                r = parse_network(&config, name, NULL);
        }
        CHECK_INT(r, -EINVAL);
}

/* What --ip and the like come to for the modes of --network. */
static int apply(const char *mode, const char *second, const NetworkWords *words, ContainerConfig *config) {
        if (mode)
                CHECK_INT(parse_network(config, mode, NULL), 0);
        if (second)
                CHECK_INT(parse_network(config, second, NULL), 0);
        return network_words_apply(words, config, NULL);
}

TEST(words) {
        char *aliases[] = { (char *) "x", (char *) "y", NULL };
        const NetworkWords ip = { .ip = (char *) "10.0.0.9" }, ip6 = { .ip6 = (char *) "fd00::9" }, mac = { .mac = (char *) "92:d0:c6:0a:29:33" },
                           alias = { .aliases = aliases }, bad = { .ip = (char *) "x" }, wrong = { .ip = (char *) "fd00::1" },
                           wrong6 = { .ip6 = (char *) "10.0.0.1" }, empty = { .ip = (char *) "" };
        const struct {
                const char *mode, *second;
                const NetworkWords *words;
                int code;
        } rows[] = {
                { "a", NULL, &ip, 0 }, { "a", NULL, &ip6, 0 }, { "a", NULL, &mac, 0 }, { "a", NULL, &alias, 0 }, { "a", "b", &alias, 0 },
                { "a", NULL, &bad, -EINVAL }, { "a", NULL, &wrong, -EINVAL }, { "a", NULL, &wrong6, -EINVAL }, { "a", "b", &ip, -EINVAL },
                { "a", "b", &mac, -EINVAL }, { "none", NULL, &ip, -EINVAL }, { "host", NULL, &alias, -EINVAL }, { NULL, NULL, &ip, -EINVAL },
                { NULL, NULL, &empty, 0 }, { "slirp", NULL, &mac, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

                test_note("row %zu", i);
                CHECK_INT(apply(rows[i].mode, rows[i].second, rows[i].words, &config), rows[i].code);
                if (rows[i].words == &alias && config.n_networks == 2)
                        CHECK_STR(config.networks[1].aliases[1], "y");
        }
}
