/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a network's record, and what may stand in it. */
#include "spec/network.h"

#include <string.h>

#include "base/str.h"
#include "spec/container.h"
#include "spec/network-option.h"

static const JsonField range_fields[] = {
        JSON_FIELD(NetworkRange, start_ip, "start_ip", JSON_FIELD_STRING),
        JSON_FIELD(NetworkRange, end_ip, "end_ip", JSON_FIELD_STRING),
        {},
};

static const JsonField subnet_fields[] = {
        JSON_FIELD(NetworkSubnet, subnet, "subnet", JSON_FIELD_STRING),
        JSON_FIELD(NetworkSubnet, gateway, "gateway", JSON_FIELD_STRING),
        JSON_FIELD_OBJECT_OF(NetworkSubnet, lease_range, "lease_range", range_fields),
        {},
};

static const JsonField route_fields[] = {
        JSON_FIELD(NetworkRoute, destination, "destination", JSON_FIELD_STRING),
        JSON_FIELD(NetworkRoute, gateway, "gateway", JSON_FIELD_STRING),
        JSON_FIELD(NetworkRoute, metric, "metric", JSON_FIELD_UINT32),
        {},
};

const JsonField network_config_fields[] = {
        JSON_FIELD(NetworkConfig, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(NetworkConfig, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(NetworkConfig, driver, "driver", JSON_FIELD_STRING),
        JSON_FIELD(NetworkConfig, network_interface, "network_interface", JSON_FIELD_STRING),
        JSON_FIELD(NetworkConfig, created_usec, "createdUSec", JSON_FIELD_INT64),
        JSON_FIELD_ARRAY_OF(NetworkConfig, subnets, n_subnets, "subnets", subnet_fields),
        JSON_FIELD_ARRAY_OF(NetworkConfig, routes, n_routes, "routes", route_fields),
        JSON_FIELD(NetworkConfig, ipv6_enabled, "ipv6_enabled", JSON_FIELD_BOOL),
        JSON_FIELD(NetworkConfig, internal, "internal", JSON_FIELD_BOOL),
        JSON_FIELD(NetworkConfig, dns_enabled, "dns_enabled", JSON_FIELD_BOOL),
        JSON_FIELD(NetworkConfig, network_dns_servers, "network_dns_servers", JSON_FIELD_STRV),
        JSON_FIELD(NetworkConfig, labels, "labels", JSON_FIELD_PAIRS),
        JSON_FIELD(NetworkConfig, options, "options", JSON_FIELD_PAIRS),
        JSON_FIELD(NetworkConfig, ipam_options, "ipam_options", JSON_FIELD_PAIRS),
        {},
};

void network_config_done(NetworkConfig *config) {
        json_fields_done(network_config_fields, config);
}

int network_config_default(NetworkConfig *ret) {
        _cleanup_network_config_ NetworkConfig config = {
                .name = strdup(NETWORK_DEFAULT),
                /* the SHA-256 of the name, as in Podman, so that scripts see the ID that they know */
                .id = strdup("2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"),
                .driver = strdup("bridge"),
                .network_interface = strdup("podman0"),
        };
        NetworkSubnet *subnet = container_array_add((void **) &config.subnets, &config.n_subnets, sizeof(*subnet));

        if (!config.name || !config.id || !config.driver || !config.network_interface || !subnet)
                return -ENOMEM;
        if (!(subnet->subnet = strdup("10.88.0.0/16")) || !(subnet->gateway = strdup("10.88.0.1")))
                return -ENOMEM;
        if (strv_append(&config.ipam_options, "driver=host-local") < 0)
                return -ENOMEM;
        *ret = config;
        config = NETWORK_CONFIG_NULL;
        return 0;
}

bool network_name_is_valid(const char *name) {
        return container_name_is_valid(name);
}

bool network_interface_is_valid(const char *name) {
        /* the last one is the router's way out (net/plumb.h) */
        static const char *const taken[] = { ".", "..", "all", "default", "lo", "uplink0", NULL };
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@=";
        size_t n = strlen(name);

        /* names are written into rules and arguments, where others of the letters that the kernel takes mean something */
        return n > 0 && n <= 15 && !strv_contains((char *const *) taken, name) && strspn(name, letters) == n;
}

#define BAD(...) error_set(reterr, -EBADMSG, ERROR_CORRUPT, __VA_ARGS__)

static int check_inside(const IpSubnet *subnet, const char *text, const char *what, Error *reterr) {
        IpAddress address;

        if (!text)
                return 0;
        if (ip_parse(text, &address) < 0)
                return BAD("%s '%s' is not an address", what, text);
        return ip_contains(subnet, &address) ? 0 : BAD("%s %s not in subnet %s", what, text, ip_subnet_text(subnet));
}

static int check_subnet(const NetworkConfig *config, size_t i, Error *reterr) {
        const NetworkSubnet *item = &config->subnets[i];
        IpSubnet subnet, other;

        if (!item->subnet || ip_parse_subnet(item->subnet, &subnet) < 0)
                return BAD("'%s' is not a subnet", item->subnet ?: "");
        IpAddress first = ip_first(&subnet);
        if (!ip_equal(&first, &subnet.address))
                return BAD("subnet '%s' has bits behind its prefix", item->subnet);
        if (ip_is_special(&subnet.address) || subnet.prefix < 8)
                return BAD("subnet '%s' is not one for containers", item->subnet);
        for (size_t k = 0; k < i; k++)
                if (ip_parse_subnet(config->subnets[k].subnet, &other) >= 0 && ip_overlap(&subnet, &other))
                        return BAD("subnet %s is already used by %s", item->subnet, config->subnets[k].subnet);
        int r = check_inside(&subnet, item->gateway, "gateway", reterr);
        if (r >= 0)
                r = check_inside(&subnet, item->lease_range.start_ip, "lease range start ip", reterr);
        if (r >= 0)
                r = check_inside(&subnet, item->lease_range.end_ip, "lease range end ip", reterr);
        return r;
}

static int check_route(const NetworkRoute *route, Error *reterr) {
        IpSubnet destination;
        IpAddress gateway;

        if (!route->destination || ip_parse_subnet(route->destination, &destination) < 0)
                return BAD("'%s' is not a route's destination", route->destination ?: "");
        if (!route->gateway || ip_parse(route->gateway, &gateway) < 0 || gateway.family != destination.address.family)
                return BAD("'%s' is not a gateway for %s", route->gateway ?: "", route->destination);
        return 0;
}

static int check_option(const NetworkConfig *config, const char *option, Error *reterr) {
        size_t n = strcspn(option, "=");
        _cleanup_free_ char *name = strndup(option, n), *value = NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        if (!name)
                return error_oom(reterr);
        int r = network_option_check(config->driver, name, option[n] ? option + n + 1 : "", &value, &error);
        return r < 0 ? BAD("%s", error.message ?: "out of memory") : 0;
}

int network_config_check(const NetworkConfig *config, Error *reterr) {
        static const char *const drivers[] = { "bridge", "macvlan", "ipvlan", "vxlan", NULL };
        int r = 0;

        if (!config->name || !network_name_is_valid(config->name))
                return BAD("'%s' is not a network's name", config->name ?: "");
        if (!config->id || strlen(config->id) != NETWORK_ID_LENGTH || strspn(config->id, "0123456789abcdef") != NETWORK_ID_LENGTH)
                return BAD("'%s' is not an ID", config->id ?: "");
        if (!config->driver || !strv_contains((char *const *) drivers, config->driver))
                return BAD("'%s' is not a driver", config->driver ?: "");
        if (config->network_interface && !network_interface_is_valid(config->network_interface))
                return BAD("'%s' is not an interface's name", config->network_interface);
        if (!config->network_interface && (str_equal(config->driver, "bridge") || str_equal(config->driver, "vxlan")))
                return BAD("its interface has no name");
        for (char *const *option = config->options; r >= 0 && option && *option; option++)
                r = check_option(config, *option, reterr);
        for (size_t i = 0; i < config->n_subnets && r >= 0; i++)
                r = check_subnet(config, i, reterr);
        for (size_t i = 0; i < config->n_routes && r >= 0; i++)
                r = check_route(&config->routes[i], reterr);
        for (char *const *server = config->network_dns_servers; r >= 0 && server && *server; server++) {
                IpAddress address;

                if (ip_parse(*server, &address) < 0)
                        r = BAD("'%s' is not a name server's address", *server);
        }
        return r;
}

bool network_has_addresses(const NetworkConfig *config) {
        return config->n_subnets > 0 && !str_equal(strv_env_get(config->ipam_options, "driver"), "none");
}
