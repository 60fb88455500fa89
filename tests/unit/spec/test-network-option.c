/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/test.h"
#include "spec/network-option.h"

TEST(options_by_driver) {
        static const struct {
                const char *driver, *name, *value, *wanted; /* what is written down, or an errno's name */
        } rows[] = {
                { "bridge", "mtu", "1400", "1400" }, { "bridge", "mtu", "0", "0" }, { "bridge", "mtu", "67", "EINVAL" },
                { "bridge", "mtu", "65536", "EINVAL" }, { "bridge", "mtu", "", "EINVAL" }, { "bridge", "mtu", "-1", "EINVAL" },
                { "bridge", "isolate", "1", "true" }, { "bridge", "isolate", "False", "false" }, { "bridge", "isolate", "strict", "strict" },
                { "bridge", "isolate", "maybe", "EINVAL" }, { "bridge", "no_default_route", "yes", "true" }, { "bridge", "metric", "7", "7" },
                { "bridge", "metric", "0", "EINVAL" }, { "bridge", "vlan", "4094", "4094" }, { "bridge", "vlan", "4095", "EINVAL" },
                { "bridge", "rate", "10m", "10m" }, { "bridge", "rate", "10", "EINVAL" }, { "bridge", "burst", "64k", "64k" },
                { "bridge", "burst", "0", "EINVAL" }, { "bridge", "vrf", "x", "EOPNOTSUPP" }, { "bridge", "mode", "unmanaged", "EOPNOTSUPP" },
                { "bridge", "vni", "7", "EINVAL" }, { "bridge", "nosuch", "1", "EINVAL" }, { "macvlan", "mode", "vepa", "vepa" },
                { "macvlan", "mode", "l2", "EINVAL" }, { "ipvlan", "mode", "l3s", "l3s" }, { "ipvlan", "mode", "bridge", "EINVAL" },
                { "macvlan", "isolate", "true", "EINVAL" }, { "vxlan", "vni", "16777215", "16777215" }, { "vxlan", "vni", "16777216", "EINVAL" },
                { "vxlan", "vni", "0", "EINVAL" }, { "vxlan", "remote", "192.0.2.1,2001:db8::1", "192.0.2.1,2001:db8::1" },
                { "vxlan", "remote", "127.0.0.1", "EINVAL" }, { "vxlan", "remote", "192.0.2.1,", "EINVAL" }, { "vxlan", "remote", "a;b", "EINVAL" },
                { "vxlan", "port", "4789", "4789" }, { "vxlan", "port", "0", "EINVAL" }, { "vxlan", "vlan", "1", "EINVAL" },
                { "bridge", "spoofing", "yes", "true" }, { "vxlan", "spoofing", "0", "false" }, { "bridge", "spoofing", "some", "EINVAL" },
                { "bridge", "connections", "0", "0" }, { "vxlan", "connections", "100000", "100000" }, { "bridge", "connections", "1000001", "EINVAL" },
                { "bridge", "connections", "many", "EINVAL" }, { "ipvlan", "connections", "7", "EINVAL" },
                { "macvlan", "spoofing", "true", "EINVAL" }, { "ipvlan", "spoofing", "true", "EINVAL" },
                { "nosuch", "mtu", "1400", "EINVAL" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *value = NULL;
                int r = network_option_check(rows[i].driver, rows[i].name, rows[i].value, &value, NULL);

                test_note("%s %s=%s", rows[i].driver, rows[i].name, rows[i].value);
                CHECK_STR(r < 0 ? strerrorname_np(-r) : value, rows[i].wanted);
        }
}

TEST(rates) {
        static const struct {
                const char *text;
                uint64_t bits; /* 0: refused */
        } rows[] = {
                { "8000", 8000 }, { "8k", 8000 }, { "10mbit", 10000000 }, { "1G", 1000000000 }, { "500kBIT", 500000 }, { "16000bit", 16000 },
                { "7999", 0 }, { "", 0 }, { "k", 0 }, { "10x", 0 }, { "10mb", 0 }, { "-10m", 0 }, { "10m ", 0 }, { "1.5m", 0 },
                { "99999999999999999999", 0 }, { "18446744073709551615g", 0 }, { "2000g", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t bits = 0;

                test_note("%s", rows[i].text);
                CHECK_INT(network_rate_parse(rows[i].text, &bits), rows[i].bits ? 0 : -EINVAL);
                CHECK_INT(bits, rows[i].bits);
        }
}
