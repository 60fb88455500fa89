/* SPDX-License-Identifier: Apache-2.0 */
/* The router's networks and containers. */
#include "engine/router-state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/router-driver.h"
#include "engine/router-names.h"
#include "net/router-control.h"
#include "net/router-rules.h"
#include "state/network.h"

enum { NETWORKS_MAX = 4096, UPLINK_TIMEOUT_SEC = 5 };

/* ---- networks ---- */

RoutedNetwork *router_find_network(const RouterState *state, const char *name) {
        for (RoutedNetwork *network = state->networks; network; network = network->next)
                if (str_equal(network->config.name, name))
                        return network;
        return NULL;
}

static int apply_rules(const RouterState *state, Error *reterr) {
        const NetworkConfig *list[NETWORKS_MAX];
        size_t n = 0;

        for (RoutedNetwork *network = state->networks; network && n < NETWORKS_MAX; network = network->next)
                list[n++] = &network->config;
        return router_rules_apply(&state->router, list, n, reterr);
}

static void forget_network(RouterState *state, RoutedNetwork *network) {
        RoutedNetwork **at = &state->networks;

        while (*at && *at != network)
                at = &(*at)->next;
        if (*at)
                *at = network->next;
        router_names_stop(state, network);
        router_driver_end(state, network);
        network_config_done(&network->config);
        free(network);
}

/* The bridge goes with its last container. */
void router_release_network(RouterState *state, RoutedNetwork *network) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (network->n_users > 0)
                return;
        if (!state->ending && plumb_remove(&state->router, network->config.network_interface, &error) < 0)
                log_warning("%s", error.message ?: "cannot remove a bridge");
        forget_network(state, network);
}

static int check_network(const RouterState *state, const NetworkConfig *config, Error *reterr) {
        for (const RoutedNetwork *other = state->networks; other; other = other->next)
                if (str_equal(other->config.network_interface, config->network_interface))
                        return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot use network '%s': its interface '%s' is that of network '%s'",
                                         config->name, config->network_interface, other->config.name);
        return 0;
}

int router_take_network(RouterState *state, const char *name, RoutedNetwork **ret, Error *reterr) {
        RoutedNetwork *network = router_find_network(state, name);

        if (network) {
                *ret = network;
                return router_names_start(state, network, reterr); /* if it has ended for good */
        }
        network = calloc(1, sizeof(*network));
        if (!network)
                return error_oom(reterr);
        network->names = NAMES_NULL;
        network->sockets = PORT_SOCKETS_NULL;
        int r = network_load(state->store, name, &network->config, reterr);
        if (r >= 0)
                r = router_driver_begin(state, network, reterr);
        if (r >= 0)
                r = check_network(state, &network->config, reterr);
        if (r >= 0) {
                r = plumb_bridge(&state->router, &network->config, reterr);
                if (r < 0)
                        (void) plumb_remove(&state->router, network->config.network_interface, /* reterr= */ NULL);
        }
        if (r < 0) {
                router_driver_end(state, network);
                network_config_done(&network->config);
                free(network);
                return r;
        }
        network->next = state->networks;
        state->networks = network;
        router_driver_tell(state, network);
        r = apply_rules(state, reterr);
        if (r >= 0)
                r = router_names_start(state, network, reterr);
        if (r < 0) {
                router_release_network(state, network);
                return r;
        }
        *ret = network;
        return 0;
}

/* ---- the uplink ---- */

/* The first address of each family on a network that can be reached, and the gateway there. */
static int fill_target(const RouterState *state, const RoutedContainer *container, RouterPort *port) {
        for (size_t i = 0; i < container->n_links; i++) {
                const RoutedNetwork *network = router_find_network(state, container->links[i].network);

                for (char **text = container->links[i].addresses; network && !network->config.internal && text && *text; text++) {
                        bool ipv6 = strchr(*text, ':');
                        char **address = ipv6 ? &port->address6 : &port->address, **gateway = ipv6 ? &port->gateway6 : &port->gateway;
                        IpSubnet parsed;

                        if (*address || ip_parse_subnet(*text, &parsed) < 0)
                                continue;
                        *(ipv6 ? &port->prefix6 : &port->prefix) = parsed.prefix;
                        *address = strdup(ip_text(&parsed.address));
                        for (size_t k = 0; k < network->config.n_subnets && !*gateway; k++)
                                if (network->config.subnets[k].gateway && !strchr(network->config.subnets[k].gateway, ':') == !ipv6)
                                        *gateway = strdup(network->config.subnets[k].gateway);
                        if (!*address)
                                return -ENOMEM;
                }
        }
        return port->address || port->address6 ? 1 : 0;
}

static void tell_uplink(const RouterState *state, const RoutedContainer *container) {
        for (size_t i = 0; i < container->n_ports && state->uplink_socket >= 0; i++) {
                const NetPort *from = &container->ports[i];
                _cleanup_router_port_ RouterPort port = {
                        .op = strdup("publish"), .key = container->key, .protocol = strdup(from->protocol), .container_port = from->container_port,
                        .host_port = from->host_port, .any_host_ip = str_empty(from->host_ip),
                        .ipv4 = container->sockets[i].fd4 >= 0, .ipv6 = container->sockets[i].fd6 >= 0,
                };
                int r = port.op && port.protocol ? fill_target(state, container, &port) : -ENOMEM;

                if (r > 0)
                        r = router_control_send(state->uplink_socket, &port, &container->sockets[i]);
                if (r < 0)
                        log_warning("cannot publish port %u of container '%s': %s", from->host_port, container->name, strerror(-r));
        }
}

static void tell_uplink_end(const RouterState *state, const RoutedContainer *container) {
        _cleanup_router_port_ RouterPort port = { .op = strdup("unpublish"), .key = container->key };

        if (state->uplink_socket >= 0 && container->n_ports > 0 && port.op)
                (void) router_control_send(state->uplink_socket, &port, /* sockets= */ NULL);
}

static void uplink_stop(RouterState *state) {
        state->uplink_socket = fd_close(state->uplink_socket);
        if (state->uplink.pidfd >= 0) {
                (void) process_signal(state->uplink.pidfd, SIGKILL);
                (void) process_reap(state->uplink.pid);
        }
        net_helper_done(&state->uplink);
        state->uplink = NET_HELPER_NULL;
}

int router_uplink_start(RouterState *state, Error *reterr) {
        _cleanup_net_config_ NetConfig config = NET_CONFIG_NULL;
        int pair[2];

        uplink_stop(state);
        config.name = strdup("router");
        config.interface = strdup(PLUMB_UPLINK);
        if (!config.name || !config.interface)
                return error_oom(reterr);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start the uplink of the bridge networks");
        /* one that does not listen is of no use to anybody: it is not waited for long */
        const struct timeval timeout = { .tv_sec = UPLINK_TIMEOUT_SEC };
        (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        (void) fcntl(pair[1], F_SETFL, O_NONBLOCK);
        _cleanup_fd_ int ours = pair[0], theirs = pair[1], self = (int) syscall(SYS_pidfd_open, getpid(), 0);
        const NetHelperRequest request = {
                .config = &config,
                .init_pidfd = self,
                .userns_fd = state->router.userns_fd,
                .netns_fd = state->router.netns_fd,
                .control_fd = theirs,
        };
        int r = self < 0 ? error_set_errno(reterr, self, "cannot start the uplink of the bridge networks")
                         : net_helper_start(&request, &state->uplink, reterr);
        theirs = fd_close(theirs);
        if (r >= 0)
                r = net_helper_wait_ready(&state->uplink, NULL, NULL, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot start the uplink of the bridge networks");
        state->uplink_socket = TAKE_FD(ours);
        for (const RoutedNetwork *network = state->networks; network; network = network->next)
                router_driver_tell(state, network);
        for (const RoutedContainer *container = state->containers; container; container = container->next)
                tell_uplink(state, container);
        return 0;
}

/* ---- containers ---- */

RoutedContainer *router_find(const RouterState *state, const char *id) {
        for (RoutedContainer *container = state->containers; container; container = container->next)
                if (str_equal(container->id, id))
                        return container;
        return NULL;
}

static void links_free(RouterLink *links, size_t n) {
        RouterRequest holder = { .links = links, .n_links = n };

        router_request_done(&holder);
}

static void container_free(RoutedContainer *container) {
        for (size_t i = 0; i < container->n_ports && container->sockets; i++)
                port_sockets_done(&container->sockets[i]);
        free(container->sockets);
        net_ports_free(container->ports, container->n_ports);
        links_free(container->links, container->n_links);
        (void) fd_close(container->pidfd);
        (void) fd_close(container->netns_fd);
        free(container->id);
        free(container->name);
        free(container);
}

static int fill_link(const RouterLink *from, const char *id, const RoutedNetwork *network, bool keep, PlumbLink *to, Error *reterr) {
        *to = (PlumbLink){ .network = &network->config, .interface = from->interface_name, .metric = 100 + from->place, .keep = keep };
        plumb_link_name(id, network->config.name, to->name);
        if (!network_interface_is_valid(from->interface_name) || !from->mac || ip_parse_mac(from->mac, to->mac) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot connect the container to network '%s': its interface '%s' or MAC '%s' is not valid",
                                 network->config.name, from->interface_name ?: "", from->mac ?: "");
        for (char **text = from->addresses; text && *text; text++) {
                if (to->n_addresses == PLUMB_ADDRESSES_MAX || ip_parse_subnet(*text, &to->addresses[to->n_addresses]) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot connect the container to network '%s': bad address '%s'",
                                         network->config.name, *text);
                to->n_addresses++;
        }
        return 0;
}

/* The networks of the links are taken: each has one user more, or (on failure) all are as before. */
static int connect_links(RouterState *state, const RoutedContainer *container, const RouterLink *links, size_t n, bool keep, Error *reterr) {
        _cleanup_free_ PlumbLink *plumb = calloc(n ?: 1, sizeof(*plumb));
        RoutedNetwork *network = NULL;
        size_t n_taken = 0;
        int r = plumb ? 0 : error_oom(reterr);

        while (r >= 0 && n_taken < n) {
                r = router_take_network(state, links[n_taken].network, &network, reterr);
                if (r < 0)
                        break;
                network->n_users++;
                r = fill_link(&links[n_taken], container->id, network, keep, &plumb[n_taken], reterr);
                if (r >= 0)
                        r = router_names_add(state, network, &links[n_taken], reterr);
                n_taken++;
        }
        if (r >= 0)
                r = plumb_attach(&state->router, container->netns_fd, plumb, n, reterr);
        for (size_t i = 0; i < n_taken && r < 0; i++) {
                network = router_find_network(state, links[i].network);
                if (network)
                        router_names_remove(state, network, &links[i]);
                if (network && --network->n_users == 0)
                        router_release_network(state, network);
        }
        return r;
}

static void disconnect_link(RouterState *state, const RoutedContainer *container, const RouterLink *link, bool alive) {
        RoutedNetwork *network = router_find_network(state, link->network);
        char name[IFNAMSIZ];

        plumb_link_name(container->id, link->network, name);
        if (network) {
                router_names_remove(state, network, link);
                router_driver_unlink(state, container, link, network, alive);
        }
        if (alive)
                (void) plumb_remove(&state->router, name, /* reterr= */ NULL);
        if (network && --network->n_users == 0)
                router_release_network(state, network);
}

static int bind_ports(RoutedContainer *container, Error *reterr) {
        container->sockets = calloc(container->n_ports ?: 1, sizeof(*container->sockets));
        if (!container->sockets)
                return error_oom(reterr);
        for (size_t i = 0; i < container->n_ports; i++)
                container->sockets[i] = PORT_SOCKETS_NULL;
        for (size_t i = 0; i < container->n_ports; i++) {
                int r = port_bind(&container->ports[i], &container->sockets[i], reterr);
                if (r < 0)
                        return r;
                container->ports[i].host_port = container->sockets[i].port;
        }
        return 0;
}

static int add_links(RouterState *state, RoutedContainer *container, RouterRequest *request, bool keep, Error *reterr) {
        RouterLink *links = reallocarray(container->links, container->n_links + request->n_links, sizeof(*links));

        if (!links)
                return error_oom(reterr);
        container->links = links;
        int r = connect_links(state, container, request->links, request->n_links, keep, reterr);
        if (r < 0)
                return r;
        memcpy(container->links + container->n_links, request->links, request->n_links * sizeof(*links));
        container->n_links += request->n_links;
        free(request->links);
        request->links = NULL;
        request->n_links = 0;
        return 0;
}

static int add_container(RouterState *state, RouterRequest *request, bool keep, int *pidfd, int *netns_fd, RoutedContainer **ret,
                         Error *reterr) {
        RoutedContainer *container = calloc(1, sizeof(*container));

        if (!container)
                return error_oom(reterr);
        *container = (RoutedContainer){
                .id = TAKE_PTR(request->id), .name = TAKE_PTR(request->name), .pidfd = TAKE_FD(*pidfd), .netns_fd = TAKE_FD(*netns_fd),
                .ports = TAKE_PTR(request->ports), .n_ports = request->n_ports, .key = ++state->next_key,
        };
        request->n_ports = 0;
        int r = bind_ports(container, reterr);
        if (r >= 0)
                r = add_links(state, container, request, keep, reterr);
        if (r < 0) {
                container_free(container);
                return r;
        }
        container->next = state->containers;
        state->containers = container;
        state->n_containers++;
        tell_uplink(state, container);
        *ret = container;
        return 0;
}

/* The one of that ID that lives. */
static RoutedContainer *find_living(RouterState *state, const char *id) {
        RoutedContainer *container = router_find(state, id);

        if (!container || !process_has_ended(container->pidfd))
                return container;
        (void) router_detach(state, id, /* network= */ NULL, /* reterr= */ NULL);
        return NULL;
}

int router_attach(RouterState *state, RouterRequest *request, int *pidfd, int *netns_fd, RoutedContainer **ret, Error *reterr) {
        RoutedContainer *container = find_living(state, request->id);

        if (!container)
                return add_container(state, request, /* keep= */ false, pidfd, netns_fd, ret, reterr);
        *ret = container;
        return add_links(state, container, request, /* keep= */ false, reterr);
}

static bool has_link(const RoutedContainer *container, const char *network) {
        for (size_t i = 0; i < container->n_links; i++)
                if (str_equal(container->links[i].network, network))
                        return true;
        return false;
}

/* Each network and its rules, then the links; one that is known counts as a user of its network already. */
static int repair_links(RouterState *state, RoutedContainer *container, Error *reterr) {
        int r = apply_rules(state, reterr);

        for (size_t i = 0; i < container->n_links && r >= 0; i++) {
                RoutedNetwork *network = router_find_network(state, container->links[i].network);
                PlumbLink link;

                if (!network)
                        continue;
                r = plumb_bridge(&state->router, &network->config, reterr);
                if (r >= 0)
                        r = fill_link(&container->links[i], container->id, network, /* keep= */ true, &link, reterr);
                if (r >= 0)
                        r = plumb_attach(&state->router, container->netns_fd, &link, 1, reterr);
                if (r >= 0)
                        r = router_names_start(state, network, reterr);
                if (r >= 0)
                        r = router_names_add(state, network, &container->links[i], reterr);
        }
        return r;
}

int router_reload(RouterState *state, RouterRequest *request, int *pidfd, int *netns_fd, RoutedContainer **ret, Error *reterr) {
        RoutedContainer *container = find_living(state, request->id);
        size_t n = 0;

        if (!container)
                return add_container(state, request, /* keep= */ true, pidfd, netns_fd, ret, reterr);
        *ret = container;
        for (size_t i = 0; i < request->n_links; i++) { /* what is new goes to the front */
                RouterLink link = request->links[i];

                if (has_link(container, link.network))
                        continue;
                request->links[i] = request->links[n];
                request->links[n++] = link;
        }
        int r = repair_links(state, container, reterr);
        if (r >= 0) {
                RouterRequest rest = { .links = request->links, .n_links = n };

                for (size_t i = n; i < request->n_links; i++)
                        json_fields_done(router_link_fields, &request->links[i]);
                request->links = NULL;
                request->n_links = 0;
                r = add_links(state, container, &rest, /* keep= */ true, reterr);
                router_request_done(&rest);
        }
        tell_uplink_end(state, container);
        tell_uplink(state, container);
        return r;
}

static void forget_container(RouterState *state, RoutedContainer *container) {
        RoutedContainer **at = &state->containers;
        bool alive = !process_has_ended(container->pidfd);

        while (*at && *at != container)
                at = &(*at)->next;
        if (*at)
                *at = container->next;
        state->n_containers--;
        if (container->watch)
                state->forgotten(container, state->data);
        tell_uplink_end(state, container);
        for (size_t i = 0; i < container->n_links; i++)
                disconnect_link(state, container, &container->links[i], alive);
        container_free(container);
}

int router_detach(RouterState *state, const char *id, const char *network, Error *reterr) {
        RoutedContainer *container = router_find(state, id);

        if (!container)
                return 0;
        if (!network) {
                forget_container(state, container);
                return 0;
        }
        for (size_t i = 0; i < container->n_links; i++)
                if (str_equal(container->links[i].network, network)) {
                        RouterLink *gone = malloc(sizeof(*gone));

                        if (!gone)
                                return error_oom(reterr);
                        *gone = container->links[i];
                        memmove(container->links + i, container->links + i + 1, (container->n_links - i - 1) * sizeof(*gone));
                        container->n_links--;
                        disconnect_link(state, container, gone, /* alive= */ true);
                        links_free(gone, 1);
                        return 0;
                }
        return 0;
}

void router_state_done(RouterState *state) {
        state->ending = true;
        while (state->containers)
                forget_container(state, state->containers);
        while (state->networks)
                forget_network(state, state->networks);
        uplink_stop(state);
        (void) fd_close(state->directory_fd);
        (void) fd_close(state->router.userns_fd);
        (void) fd_close(state->router.netns_fd);
        *state = ROUTER_STATE_NULL;
}
