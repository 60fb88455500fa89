/* SPDX-License-Identifier: Apache-2.0 */
/* The router's namespace, its bridges, and the links of containers to them. All of it happens in a process that visits the
 * namespaces (ns/visit.h), by netlink, without starting a program. */
#pragma once

#include <net/if.h>

#include "base/error.h"
#include "spec/ip.h"
#include "spec/network.h"

#define PLUMB_UPLINK "uplink0" /* the router's way out: sdpod-net's tap */

enum { PLUMB_ADDRESSES_MAX = 8 }; /* of one link */

typedef struct Router {
        int userns_fd; /* the owner of what follows; -EBADF: none (root) */
        int netns_fd;
} Router;

#define ROUTER_NULL ((Router){ .userns_fd = -EBADF, .netns_fd = -EBADF })

/* A container's link to a network. */
typedef struct PlumbLink {
        const NetworkConfig *network;
        char name[IFNAMSIZ];       /* of the router's end, see plumb_link_name() */
        const char *interface;     /* of the container's end */
        uint8_t mac[6];
        IpSubnet addresses[PLUMB_ADDRESSES_MAX];
        size_t n_addresses;
        uint32_t metric;           /* of its default routes, unless the network has its own */
        bool keep, kept;           /* one that is there is left as it is; it was */
} PlumbLink;

/* Makes the network namespace: loopback, forwarding. Returns its descriptor. */
int plumb_namespace(int userns_fd, Error *reterr);

/* Sees to it that the network's bridge is there, with its addresses; of macvlan and ipvlan the router's own link beside the containers'. */
int plumb_bridge(const Router *router, const NetworkConfig *network, Error *reterr);

/* Removes a link of the router's namespace. One that is not there is no error. */
int plumb_remove(const Router *router, const char *name, Error *reterr);

/* The name of what stands beside a link's router end where bandwidth is limited; it does not go with that. */
void plumb_limit_name(const char *link, char ret[static IFNAMSIZ]);

/* The name of a vxlan network's tunnel, which does not go with its bridge. */
void plumb_tunnel_name(const NetworkConfig *network, char ret[static IFNAMSIZ]);

/* The name of what a macvlan or ipvlan network adds to its parent. */
void plumb_carrier_name(const NetworkConfig *network, char ret[static IFNAMSIZ]);

/* Connects a container: each link is a veth pair between the network's bridge and the container's namespace, where its end gets its name,
 * MAC, addresses and routes. On failure none of the links is left. */
int plumb_attach(const Router *router, int container_netns_fd, PlumbLink *links, size_t n_links, Error *reterr);

/* The name of the router's end: follows from the container and the network. */
void plumb_link_name(const char *container_id, const char *network, char ret[static IFNAMSIZ]);

/* The MAC of a container's end where nobody asked for one: follows from the network and the address, so that neighbours which know the
 * address from an earlier container need not be told. */
void plumb_mac(const char *network, const IpAddress *address, uint8_t ret[static 6]);

/* The link-local address that follows from a MAC (RFC 4291, appendix A). */
void plumb_link_local(const uint8_t mac[static 6], uint8_t ret[static 16]);

/* The MTU of a network's links. */
uint32_t plumb_mtu(const NetworkConfig *network) _pure_;

/* An option of the network ("mtu"), NULL: not there. */
const char *plumb_option(const NetworkConfig *network, const char *name) _pure_;
