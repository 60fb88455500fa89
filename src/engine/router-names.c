/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, restarts and ends the processes that answer names. */
#include "engine/router-names.h"

#include <arpa/inet.h>
#include <signal.h>

#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "net/net-config.h"
#include "net/plumb.h"
#include "spec/network-option.h"
#include "state/network.h"

enum {
        ENDS_MAX = 5, /* in a row, each soon after its start */
        SOON_SEC = 10,
};

void router_names_clear(const RouterState *state) {
        (void) names_clear(state->directory_fd, /* network= */ NULL);
}

/* The addresses of sdpod-net behind which is the host's resolver. Which of them leads anywhere is the host's affair, and changes. */
static int uplink_servers(char ***ret) {
        _cleanup_net_config_ NetConfig config = NET_CONFIG_NULL;
        char text[INET6_ADDRSTRLEN];
        NetAddresses addresses;
        int r = net_addresses_from_config(&config, &addresses, /* reterr= */ NULL);

        if (r >= 0)
                r = strv_append(ret, inet_ntop(AF_INET, &addresses.dns, text, sizeof(text)));
        if (r >= 0 && addresses.ipv6)
                r = strv_append(ret, inet_ntop(AF_INET6, &addresses.dns6, text, sizeof(text)));
        return r;
}

/* ---- one process ---- */

static void end_process(RouterState *state, RoutedNames *names) {
        if (names->process.pidfd < 0)
                return;
        if (names->watch && state->names_forgotten)
                state->names_forgotten(names, state->data);
        (void) process_signal(names->process.pidfd, SIGKILL);
        (void) process_reap(names->process.pid);
        names_done(&names->process);
        names->process = NAMES_NULL;
}

/* The networks with names that a container is on. The number may be greater than NAMES_NETWORKS_MAX: only so many are in ret. */
static size_t networks_of(const RouterState *state, const RoutedContainer *container, const NetworkConfig **ret) {
        size_t n = 0;

        for (size_t i = 0; i < container->n_links; i++) {
                const RoutedNetwork *network = router_find_network(state, container->links[i].network);

                if (!network || !network->config.dns_enabled)
                        continue;
                if (n < NAMES_NETWORKS_MAX)
                        ret[n] = &network->config;
                n++;
        }
        return n;
}

/* Servers that were named for the container, or for its networks, come instead of the host's. */
static int choose_upstream(const RoutedNames *names, const NetworkConfig *const *networks, size_t n, char ***ret) {
        if (names->container && names->container->dns && *names->container->dns)
                return strv_extend(ret, names->container->dns);
        for (size_t i = 0; i < n; i++) {
                int r = strv_extend(ret, networks[i]->network_dns_servers);
                if (r < 0)
                        return r;
        }
        return *ret ? 0 : uplink_servers(ret);
}

static int choose_peers(const RoutedNames *names, char ***ret) {
        const char *text = names->network ? plumb_option(&names->network->config, "dns_peers") : NULL;

        return text ? network_remotes_parse(text, ret) : 0;
}

static int start_process(RouterState *state, RoutedNames *names, Error *reterr) {
        const NetworkConfig *networks[NAMES_NETWORKS_MAX];
        _cleanup_strv_ char **upstream = NULL, **peers = NULL;
        _cleanup_free_ char *subject = NULL;
        size_t n = 1;

        if (names->container)
                n = networks_of(state, names->container, networks);
        else
                networks[0] = &names->network->config;
        subject = names->container ? str_format("container '%s'", names->container->name) : str_format("network '%s'", names->network->config.name);
        if (subject && n > NAMES_NETWORKS_MAX)
                return error_set(reterr, -E2BIG, ERROR_UNSUPPORTED, "cannot answer the names of %s: it is on %zu networks with names, and %d are possible",
                                 subject, n, NAMES_NETWORKS_MAX);
        if (!subject || choose_upstream(names, networks, n, &upstream) < 0 || choose_peers(names, &peers) < 0)
                return error_oom(reterr);
        const NamesRequest request = {
                .role = names->role,
                .subject = subject,
                .networks = networks,
                .n_networks = n,
                .interface = names->network ? names->network->config.network_interface : NULL,
                .userns_fd = state->router.userns_fd,
                .netns_fd = names->container ? names->container->netns_fd : state->router.netns_fd,
                .directory_fd = state->directory_fd,
                .upstream = upstream,
                .peers = peers,
        };
        names->started_usec = time_monotonic_usec();
        return names_start(&request, &names->process, reterr);
}

static RoutedNames *find(const RouterState *state, NamesRole role, const RoutedNetwork *network, const RoutedContainer *container) {
        for (RoutedNames *names = state->names; names; names = names->next)
                if (names->role == role && names->network == network && names->container == container)
                        return names;
        return NULL;
}

static int start(RouterState *state, NamesRole role, RoutedNetwork *network, RoutedContainer *container, Error *reterr) {
        RoutedNames *names = find(state, role, network, container);

        if (names)
                return names->process.pidfd >= 0 ? 0 : start_process(state, names, reterr);
        names = calloc(1, sizeof(*names));
        if (!names)
                return error_oom(reterr);
        *names = (RoutedNames){ .role = role, .network = network, .container = container, .process = NAMES_NULL, .next = state->names };
        state->names = names;
        return start_process(state, names, reterr);
}

static void stop(RouterState *state, NamesRole role, const RoutedNetwork *network, const RoutedContainer *container) {
        RoutedNames *names = find(state, role, network, container), **at = &state->names;

        if (!names)
                return;
        end_process(state, names);
        while (*at != names)
                at = &(*at)->next;
        *at = names->next;
        free(names);
}

/* ---- networks ---- */

int router_names_start(RouterState *state, RoutedNetwork *network, Error *reterr) {
        if (!network->config.dns_enabled)
                return 0;
        int r = start(state, NAMES_OF_NETWORK, network, /* container= */ NULL, reterr);
        if (r >= 0 && plumb_option(&network->config, "dns_peers"))
                r = start(state, NAMES_FOR_PEERS, network, /* container= */ NULL, reterr);
        return r;
}

void router_names_stop(RouterState *state, RoutedNetwork *network) {
        stop(state, NAMES_OF_NETWORK, network, /* container= */ NULL);
        stop(state, NAMES_FOR_PEERS, network, /* container= */ NULL);
        (void) names_clear(state->directory_fd, network->config.name);
}

/* ---- containers ---- */

/* bridge_resolvers() decides by the same words what the container is told. One that has its own asks nobody else, also when it is on a
 * single network later. */
int router_names_start_own(RouterState *state, RoutedContainer *container, Error *reterr) {
        bool had = find(state, NAMES_OF_CONTAINER, /* network= */ NULL, container), servers = container->dns && *container->dns;
        const NetworkConfig *networks[NAMES_NETWORKS_MAX];
        size_t n = networks_of(state, container, networks);

        stop(state, NAMES_OF_CONTAINER, /* network= */ NULL, container); /* it may be on others than before */
        return n > 1 || (n == 1 && (had || servers)) ? start(state, NAMES_OF_CONTAINER, /* network= */ NULL, container, reterr) : 0;
}

void router_names_stop_own(RouterState *state, const RoutedContainer *container) {
        stop(state, NAMES_OF_CONTAINER, /* network= */ NULL, container);
}

int router_names_add(const RouterState *state, const RoutedNetwork *network, const RouterLink *link, Error *reterr) {
        if (!network->config.dns_enabled || !link->addresses || !*link->addresses)
                return 0;
        return names_add(state->directory_fd, network->config.name, link->addresses, link->names, reterr);
}

void router_names_remove(const RouterState *state, const RoutedNetwork *network, const RouterLink *link) {
        if (network->config.dns_enabled && link->addresses && *link->addresses)
                (void) names_remove(state->directory_fd, network->config.name, link->addresses);
}

static bool is_about(const RoutedNames *names, const RoutedNetwork *network) {
        for (size_t i = 0; names->container && i < names->container->n_links; i++)
                if (str_equal(names->container->links[i].network, network->config.name))
                        return true;
        return names->network == network;
}

int router_names_update(RouterState *state, const char *name, Error *reterr) {
        _cleanup_network_config_ NetworkConfig now = NETWORK_CONFIG_NULL;
        RoutedNetwork *network = router_find_network(state, name);
        int r = network ? network_load(state->store, name, &now, reterr) : 0;

        if (r < 0 || !network)
                return r;
        char **servers = network->config.network_dns_servers;
        network->config.network_dns_servers = now.network_dns_servers;
        now.network_dns_servers = servers;
        for (RoutedNames *names = state->names; names && r >= 0; names = names->next)
                if (is_about(names, network)) {
                        end_process(state, names); /* the names themselves are in files and stay */
                        r = start_process(state, names, reterr);
                }
        return r;
}

void router_names_ended(RouterState *state, RoutedNames *names) {
        const char *what = names->container ? "container" : "network", *name = names->container ? names->container->name : names->network->config.name;
        bool soon = time_monotonic_usec() - names->started_usec < SOON_SEC * TIME_USEC_PER_SEC;
        _cleanup_error_ Error error = ERROR_NULL;

        names->ends = soon ? names->ends + 1 : 0;
        end_process(state, names);
        if (names->ends >= ENDS_MAX) {
                log_warning("what answers the names of %s '%s' ends again and again: the next container there starts it", what, name);
                names->ends = 0;
                return;
        }
        log_warning("what answers the names of %s '%s' has ended: it is started again", what, name);
        if (start_process(state, names, &error) < 0)
                log_warning("%s", error.message ?: "cannot start it");
}
