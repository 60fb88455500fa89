/* SPDX-License-Identifier: Apache-2.0 */
/* How a container answers a connection whose peer's address is not on this machine's side of its wire.
 *
 * Theory of operation: the connector's sockets carry a mark, and packets on the loopback interface keep it. With tcp_fwmark_accept the
 * container's kernel gives the mark to the connection that it accepts, with fwmark_reflect to the RST of a closed port; a rule sends
 * what has the mark to a table in which every address is local. So answers to the peer's address come back over `lo` to the socket that
 * has that address, and never go out by the tap. All of it lies in the container's own network namespace: a container that may change it
 * (CAP_NET_ADMIN) changes it for itself. */
#pragma once

#include <stdbool.h>

enum {
        PORT_ROUTE_MARK = 0x73647064,
        PORT_ROUTE_TABLE = 0x7364,
        PORT_ROUTE_PRIORITY = 100, /* after `local` (0), before everything that a container adds by default (32765) */
};

/* In the container's namespaces, with a NETLINK_ROUTE socket of them. Returns 0; -errno where this kernel or a read-only /proc/sys will
 * not have it: then peers cannot be shown by their own addresses. */
int port_route_set_up(int netlink_fd, bool ipv6);
