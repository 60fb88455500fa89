/* SPDX-License-Identifier: Apache-2.0 */
/* The router's networks and containers. */
#include "engine/router-state.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/router-driver.h"
#include "engine/router-names.h"
#include "engine/router-uplink.h"
#include "net/router-rules.h"
#include "state/network.h"

enum { NETWORKS_MAX = 4096 };

/* ---- networks ---- */

RoutedNetwork *router_find_network(const RouterState *state, const char *name) {
        for (RoutedNetwork *network = state->networks; network; network = network->next)
                if (str_equal(network->config.name, name))
                        return network;
        return NULL;
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

/* Those of its links whose networks are there, and as many of `more`. */
static int fill_guard(const RouterState *state, const RoutedContainer *container, const RouterLink *more, size_t n_more, GuardContainer *ret) {
        *ret = (GuardContainer){ .links = calloc(container->n_links + n_more + 1, sizeof(*ret->links)) };
        if (!ret->links)
                return -ENOMEM;
        for (size_t i = 0; i < container->n_links + n_more; i++) {
                const RouterLink *link = i < container->n_links ? &container->links[i] : &more[i - container->n_links];
                const RoutedNetwork *network = router_find_network(state, link->network);

                if (network && fill_link(link, container->id, network, /* keep= */ false, &ret->links[ret->n_links], /* reterr= */ NULL) >= 0)
                        ret->n_links++;
        }
        return 0;
}

static int apply_what_goes(const RouterState *state, Error *reterr) {
        const NetworkConfig *list[NETWORKS_MAX];
        RouterRules rules = { .networks = list, .without_guard = state->unguarded, .without_quota = state->uncounted };
        GuardContainer *containers = calloc(state->n_containers + 1, sizeof(*containers));
        int r = containers ? 0 : error_oom(reterr);

        for (RoutedNetwork *network = state->networks; network && rules.n_networks < NETWORKS_MAX; network = network->next)
                list[rules.n_networks++] = &network->config;
        for (const RoutedContainer *container = state->containers; container && r >= 0; container = container->next)
                r = fill_guard(state, container, NULL, 0, &containers[rules.n_containers++]) < 0 ? error_oom(reterr) : 0;
        rules.containers = containers;
        if (r >= 0)
                r = router_rules_apply(&state->router, &rules, reterr);
        for (size_t i = 0; i < rules.n_containers; i++)
                free(containers[i].links);
        free(containers);
        return r;
}

/* A kernel that has not all of it gets what it has. */
int router_apply_rules(RouterState *state, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL, other = ERROR_NULL;
        int r = apply_what_goes(state, &error);

        if (r < 0 && !state->unguarded && !guard_is_possible(&state->router)) {
                log_warning("containers on one network can take each other's addresses: the kernel does not let frames on a bridge be looked at "
                            "(CONFIG_NF_TABLES_BRIDGE)");
                state->unguarded = true;
                error_done(&error);
                r = apply_what_goes(state, &error);
        }
        if (r < 0 && !state->uncounted) {
                state->uncounted = true;
                if (apply_what_goes(state, &other) < 0) {
                        state->uncounted = false;
                        return error_move(reterr, &error);
                }
                log_warning("one container can take all connections from the others: the kernel does not count them (CONFIG_NFT_CONNLIMIT): %s",
                            error.message ?: "");
                return 0;
        }
        return r < 0 ? error_move(reterr, &error) : r;
}

/* What a router before this one has left is in force until all of its containers have been found: rules without them would stop them. */
static int apply_rules(RouterState *state, Error *reterr) {
        return state->inherited && state->taking_up ? 0 : router_apply_rules(state, reterr);
}

/* `more` are links of the container's that it does not have yet. */
static int admit(RouterState *state, const RoutedContainer *container, const RouterLink *more, size_t n_more, Error *reterr) {
        GuardContainer guard;

        if (state->unguarded || (state->inherited && state->taking_up))
                return 0;
        if (state->guard_fd < 0)
                state->guard_fd = guard_open(&state->router, reterr);
        if (state->guard_fd < 0)
                return state->guard_fd;
        int r = fill_guard(state, container, more, n_more, &guard) < 0 ? error_oom(reterr)
                                                                        : guard_change(state->guard_fd, GUARD_ADD, &guard, GUARD_ALL, reterr);
        free(guard.links);
        if (r < 0) /* answers may be left in it */
                state->guard_fd = fd_close(state->guard_fd);
        return r;
}

/* From a network, or (NULL) from all, of its own and of `more`; before they are released. */
static void dismiss(RouterState *state, const RoutedContainer *container, const RouterLink *more, size_t n_more, const char *network,
                    GuardChange how) {
        _cleanup_error_ Error error = ERROR_NULL;
        GuardContainer guard;
        int which = GUARD_ALL;

        if (state->unguarded || state->ending || container->n_links + n_more == 0)
                return;
        if (state->guard_fd < 0)
                state->guard_fd = guard_open(&state->router, &error);
        int r = fill_guard(state, container, more, n_more, &guard);
        for (size_t i = 0; r >= 0 && network && i < guard.n_links; i++)
                if (str_equal(guard.links[i].network->name, network))
                        which = (int) i;
        if (r >= 0 && (!network || which != GUARD_ALL))
                r = guard_change(state->guard_fd, how, &guard, which, &error);
        free(guard.links);
        if (r >= 0)
                return;
        log_warning("%s", error.message ?: strerror(-r));
        state->guard_fd = fd_close(state->guard_fd);
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

/* Of a network whose containers have all ended while no router saw it: it may have other addresses now. */
static void remove_left_bridge(const RouterState *state, const NetworkConfig *config) {
        if (state->inherited && !state->taking_up && str_equal(config->driver, "bridge"))
                (void) plumb_remove(&state->router, config->network_interface, /* reterr= */ NULL);
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
        network->sockets = PORT_SOCKETS_NULL;
        int r = network_load(state->store, name, &network->config, reterr);
        if (r >= 0)
                r = router_driver_begin(state, network, reterr);
        if (r >= 0)
                r = check_network(state, &network->config, reterr);
        if (r >= 0) {
                remove_left_bridge(state, &network->config);
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

/* ---- containers ---- */

static RoutedContainer *find_container(const RouterState *state, const char *id) {
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
        free(container->target);
        strv_free(container->dns);
        free(container->id);
        free(container->name);
        free(container);
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
        if (r >= 0) {
                r = admit(state, container, links, n, reterr);
                if (r >= 0)
                        r = plumb_attach(&state->router, container->netns_fd, plumb, n, reterr);
                for (size_t i = 0; i < n && r < 0; i++)
                        dismiss(state, container, links, n, links[i].network, GUARD_REMOVE);
        }
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

/* For one that lives already another port than it had is of no use, and none is better than no network. */
static int bind_ports(RoutedContainer *container, bool lives, Error *reterr) {
        container->sockets = calloc(container->n_ports ?: 1, sizeof(*container->sockets));
        if (!container->sockets)
                return error_oom(reterr);
        for (size_t i = 0; i < container->n_ports; i++)
                container->sockets[i] = PORT_SOCKETS_NULL;
        for (size_t i = 0; i < container->n_ports; i++) {
                _cleanup_error_ Error error = ERROR_NULL;
                int r = port_bind(&container->ports[i], &container->sockets[i], &error);

                if (r < 0 && !lives)
                        return error_move(reterr, &error);
                if (r < 0) {
                        log_warning("container '%s': %s", container->name, error.message ?: strerror(-r));
                        continue;
                }
                container->ports[i].host_port = container->sockets[i].port;
        }
        return 0;
}

static int add_links(RouterState *state, RoutedContainer *container, RouterRequest *request, bool keep, Error *reterr) {
        if (request->n_links == 0)
                return router_names_start_own(state, container, reterr);
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
        const size_t n = request->n_links;
        request->links = NULL;
        request->n_links = 0;
        r = router_names_start_own(state, container, reterr);
        for (size_t i = 0; i < n && r < 0; i++) {
                RouterLink *last = &container->links[--container->n_links];

                dismiss(state, container, last, 1, last->network, GUARD_REMOVE);
                disconnect_link(state, container, last, /* alive= */ true);
                json_fields_done(router_link_fields, last);
        }
        return r;
}

static int add_container(RouterState *state, RouterRequest *request, bool keep, int *pidfd, int *netns_fd, RoutedContainer **ret,
                         Error *reterr) {
        RoutedContainer *container = calloc(1, sizeof(*container));

        if (!container)
                return error_oom(reterr);
        *container = (RoutedContainer){
                .id = TAKE_PTR(request->id), .name = TAKE_PTR(request->name), .pidfd = TAKE_FD(*pidfd), .netns_fd = TAKE_FD(*netns_fd),
                .ports = TAKE_PTR(request->ports), .n_ports = request->n_ports, .key = ++state->next_key, .dns = TAKE_PTR(request->dns),
        };
        request->n_ports = 0;
        int r = bind_ports(container, keep, reterr);
        if (r >= 0)
                r = add_links(state, container, request, keep, reterr);
        if (r < 0) {
                router_names_stop_own(state, container);
                container_free(container);
                return r;
        }
        container->next = state->containers;
        state->containers = container;
        state->n_containers++;
        router_uplink_publish(state, container);
        *ret = container;
        return 0;
}

/* The one of that ID that lives. */
static RoutedContainer *find_living(RouterState *state, const char *id) {
        RoutedContainer *container = find_container(state, id);

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
        int r = add_links(state, container, request, /* keep= */ false, reterr);
        if (r >= 0)
                router_uplink_retarget(state, container);
        return r;
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
        router_uplink_unpublish(state, container);
        router_uplink_publish(state, container);
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
        router_uplink_unpublish(state, container);
        router_names_stop_own(state, container);
        dismiss(state, container, NULL, 0, /* network= */ NULL, alive ? GUARD_REMOVE : GUARD_LAST);
        for (size_t i = 0; i < container->n_links; i++)
                disconnect_link(state, container, &container->links[i], alive);
        container_free(container);
}

int router_detach(RouterState *state, const char *id, const char *network, Error *reterr) {
        RoutedContainer *container = find_container(state, id);

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
                        dismiss(state, container, gone, 1, gone->network, GUARD_REMOVE);
                        disconnect_link(state, container, gone, /* alive= */ true);
                        links_free(gone, 1);
                        router_uplink_retarget(state, container);
                        return router_names_start_own(state, container, reterr);
                }
        return 0;
}

void router_state_done(RouterState *state) {
        state->ending = true;
        while (state->containers)
                forget_container(state, state->containers);
        while (state->networks)
                forget_network(state, state->networks);
        router_uplink_stop(state);
        (void) fd_close(state->guard_fd);
        (void) fd_close(state->directory_fd);
        (void) fd_close(state->router.userns_fd);
        (void) fd_close(state->router.netns_fd);
        *state = ROUTER_STATE_NULL;
}
