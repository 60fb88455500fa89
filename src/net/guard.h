/* SPDX-License-Identifier: Apache-2.0 */
/* Who a container may say that it is, on a bridge with others.
 *
 * Theory of operation: a container with CAP_NET_RAW or CAP_NET_ADMIN writes what it likes to its end of a link, but the other end is in
 * the router's namespace, where it has no power. There a table of nftables' bridge family looks at each frame from a container before the
 * bridge does, and so before any neighbour, the router or the bridge's own memory of addresses. It consists of a few chains, which are the same
 * for all, and of sets: which ports there are, and for each the MAC and the addresses that it may have. A container's first start, and each
 * further one, adds elements to the sets before there is a link, and its end removes them; the rules of all networks
 * (net/router-rules.h) are written with all elements, so that what one of the two has missed is put right by the other.
 * A container's port that is in no set lets nothing pass.
 *
 * The bridge itself is told whose MAC is where, and learns nothing of what comes by a container's port (net/plumb.c): frames of LLDP's group
 * go past the tables. */
#pragma once

#include <stdio.h>

#include "net/plumb.h"

/* The links of one container. All its addresses may come by each of its ports: answers to published ports do. */
typedef struct GuardContainer {
        PlumbLink *links;
        size_t n_links;
} GuardContainer;

/* Whether the network's containers may be who they like (`spoofing=true`). */
bool guard_is_free(const NetworkConfig *network) _pure_;

/* Writes the table, in nft(8)'s language. */
void guard_write(FILE *f, const NetworkConfig *const *networks, size_t n_networks, const GuardContainer *containers, size_t n_containers);

/* Whether the kernel lets frames on a bridge be looked at (CONFIG_NF_TABLES_BRIDGE). */
bool guard_is_possible(const Router *router);

typedef enum GuardChange {
        GUARD_ADD,
        GUARD_REMOVE,
        GUARD_LAST,   /* the container has ended: they stay for the last of what the kernel still sends for it, some seconds */
} GuardChange;

enum { GUARD_ALL = -1 };

/* A socket for changes. It is kept: the kernel makes who closes one wait until all that was deleted has been freed, some 10 ms. */
int guard_open(const Router *router, Error *reterr);

/* Changes the elements that are due to link number `which` of a container, or to all. The rules have been applied. What is there already, or
 * not there any more, is no error. The caller need not be in the namespaces, but be the owner of the user namespace. */
int guard_change(int fd, GuardChange kind, const GuardContainer *container, int which, Error *reterr);
