/* SPDX-License-Identifier: Apache-2.0 */
/* Parents of macvlan and ipvlan networks, ports of vxlan networks. */
#include "engine/router-driver.h"

#include <arpa/inet.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "engine/router-uplink.h"
#include "net/plumb-driver.h"
#include "net/router-control.h"
#include "state/network.h"

/* ---- children ---- */

/* The name of the network whose link this is. */
static int find_by_interface(const RouterState *state, const char *interface, char **ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = network_list(state->store, &names, reterr);

        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;

                if (network_load(state->store, *name, &config, /* reterr= */ NULL) < 0 || plumb_has_children(&config) ||
                    !str_equal(config.network_interface, interface))
                        continue;
                *ret = strdup(*name);
                return *ret ? 0 : error_oom(reterr);
        }
        return r;
}

static int find_parent(const RouterState *state, const NetworkConfig *config, char **ret, Error *reterr) {
        _cleanup_network_config_ NetworkConfig parent = NETWORK_CONFIG_NULL;
        const char *word = config->network_interface;

        if (str_empty(word)) {
                int r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use network '%s': it has no parent", config->name);
                return error_with_hint(reterr, r, "the parent of a %s network is a bridge or vxlan network: --opt parent=NETWORK", config->driver);
        }
        if (network_name_is_valid(word) && network_load(state->store, word, &parent, /* reterr= */ NULL) >= 0 && !plumb_has_children(&parent)) {
                *ret = strdup(word);
                return *ret ? 0 : error_oom(reterr);
        }
        int r = find_by_interface(state, word, ret, reterr);
        if (r < 0 || *ret)
                return r;
        r = error_set(reterr, -ENODEV, ERROR_NOT_FOUND, "cannot use network '%s': there is no bridge or vxlan network '%s' to be its parent", config->name, word);
        return error_with_hint(reterr, r, "links of the host cannot be shared without its root's rights; the parent is a network, or the interface of one");
}

static int set_option(NetworkConfig *config, const char *name, const char *value) {
        char *pair = str_format("%s=%s", name, value);
        size_t n = strlen(name);

        for (char **at = config->options; pair && at && *at; at++)
                if (strncmp(*at, name, n) == 0 && (*at)[n] == '=') {
                        free(*at);
                        *at = pair;
                        return 0;
                }
        return strv_consume(&config->options, pair);
}

static int begin_children(RouterState *state, RoutedNetwork *network, Error *reterr) {
        NetworkConfig *config = &network->config;
        _cleanup_free_ char *name = NULL;
        char own[IFNAMSIZ];
        int r = find_parent(state, config, &name, reterr);

        if (r >= 0)
                r = router_take_network(state, name, &network->parent, reterr);
        if (r < 0)
                return r;
        network->parent->n_users++;
        plumb_link_name("own", config->name, own);
        own[0] = 'm';
        if (set_option(config, "parent", network->parent->config.network_interface) < 0 || str_replace(&config->network_interface, own) < 0)
                return error_oom(reterr);
        if (!plumb_has_own_child(config))
                config->dns_enabled = false; /* there is nobody whom they could ask */
        return 0;
}

/* ---- the port of tunnels ---- */

static uint32_t tunnel_port(const RoutedNetwork *network) {
        const char *text = str_equal(network->config.driver, "vxlan") ? plumb_option(&network->config, "port") : NULL;
        uint32_t port;

        if (!str_equal(network->config.driver, "vxlan"))
                return 0;
        return text && parse_u32(text, &port) >= 0 && port > 0 && port <= 65535 ? port : PLUMB_VXLAN_PORT;
}

/* Networks with different numbers (VNI) can share a port: one of them has it. */
static RoutedNetwork *with_port(const RouterState *state, uint32_t port, const RoutedNetwork *but) {
        for (RoutedNetwork *other = state->networks; other; other = other->next)
                if (other != but && tunnel_port(other) == port)
                        return other;
        return NULL;
}

static int begin_tunnel(RouterState *state, RoutedNetwork *network, Error *reterr) {
        const NetPort port = { .host_port = tunnel_port(network), .container_port = tunnel_port(network), .protocol = (char *) "udp" };

        if (with_port(state, port.host_port, network))
                return 0;
        int r = port_bind(&port, &network->sockets, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot use network '%s'", network->config.name);
        network->key = ++state->next_key;
        return 0;
}

void router_driver_tell(const RouterState *state, const RoutedNetwork *network) {
        _cleanup_net_config_ NetConfig config = NET_CONFIG_NULL;
        char text[INET6_ADDRSTRLEN];
        NetAddresses addresses;

        if (network->key == 0 || state->uplink_socket < 0 || net_addresses_from_config(&config, &addresses, /* reterr= */ NULL) < 0)
                return;
        _cleanup_router_port_ RouterPort port = {
                .op = strdup("publish"), .key = network->key, .protocol = strdup("udp"), .container_port = tunnel_port(network),
                .host_port = tunnel_port(network), .any_host_ip = true, .ipv4 = network->sockets.fd4 >= 0, .ipv6 = network->sockets.fd6 >= 0,
        };
        /* to the router itself */
        port.address = strdup(inet_ntop(AF_INET, &addresses.container, text, sizeof(text)));
        port.gateway = strdup(inet_ntop(AF_INET, &addresses.gateway, text, sizeof(text)));
        port.prefix = addresses.prefix;
        if (addresses.ipv6) {
                port.address6 = strdup(inet_ntop(AF_INET6, &addresses.container6, text, sizeof(text)));
                port.gateway6 = strdup(inet_ntop(AF_INET6, &addresses.gateway6, text, sizeof(text)));
                port.prefix6 = addresses.prefix6;
        }
        int r = port.op && port.protocol && port.address ? router_control_send(state->uplink_socket, &port, &network->sockets) : -ENOMEM;
        if (r < 0)
                log_warning("cannot publish the port of network '%s': %s", network->config.name, strerror(-r));
}

static void end_tunnel(RouterState *state, RoutedNetwork *network) {
        RoutedNetwork *heir = with_port(state, tunnel_port(network), network);
        char name[IFNAMSIZ];

        plumb_tunnel_name(&network->config, name);
        if (!state->ending)
                (void) plumb_remove(&state->router, name, /* reterr= */ NULL);
        if (network->key == 0)
                return;
        if (heir) {
                heir->sockets = network->sockets;
                heir->key = network->key;
        } else {
                router_uplink_unpublish_key(state, network->key);
                port_sockets_done(&network->sockets);
        }
        network->sockets = PORT_SOCKETS_NULL;
        network->key = 0;
}

/* ---- */

int router_driver_begin(RouterState *state, RoutedNetwork *network, Error *reterr) {
        if (plumb_has_children(&network->config))
                return begin_children(state, network, reterr);
        if (str_equal(network->config.driver, "vxlan"))
                return begin_tunnel(state, network, reterr);
        return 0;
}

void router_driver_end(RouterState *state, RoutedNetwork *network) {
        if (str_equal(network->config.driver, "vxlan"))
                end_tunnel(state, network);
        if (network->parent) {
                char name[IFNAMSIZ];

                plumb_carrier_name(&network->config, name);
                if (!state->ending)
                        (void) plumb_remove(&state->router, name, /* reterr= */ NULL);
                network->parent->n_users--;
                if (!state->ending)
                        router_release_network(state, network->parent);
                network->parent = NULL;
        }
}

void router_driver_unlink(const RouterState *state, const RoutedContainer *container, const RouterLink *link, const RoutedNetwork *network, bool alive) {
        char name[IFNAMSIZ], limit[IFNAMSIZ];

        if (plumb_has_children(&network->config)) {
                const Router there = { .userns_fd = state->router.userns_fd, .netns_fd = container->netns_fd };

                if (alive)
                        (void) plumb_remove(&there, link->interface_name, /* reterr= */ NULL);
                return;
        }
        if (!plumb_option(&network->config, "rate"))
                return;
        plumb_link_name(container->id, link->network, name);
        plumb_limit_name(name, limit);
        (void) plumb_remove(&state->router, limit, /* reterr= */ NULL);
}
