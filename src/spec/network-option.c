/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of a network may be. */
#include "spec/network-option.h"

#include <strings.h>

#include "base/parse.h"
#include "base/str.h"

enum { RATE_MIN = 8000, REMOTES_MAX = 16 };

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

int network_rate_parse(const char *text, uint64_t *ret) {
        static const struct {
                const char *suffix;
                uint64_t factor;
        } units[] = { { "", 1 }, { "k", 1000 }, { "m", 1000000 }, { "g", 1000000000 } };
        size_t digits = strspn(text, "0123456789");
        _cleanup_free_ char *number = strndup(text, digits);
        uint64_t value;

        if (!number)
                return -ENOMEM;
        if (digits == 0 || parse_u64(number, &value) < 0)
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                const char *rest = text + digits;

                if (strncasecmp(rest, units[i].suffix, strlen(units[i].suffix)) != 0)
                        continue;
                rest += strlen(units[i].suffix);
                if ((*rest && strcasecmp(rest, "bit") != 0) || __builtin_mul_overflow(value, units[i].factor, &value))
                        continue;
                if (value < RATE_MIN || value > UINT64_C(1000000000000))
                        return -EINVAL;
                *ret = value;
                return 0;
        }
        return -EINVAL;
}

int network_remotes_parse(const char *text, char ***ret) {
        _cleanup_strv_ char **words = strv_split(text, ",");

        if (!words)
                return -ENOMEM;
        if (strv_length(words) > REMOTES_MAX)
                return -EINVAL;
        for (char **w = words; *w; w++) {
                IpAddress address;

                if (ip_parse(*w, &address) < 0 || ip_is_special(&address))
                        return -EINVAL;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

/* ---- what values may be ---- */

static int check_number(const char *value, uint32_t min, uint32_t max, Error *reterr) {
        uint32_t n;

        return parse_u32(value, &n) >= 0 && n >= min && n <= max ? 0 : INVALID("not a number from %u to %u", min, max);
}

static int check_mtu(const char *value, _unused_ char **ret, Error *reterr) {
        uint32_t n;

        return parse_u32(value, &n) >= 0 && n == 0 ? 0 : check_number(value, 68, 65535, reterr);
}

static int check_vlan(const char *value, _unused_ char **ret, Error *reterr) {
        return check_number(value, 0, 4094, reterr);
}

static int check_metric(const char *value, _unused_ char **ret, Error *reterr) {
        return check_number(value, 1, INT32_MAX, reterr);
}

static int check_vni(const char *value, _unused_ char **ret, Error *reterr) {
        return check_number(value, 1, 16777215, reterr);
}

static int check_port(const char *value, _unused_ char **ret, Error *reterr) {
        return check_number(value, 1, 65535, reterr);
}

static int check_connections(const char *value, _unused_ char **ret, Error *reterr) {
        return check_number(value, 0, 1000000, reterr);
}

static int check_bool(const char *value, char **ret, Error *reterr) {
        bool is;

        if (parse_bool(value, &is) < 0)
                return INVALID("neither true nor false");
        return str_replace(ret, is ? "true" : "false") < 0 ? error_oom(reterr) : 0;
}

static int check_isolate(const char *value, char **ret, Error *reterr) {
        if (str_equal(value, "strict"))
                return 0;
        return check_bool(value, ret, reterr) < 0 ? INVALID("not one of true, false, strict") : 0;
}

static int check_rate(const char *value, _unused_ char **ret, Error *reterr) {
        uint64_t rate;

        return network_rate_parse(value, &rate) < 0 ? INVALID("not a number of bits a second such as 10m, at least 8k") : 0;
}

static int check_burst(const char *value, _unused_ char **ret, Error *reterr) {
        uint64_t bytes;

        return parse_bytes(value, &bytes) < 0 || bytes == 0 || bytes > UINT32_MAX ? INVALID("not a number of bytes") : 0;
}

static int check_remote(const char *value, _unused_ char **ret, Error *reterr) {
        _cleanup_strv_ char **remotes = NULL;

        return network_remotes_parse(value, &remotes) < 0 ? INVALID("not one or more addresses with commas between") : 0;
}

static int check_word(const char *value, const char *const *words, Error *reterr) {
        _cleanup_free_ char *list = strv_join((char *const *) words, ", ");

        return strv_contains((char *const *) words, value) ? 0 : INVALID("not one of %s", list ?: "");
}

static int check_macvlan_mode(const char *value, _unused_ char **ret, Error *reterr) {
        static const char *const words[] = { "bridge", "private", "vepa", "passthru", NULL };

        return check_word(value, words, reterr);
}

static int check_ipvlan_mode(const char *value, _unused_ char **ret, Error *reterr) {
        static const char *const words[] = { "l2", "l3", "l3s", NULL };

        return check_word(value, words, reterr);
}

/* ---- which driver has which ---- */

enum { BRIDGE = 1 << 0, MACVLAN = 1 << 1, IPVLAN = 1 << 2, VXLAN = 1 << 3, ALL = BRIDGE | MACVLAN | IPVLAN | VXLAN };

static const struct {
        const char *name;
        unsigned drivers;
        int (*check)(const char *value, char **ret, Error *reterr); /* NULL: known, and refused */
        const char *refused;
} options[] = {
        { "burst", BRIDGE | VXLAN, check_burst, NULL },
        { "connections", BRIDGE | VXLAN, check_connections, NULL },
        { "dns_peers", VXLAN, check_remote, NULL },
        { "isolate", BRIDGE | VXLAN, check_isolate, NULL },
        { "metric", ALL, check_metric, NULL },
        { "mode", MACVLAN, check_macvlan_mode, NULL },
        { "mode", IPVLAN, check_ipvlan_mode, NULL },
        { "mode", BRIDGE, NULL, "bridges are made in a namespace of their own: there is none that another program manages" },
        { "mtu", ALL, check_mtu, NULL },
        { "no_default_route", ALL, check_bool, NULL },
        { "port", VXLAN, check_port, NULL },
        { "rate", BRIDGE | VXLAN, check_rate, NULL },
        { "remote", VXLAN, check_remote, NULL },
        { "spoofing", BRIDGE | VXLAN, check_bool, NULL },
        { "vlan", BRIDGE, check_vlan, NULL },
        { "vni", VXLAN, check_vni, NULL },
        { "vrf", BRIDGE, NULL, "there are no VRFs in the router's namespace" },
};

static unsigned driver_bit(const char *driver) {
        static const char *const names[] = { "bridge", "macvlan", "ipvlan", "vxlan" };

        for (unsigned i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i], driver))
                        return 1U << i;
        return 0;
}

int network_option_check(const char *driver, const char *name, const char *value, char **ret, Error *reterr) {
        unsigned bit = driver_bit(driver);

        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                _cleanup_free_ char *written = NULL;

                if (!str_equal(options[i].name, name) || !(options[i].drivers & bit))
                        continue;
                if (!options[i].check)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use '--opt %s=%s': %s", name, value, options[i].refused);
                int r = options[i].check(value, &written, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot use '--opt %s=%s'", name, value);
                *ret = written ? TAKE_PTR(written) : strdup(value);
                return *ret ? 0 : error_oom(reterr);
        }
        return INVALID("unsupported %s network option %s", driver, name);
}
