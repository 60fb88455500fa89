/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers beside bridge, and the options vlan, rate and burst, need of the kernel. Inside of net/plumb*.c: the caller is in
 * the router's namespace, with a NETLINK_ROUTE socket of it. */
#pragma once

#include "net/plumb.h"

enum {
        PLUMB_VXLAN_PORT = 4789,  /* IANA's */
        PLUMB_VXLAN_MTU = 1450,   /* what 1500 bytes on the way leave (RFC 7348, 4.3), */
        PLUMB_VXLAN_MTU6 = 1430,  /* between hosts that have IPv6 */
};

/* Whether the network's links are children of another network's link (macvlan, ipvlan). */
bool plumb_has_children(const NetworkConfig *network) _pure_;

/* Whether they route themselves (ipvlan in its modes l3 and l3s): there is no gateway, and no link of the router's. */
bool plumb_is_routed(const NetworkConfig *network) _pure_;

/* Whether the router has a link of its own among the children, with the gateway's address. */
bool plumb_has_own_child(const NetworkConfig *network) _pure_;

/* The router's own child. -EEXIST: it is there. */
int plumb_add_own_child(int fd, const NetworkConfig *network, const uint8_t mac[static 6]);

/* A port of the parent that always has a carrier: a bridge without one has none, and so its children have none. */
int plumb_add_carrier(int fd, const NetworkConfig *network);

/* A container's child. */
int plumb_add_child(int fd, int container_netns_fd, PlumbLink *link, Error *reterr);

/* A bridge that is there gets its VLAN, or its tunnel. */
int plumb_complete_bridge(int fd, int bridge, const NetworkConfig *network, Error *reterr);

/* Limits what goes over a container's veth, both ways, where the network says so. */
int plumb_limit(int fd, const PlumbLink *link, Error *reterr);

/* The addresses of the other hosts of a vxlan network; a vector. -ENOMEM. */
int plumb_remotes(const NetworkConfig *network, char ***ret);
