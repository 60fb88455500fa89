/* SPDX-License-Identifier: Apache-2.0 */
/* What lets the container's outgoing TCP connections end in sockets of sdpod-net's, inside the container's own network namespace.
 *
 * Theory of operation: the opening segment (SYN) of a connection that a program of the container makes goes out by the tap as any other
 * packet, only with OUTLET_HOPS as its time to live. All further segments are given PORT_ROUTE_MARK, by which net/port-route.h makes them
 * local: they never reach the tap. When sdpod-net (net/outlet.h) writes the opening segment back into the tap, a TPROXY rule hands it to a
 * socket that listens here, and the kernel makes the connection between the two.
 *
 * What a container forwards for others (a bridge inside) has no such time to live, and is libslirp's, as is what a program writes to the
 * wire itself.
 *
 * A router forwards the opening segment, with another source by masquerading. Given back, it goes past connection tracking, so that the answer
 * belongs to the connection that was forwarded, and gets to the container by that; the answer's mark is the connection's from then on, and all that
 * the container sends besides is the router's own (net/router-rules.h). */
#pragma once

#include "net/net-config.h"

enum {
        OUTLET_HOPS = 213, /* what no system begins with */
        OUTLET_PORT = 1,   /* tcpmux: nobody's, and below what programs are given */
};

typedef enum OutletKind {
        OUTLET_NONE,
        OUTLET_OWN,       /* connections of programs in this namespace */
        OUTLET_FORWARDED, /* a router's: connections of others that leave by the tap, under its address (net/router-rules.h) */
} OutletKind;

/* Owned descriptors. */
typedef struct OutletSockets {
        int rules_fd;              /* the table lives as long as this netlink socket, and nobody else can change it */
        int listener4, listener6;  /* -EBADF: the namespace has no IPv6 */
} OutletSockets;

#define OUTLET_SOCKETS_NULL ((OutletSockets){ .rules_fd = -EBADF, .listener4 = -EBADF, .listener6 = -EBADF })

void outlet_sockets_done(OutletSockets *sockets);

/* In the container's network namespace, with CAP_NET_ADMIN over it, after port_route_set_up(). `ifindex` and `interface` are the tap's.
 * 0 or -errno: a kernel without nft_tproxy, for one; then there is no rule, and libslirp goes on alone. */
int outlet_rules_set_up(OutletKind kind, const NetAddresses *addresses, const char *interface, int ifindex, bool ipv6, OutletSockets *ret);
