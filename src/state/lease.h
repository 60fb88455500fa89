/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which address of a network: in the runtime directory, leases/NETWORK/ADDRESS is a symlink whose text is the ID of the
 * container. symlink(2) decides between two that want the same one, so there is no lock and nothing to repair. A command that was
 * killed leaves leases of a container that does not run: they are taken over when addresses run out, or when just that one is asked
 * for. */
#pragma once

#include "spec/network.h"
#include "state/store.h"

/* Takes one address of each subnet, in their order: the one of `wanted` (addresses, may be NULL) that lies in it, or the next that
 * is free after the one that was given last. In ret a vector of "10.89.0.2/24"; NULL where the network has no addresses. The
 * container's lock is held by the caller until its process is on record. -EADDRINUSE: a wanted one is taken; -ENOSPC: all are. */
int lease_take(const Store *store, const NetworkConfig *network, const char *container_id, char *const *wanted, char ***ret, Error *reterr);

/* Gives them back, as far as they are this container's; with or without "/24". With the last one of a network all of it goes. */
void lease_drop(const Store *store, const char *network, const char *container_id, char *const *addresses);

/* Whether these addresses can be had in that network, whoever may have them: each lies in a subnet and is a host's, no two in one. */
int lease_check_wanted(const NetworkConfig *network, char *const *wanted, Error *reterr);

/* Drops all leases of containers that do not run. Of one network, or of all (NULL). */
void lease_collect(const Store *store, const char *network);
