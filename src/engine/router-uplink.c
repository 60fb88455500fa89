/* SPDX-License-Identifier: Apache-2.0 */
/* The router's way out and in. */
#include "engine/router-uplink.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/router-driver.h"
#include "net/router-control.h"

enum {
        TIMEOUT_SEC = 5,            /* it is asked over a socket of its own, and does little else meanwhile */
        STARTS_USEC = 10 * 1000000, /* so many starts in so much time */
        STARTS_MAX = 5,
};

/* The first address of each family on a network that can be reached, and the gateway there. 1: there is one. */
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

/* What is the same as long as ports lead to the same place. */
static char *target_text(const RouterPort *port) {
        return str_format("%s/%u %s %s/%u %s", port->address ?: "", port->prefix, port->gateway ?: "", port->address6 ?: "", port->prefix6,
                          port->gateway6 ?: "");
}

static int publish(const RouterState *state, RoutedContainer *container, size_t i) {
        const NetPort *from = &container->ports[i];
        _cleanup_router_port_ RouterPort port = {
                .op = strdup("publish"), .key = container->key, .protocol = strdup(from->protocol), .container_port = from->container_port,
                .host_port = from->host_port, .any_host_ip = str_empty(from->host_ip),
                .ipv4 = container->sockets[i].fd4 >= 0, .ipv6 = container->sockets[i].fd6 >= 0,
        };
        int r = port.op && port.protocol ? fill_target(state, container, &port) : -ENOMEM;

        if (r <= 0)
                return r;
        if (!container->target && !(container->target = target_text(&port)))
                return -ENOMEM;
        return router_control_send(state->uplink_socket, &port, &container->sockets[i]);
}

void router_uplink_publish(const RouterState *state, RoutedContainer *container) {
        free(container->target);
        container->target = NULL;
        for (size_t i = 0; i < container->n_ports && state->uplink_socket >= 0; i++) {
                if (container->sockets[i].fd4 < 0 && container->sockets[i].fd6 < 0)
                        continue; /* somebody else has it */
                int r = publish(state, container, i);

                if (r < 0)
                        log_warning("cannot publish port %u of container '%s': %s", container->ports[i].host_port, container->name, strerror(-r));
        }
}

void router_uplink_unpublish_key(const RouterState *state, uint64_t key) {
        _cleanup_router_port_ RouterPort port = { .op = strdup("unpublish"), .key = key };
        char byte;

        if (state->uplink_socket < 0 || !port.op)
                return;
        /* its answer to nothing else; one that does not answer is of no use any more, and its end will be seen */
        if (router_control_send(state->uplink_socket, &port, /* sockets= */ NULL) < 0 || RETRY_EINTR(recv(state->uplink_socket, &byte, 1, 0)) != 1)
                (void) process_signal(state->uplink.pidfd, SIGKILL);
}

void router_uplink_unpublish(const RouterState *state, const RoutedContainer *container) {
        if (container->n_ports > 0)
                router_uplink_unpublish_key(state, container->key);
}

void router_uplink_retarget(const RouterState *state, RoutedContainer *container) {
        _cleanup_router_port_ RouterPort port = {};
        _cleanup_free_ char *target = NULL;

        if (container->n_ports == 0)
                return;
        if (fill_target(state, container, &port) > 0 && !(target = target_text(&port)))
                return;
        if (str_equal(target, container->target))
                return; /* its connections live on */
        router_uplink_unpublish(state, container);
        router_uplink_publish(state, container);
}

void router_uplink_stop(RouterState *state) {
        state->uplink_socket = fd_close(state->uplink_socket);
        if (state->uplink.pidfd >= 0) {
                (void) process_signal(state->uplink.pidfd, SIGKILL);
                (void) process_reap(state->uplink.pid);
        }
        net_helper_done(&state->uplink);
        state->uplink = NET_HELPER_NULL;
}

static bool starts_too_often(RouterState *state) {
        int64_t now = time_monotonic_usec();

        if (now - state->uplink_first_usec > STARTS_USEC) {
                state->uplink_first_usec = now;
                state->uplink_starts = 0;
        }
        return ++state->uplink_starts > STARTS_MAX;
}

static int start(RouterState *state, int control_fd, Error *reterr) {
        _cleanup_net_config_ NetConfig config = NET_CONFIG_NULL;
        _cleanup_fd_ int self = (int) syscall(SYS_pidfd_open, getpid(), 0);

        config.name = strdup("router");
        config.interface = strdup(PLUMB_UPLINK);
        if (!config.name || !config.interface)
                return error_oom(reterr);
        if (self < 0)
                return error_set_errno(reterr, -errno, "cannot open a pidfd");
        const NetHelperRequest request = {
                .config = &config,
                .init_pidfd = self,
                .userns_fd = state->router.userns_fd,
                .netns_fd = state->router.netns_fd,
                .control_fd = control_fd,
        };
        int r = net_helper_start(&request, &state->uplink, reterr);
        return r < 0 ? r : net_helper_wait_ready(&state->uplink, /* ret_ports= */ NULL, /* ret_n_ports= */ NULL, reterr);
}

int router_uplink_start(RouterState *state, Error *reterr) {
        const struct timeval timeout = { .tv_sec = TIMEOUT_SEC };
        int pair[2];

        if (state->uplink_socket >= 0 && !process_has_ended(state->uplink.pidfd))
                return 0;
        router_uplink_stop(state);
        if (starts_too_often(state))
                return error_set(reterr, -EAGAIN, ERROR_STATE, "cannot start the uplink of the bridge networks: it ends again and again");
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start the uplink of the bridge networks");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        /* one that does not listen is of no use to anybody: it is not waited for long */
        (void) setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        (void) setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        (void) fcntl(theirs, F_SETFL, O_NONBLOCK);
        int r = start(state, theirs, reterr);
        if (r < 0) {
                net_helper_done(&state->uplink); /* it has been reaped */
                state->uplink = NET_HELPER_NULL;
                return error_prefix(reterr, r, "cannot start the uplink of the bridge networks");
        }
        state->uplink_socket = TAKE_FD(ours);
        for (const RoutedNetwork *network = state->networks; network; network = network->next)
                router_driver_tell(state, network);
        for (RoutedContainer *container = state->containers; container; container = container->next)
                router_uplink_publish(state, container);
        return 1;
}
