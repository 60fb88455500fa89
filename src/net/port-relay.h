/* SPDX-License-Identifier: Apache-2.0 */
/* Published TCP ports: each connection is accepted on the host, and carried to one made inside the container's network namespace.
 *
 * Theory of operation: listeners come bound (net/port-bind.h). For each connection a socket is taken from the connector's stock
 * (net/port-connector.h), bound to the peer's own address and port, and connected to the container: its kernel answers at once, over its
 * loopback interface, and no packet is handled here. Then bytes flow both ways (net/port-flow.h). Whatever the container's end does the
 * peer sees, and the other way round: an end of data, a reset, a window that closes. One epoll(7) set, edge-triggered, holds all; every
 * connection that can go on has its turn, and none more than a budget.
 *
 * Peers on the host's loopback, with a link-local address or with one of the container's own network look like the gateway. So do
 * IPv6 peers where the container does not listen on IPv6: they are carried to its IPv4 address.
 *
 * For a router of several containers: one relay with a connector in the router's namespace; add and remove at any time. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a published port leads. */
typedef struct PortTarget {
        struct in_addr address, gateway;    /* INADDR_ANY: the container has no IPv4 */
        struct in6_addr address6, gateway6; /* in6addr_any: the container has no IPv6 */
        unsigned prefix, prefix6;           /* of the container's networks */
        uint16_t port;                      /* host byte order */
} PortTarget;

typedef struct PortRelay PortRelay;

/* `connector_fd` (taken over, also on failure) leads to port_connector_serve(); -EBADF: there are only connections that are joined. SIGPIPE
 * must be ignored. */
int port_relay_new(int connector_fd, PortRelay **ret);
PortRelay *port_relay_free(PortRelay *relay);

/* What the namespace turned out to have: without IPv6, all go by IPv4; not transparent (see net/port-route.h), all look like the
 * container itself. Before the first run; both are true at first. */
void port_relay_set_namespace(PortRelay *relay, bool ipv6, bool transparent);

/* Takes a listening, non-blocking socket over. `id` is the caller's, for port_relay_remove(); several listeners may share it. */
int port_relay_add(PortRelay *relay, int fd, uint64_t id, const PortTarget *target);

/* Carries a connection whose two ends are there already. Takes the sockets over, also on failure. */
int port_relay_join(PortRelay *relay, int inside_fd, int peer_fd);

/* Whether one more could be joined beside `n_dials` that may be, each with two descriptors in the end. `n_other_fds` as below. */
bool port_relay_has_room(const PortRelay *relay, size_t n_dials, size_t n_other_fds);

/* Closes the listeners of this id and resets their connections. */
void port_relay_remove(PortRelay *relay, uint64_t id);

/* Readable when port_relay_run() has something to do. */
int port_relay_fd(const PortRelay *relay);

/* Has a descriptor of the caller's watched beside the relay's, level-triggered: then one call of port_relay_wait() waits for all. */
int port_relay_watch_other(PortRelay *relay, int fd);
void port_relay_unwatch_other(PortRelay *relay, int fd);

/* Waits for at most `timeout` milliseconds (-1: for ever). Returns the number of events, 0 or -errno. What happened to the relay is done by
 * the next port_relay_run(), which must follow; *ret_others: one of the caller's descriptors has something. */
int port_relay_wait(PortRelay *relay, int timeout, bool *ret_others);

/* Does what there is to do, without waiting. Returns whether it should be called again at once. `n_other_fds` is the number of
 * descriptors that the process has besides: none is accepted when too few would be left. */
bool port_relay_run(PortRelay *relay, size_t n_other_fds);

/* The container has ended: listens no more. port_relay_run() goes on, and port_relay_is_delivering() says whether a peer has yet to be
 * given what the container said last. */
void port_relay_finish(PortRelay *relay);
bool port_relay_is_delivering(const PortRelay *relay);
