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

int router_names_start(const RouterState *state, RoutedNetwork *network, Error *reterr) {
        _cleanup_strv_ char **upstream = NULL;

        if (!network->config.dns_enabled || network->names.pidfd >= 0)
                return 0;
        if (uplink_servers(&upstream) < 0)
                return error_oom(reterr);
        const NamesRequest request = {
                .network = &network->config,
                .interface = network->config.network_interface,
                .userns_fd = state->router.userns_fd,
                .netns_fd = state->router.netns_fd,
                .directory_fd = state->directory_fd,
                .upstream = upstream,
        };
        network->names_usec = time_monotonic_usec();
        return names_start(&request, &network->names, reterr);
}

static void end_process(const RouterState *state, RoutedNetwork *network) {
        if (network->names.pidfd < 0)
                return;
        if (network->watch && state->names_forgotten)
                state->names_forgotten(network, state->data);
        (void) process_signal(network->names.pidfd, SIGKILL);
        (void) process_reap(network->names.pid);
        names_done(&network->names);
        network->names = NAMES_NULL;
}

void router_names_stop(const RouterState *state, RoutedNetwork *network) {
        end_process(state, network);
        (void) names_clear(state->directory_fd, network->config.name);
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

int router_names_update(const RouterState *state, const char *name, Error *reterr) {
        _cleanup_network_config_ NetworkConfig now = NETWORK_CONFIG_NULL;
        RoutedNetwork *network = router_find_network(state, name);
        int r = network ? network_load(state->store, name, &now, reterr) : 0;

        if (r < 0 || !network)
                return r;
        char **servers = network->config.network_dns_servers;
        network->config.network_dns_servers = now.network_dns_servers;
        now.network_dns_servers = servers;
        end_process(state, network); /* the names themselves are in files and stay */
        return router_names_start(state, network, reterr);
}

void router_names_ended(const RouterState *state, RoutedNetwork *network) {
        _cleanup_error_ Error error = ERROR_NULL;
        const char *name = network->config.name;

        bool soon = time_monotonic_usec() - network->names_usec < SOON_SEC * TIME_USEC_PER_SEC;
        network->names_ends = soon ? network->names_ends + 1 : 0;
        end_process(state, network);
        if (network->names_ends >= ENDS_MAX) {
                log_warning("what answers the names of network '%s' ends again and again: the next container there starts it", name);
                network->names_ends = 0;
                return;
        }
        log_warning("what answers the names of network '%s' has ended: it is started again", name);
        if (router_names_start(state, network, &error) < 0)
                log_warning("%s", error.message ?: "cannot start it");
}
