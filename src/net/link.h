/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for the links of bridge networks (rtnetlink(7)); they go into a batch of net/netlink.h. */
#pragma once

#include <net/if.h>

#include "net/netlink.h"

/* A bridge without spanning tree and multicast snooping, with a MAC of its own: otherwise it would take the lowest of its
 * ports' and change it as they come and go. -EEXIST: there is a link of that name. */
void link_add_bridge(NetlinkBatch *batch, const char *name, const uint8_t mac[static 6], uint32_t mtu);

typedef struct LinkVeth {
        const char *name;       /* in the namespace of the socket */
        int master;             /* index of its bridge */
        const char *peer_name;
        int peer_netns_fd;      /* where the peer is born */
        const uint8_t *peer_mac;
        uint32_t mtu;
} LinkVeth;

/* A veth pair: one end is a port of the bridge, and down; the other is born in another namespace. */
void link_add_veth(NetlinkBatch *batch, const LinkVeth *veth);

/* A port of a bridge, before it is up, behind which there is this MAC and no other: frames with another's as their source are dropped, nothing
 * is learned there, and what is for an unknown MAC does not go there. */
void link_tie_port(NetlinkBatch *batch, int ifindex, const uint8_t mac[static 6]);

void link_delete(NetlinkBatch *batch, const char *name);

/* A route; `gateway` NULL: the destination is on the link; `destination` NULL: the default route. */
typedef struct LinkRoute {
        int ifindex, family;
        const void *destination;
        unsigned prefix;
        const void *gateway;
        uint32_t metric;        /* 0: the kernel's default */
} LinkRoute;

void link_add_route(NetlinkBatch *batch, const LinkRoute *route);

/* A rule by which what this machine itself sends with the mark takes the main table's routes, whatever rules come after `priority`. */
void link_add_own_mark_rule(NetlinkBatch *batch, int family, uint32_t mark, uint32_t priority);

/* The index of a link in the namespace of the socket, or -errno; -ENODEV: there is none. */
int link_index(int netlink_fd, const char *name);
