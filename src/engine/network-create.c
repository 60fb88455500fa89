/* SPDX-License-Identifier: Apache-2.0 */
/* Making networks. */
#include "engine/network-create.h"

#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/network-subnet.h"
#include "spec/container.h"
#include "spec/network-option.h"

enum {
        NETWORKS_MAX = 4096,
        SUBNETS_MAX = 16,
        ROOM_BITS = 2, /* an address for the subnet, the gateway, a container, and the broadcast */
};

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

/* What others have. */
typedef struct Others {
        char **names, **interfaces;
        SubnetList subnets; /* of networks and of the host's addresses */
        SubnetList avoided; /* these and the host's routes */
} Others;

static void others_done(Others *others) {
        strv_free(others->names);
        strv_free(others->interfaces);
        subnet_list_done(&others->subnets);
        subnet_list_done(&others->avoided);
}

static int add_network(Others *others, const NetworkConfig *config) {
        int r = config->network_interface ? strv_append(&others->interfaces, config->network_interface) : 0;

        for (size_t i = 0; i < config->n_subnets && r >= 0; i++) {
                IpSubnet subnet;

                r = ip_parse_subnet(config->subnets[i].subnet, &subnet);
                if (r >= 0)
                        r = subnet_list_add(&others->subnets, &subnet);
        }
        return r;
}

static int read_others(const Store *store, Others *others, Error *reterr) {
        int r = network_list(store, &others->names, reterr);

        if (r >= 0 && strv_length(others->names) >= NETWORKS_MAX)
                return INVALID("cannot make a network: there are %d already", NETWORKS_MAX);
        for (char **name = others->names; r >= 0 && name && *name; name++) {
                _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (network_load(store, *name, &config, &error) < 0)
                        log_warning("%s", error.message ?: "a network's record cannot be read"); /* it cannot be used, either */
                else if (add_network(others, &config) < 0)
                        return error_oom(reterr);
        }
        if (r >= 0)
                r = subnet_list_add_addresses(&others->subnets, reterr);
        for (size_t i = 0; r >= 0 && i < others->subnets.n; i++)
                if (subnet_list_add(&others->avoided, &others->subnets.items[i]) < 0)
                        r = error_oom(reterr);
        return r < 0 ? r : subnet_list_add_routes(&others->avoided, reterr);
}

/* ---- names ---- */

static bool is_bridged(const NetworkConfig *config) {
        return str_equal(config->driver, "bridge") || str_equal(config->driver, "vxlan");
}

/* "podman1" and so on: neither the name of a network nor of an interface. */
static char *free_device_name(const Others *others) {
        for (unsigned i = 1; i <= NETWORKS_MAX + 1; i++) {
                char *name = str_format("podman%u", i);

                if (!name || (!strv_contains(others->names, name) && !strv_contains(others->interfaces, name)))
                        return name;
                free(name);
        }
        return NULL;
}

/* What --network takes for something else (podman-run(1)). */
static const char *const modes[] = { "bridge", "container", "default", "host", "none", "ns", "pasta", "pod", "private", "slirp", "slirp4netns" };

static int choose_names(NetworkConfig *config, const Others *others, Error *reterr) {
        if (config->name && !network_name_is_valid(config->name))
                return INVALID("network name %s invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument", config->name);
        for (size_t i = 0; config->name && i < ELEMENTSOF(modes); i++)
                if (str_equal(config->name, modes[i]))
                        return INVALID("cannot create network with name \"%s\" because it conflicts with a valid network mode", config->name);
        if (config->name && strv_contains(others->names, config->name))
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "network name %s already used: network already exists", config->name);
        if (config->network_interface && !network_interface_is_valid(config->network_interface))
                return INVALID("cannot name the interface '%s': a name has 1 to 15 letters, digits and '._-+@=', and some are taken", config->network_interface);
        if (!is_bridged(config))
                return config->name || (config->name = free_device_name(others)) ? 0 : error_oom(reterr);
        if (config->network_interface && strv_contains(others->interfaces, config->network_interface))
                return INVALID("bridge name %s already in use", config->network_interface);
        if (!config->network_interface && !(config->network_interface = free_device_name(others)))
                return error_oom(reterr);
        if (!config->name)
                config->name = free_device_name(others);
        return config->name ? 0 : error_oom(reterr);
}

/* ---- subnets ---- */

static int add_subnet(NetworkConfig *config, const Others *others, int family, Error *reterr) {
        NetworkSubnet *added;
        IpSubnet subnet;
        int r = subnet_find_free(&others->avoided, family, &subnet);

        if (r == -ENOSPC) /* a route of a VPN may take it all; whoever needs what is behind it gives the subnet */
                r = subnet_find_free(&others->subnets, family, &subnet);
        if (r < 0)
                return error_set(reterr, r, ERROR_STATE, "could not find free subnet from subnet pools");
        added = container_array_add((void **) &config->subnets, &config->n_subnets, sizeof(*added));
        return added && (added->subnet = strdup(ip_subnet_text(&subnet))) ? 0 : error_oom(reterr);
}

static bool has_family(const NetworkConfig *config, int family) {
        for (size_t i = 0; i < config->n_subnets; i++)
                if (!strchr(config->subnets[i].subnet, ':') == (family == AF_INET))
                        return true;
        return false;
}

static int choose_subnets(NetworkConfig *config, const Others *others, Error *reterr) {
        const char *driver = strv_env_get(config->ipam_options, "driver");
        int r = 0;

        if (driver && !str_equal(driver, "host-local") && !str_equal(driver, "none") && !str_equal(driver, "dhcp"))
                return INVALID("unsupported ipam driver \"%s\"", driver);
        if (str_equal(driver, "dhcp"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use '--ipam-driver dhcp': it is not there yet");
        if (str_equal(driver, "none")) {
                config->dns_enabled = false; /* there is nothing to tell */
                return config->n_subnets > 0 ? INVALID("none ipam driver is set but subnets are given") : 0;
        }
        if (config->n_subnets > SUBNETS_MAX)
                return INVALID("a network has at most %d subnets", SUBNETS_MAX);
        if (config->n_subnets == 0 && !is_bridged(config)) {
                (void) INVALID("cannot make a %s network without a subnet: addresses by DHCP are not there yet", config->driver);
                return error_with_hint(reterr, -EINVAL, "give it --subnet, or --ipam-driver none");
        }
        if (config->n_subnets == 0 || (config->ipv6_enabled && !has_family(config, AF_INET)))
                r = add_subnet(config, others, AF_INET, reterr);
        if (r >= 0 && config->ipv6_enabled && !has_family(config, AF_INET6))
                r = add_subnet(config, others, AF_INET6, reterr);
        if (r < 0)
                return r;
        config->ipv6_enabled = has_family(config, AF_INET6);
        return strv_env_set(&config->ipam_options, "driver=host-local") < 0 ? error_oom(reterr) : 0;
}

static int complete_subnet(const NetworkConfig *config, NetworkSubnet *item, const Others *others, Error *reterr) {
        IpSubnet subnet;

        if (ip_parse_subnet(item->subnet, &subnet) < 0)
                return INVALID("invalid CIDR address: %s", item->subnet);
        subnet.address = ip_first(&subnet);
        if (str_replace(&item->subnet, ip_subnet_text(&subnet)) < 0)
                return error_oom(reterr);
        if (subnet_list_find(&others->subnets, &subnet))
                return INVALID("subnet %s is already used on the host or by another config", item->subnet);
        if (subnet.prefix + ROOM_BITS > ip_bits(subnet.address.family))
                return INVALID("subnet %s has no room for a container", item->subnet);
        if (!item->gateway && (!config->internal || config->dns_enabled)) {
                IpAddress gateway = ip_add(&subnet.address, 1);

                if (!(item->gateway = strdup(ip_text(&gateway))))
                        return error_oom(reterr);
        }
        return 0;
}

/* ---- options ---- */

static int check_options(NetworkConfig *config, Error *reterr) {
        static const char *const same[][2] = { { "com.docker.network.driver.mtu", "mtu" } };
        _cleanup_strv_ char **checked = NULL;

        for (char **option = config->options; option && *option; option++) {
                size_t n = strcspn(*option, "=");
                _cleanup_free_ char *name = strndup(*option, n), *value = NULL;

                for (size_t i = 0; name && i < ELEMENTSOF(same); i++)
                        if (str_equal(name, same[i][0]) && str_replace(&name, same[i][1]) < 0)
                                return error_oom(reterr);
                if (!name)
                        return error_oom(reterr);
                int r = network_option_check(config->driver, name, (*option)[n] ? *option + n + 1 : "", &value, reterr);
                if (r < 0)
                        return r;
                _cleanup_free_ char *pair = str_format("%s=%s", name, value);
                if (!pair || strv_env_set(&checked, pair) < 0)
                        return error_oom(reterr);
        }
        strv_free(config->options);
        config->options = TAKE_PTR(checked);
        return 0;
}

static int check_driver(NetworkConfig *config, Error *reterr) {
        static const char *const drivers[] = { "bridge", "macvlan", "ipvlan", "vxlan", NULL };

        if (!config->driver && !(config->driver = strdup("bridge")))
                return error_oom(reterr);
        if (!strv_contains((char *const *) drivers, config->driver))
                return INVALID("unsupported driver %s: invalid argument", config->driver);
        if (str_equal(config->driver, "vxlan") && !strv_env_get(config->options, "vni"))
                return INVALID("cannot make a vxlan network without a number: give it --opt vni=N");
        return check_options(config, reterr);
}

/* By their keys, as Podman shows them. */
static int by_key(const void *a, const void *b) {
        const char *x = *(char *const *) a, *y = *(char *const *) b;
        size_t n = strcspn(x, "="), m = strcspn(y, "=");
        int r = memcmp(x, y, MIN(n, m));

        return r != 0 ? r : (n > m) - (n < m);
}

static void sort_pairs(char **pairs) {
        if (pairs)
                qsort(pairs, strv_length(pairs), sizeof(*pairs), by_key);
}

int engine_network_create(const Store *store, NetworkConfig *config, Error *reterr) {
        _cleanup_(others_done) Others others = {};
        _cleanup_fd_ int lock = network_lock(store, reterr);
        int r = lock < 0 ? lock : read_others(store, &others, reterr);

        if (r >= 0 && !config->driver && !(config->driver = strdup("bridge")))
                r = error_oom(reterr);
        if (r >= 0)
                r = choose_names(config, &others, reterr);
        if (r >= 0)
                r = check_driver(config, reterr);
        if (r >= 0)
                r = choose_subnets(config, &others, reterr);
        for (size_t i = 0; r >= 0 && i < config->n_subnets; i++)
                r = complete_subnet(config, &config->subnets[i], &others, reterr);
        if (r >= 0 && !config->dns_enabled && config->network_dns_servers)
                r = INVALID("cannot give name servers to a network without DNS: nobody would ask them");
        sort_pairs(config->labels);
        sort_pairs(config->options);
        if (r >= 0 && !config->id && !(config->id = str_random_id(NETWORK_ID_LENGTH)))
                r = error_oom(reterr);
        if (r >= 0) {
                r = network_config_check(config, reterr);
                if (r == -EBADMSG && reterr)
                        reterr->kind = ERROR_INVALID; /* it is no record yet, but what was asked for */
        }
        return r < 0 ? r : network_create(store, config, reterr);
}
