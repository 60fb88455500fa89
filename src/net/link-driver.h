/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for the links of the drivers beside bridge (rtnetlink(7), ip-link(8)), and for limits of bandwidth (tc(8)). */
#pragma once

#include <net/if.h>

#include "net/netlink.h"

typedef enum LinkKind {
        LINK_MACVLAN,
        LINK_IPVLAN,
} LinkKind;

/* The kernel's number of a mode's name ("bridge", "l2"; NULL: the default one), or -EINVAL. */
int link_mode(LinkKind kind, const char *name);

typedef struct LinkChild {
        LinkKind kind;
        int mode;
        const char *name;
        int parent;             /* in the namespace of the socket */
        int netns_fd;           /* where it is born; -EBADF: beside its parent, and up */
        const uint8_t *mac;     /* NULL: the kernel's choice; of ipvlan always the parent's */
        uint32_t mtu;           /* 0: the parent's */
} LinkChild;

/* A link that shares the wire of another one. */
void link_add_child(NetlinkBatch *batch, const LinkChild *child);

/* Ports of the bridge are in this VLAN from now on, without tags, and the bridge itself is. */
void link_set_vlan(NetlinkBatch *batch, int bridge, uint16_t vlan);

typedef struct LinkVxlan {
        const char *name;
        int master;             /* index of the bridge that it is a port of */
        uint32_t vni;
        uint16_t port;          /* of UDP, here and at the others */
        uint32_t mtu;
} LinkVxlan;

/* A tunnel to other hosts, which are those of link_add_remote(). All that it sends comes from one UDP port. */
void link_add_vxlan(NetlinkBatch *batch, const LinkVxlan *vxlan);

/* What is for everybody, and for who is not known yet, goes to this host, too. -EEXIST: it does already. */
void link_add_remote(NetlinkBatch *batch, int ifindex, int family, const void *address);

/* What leaves by this link waits its turn: a token bucket (tc-tbf(8)). `rate` in bits a second, `burst` in bytes. */
void link_limit(NetlinkBatch *batch, int ifindex, uint64_t rate, uint32_t burst);

/* A link on which what comes in by another one can be made to wait (its queue is that of what leaves). */
void link_add_ifb(NetlinkBatch *batch, const char *name);

/* What comes in by a link goes the way over another one. */
void link_redirect(NetlinkBatch *batch, int ifindex, int to);
