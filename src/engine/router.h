/* SPDX-License-Identifier: Apache-2.0 */
/* The router of a user's bridge networks: one process for all of them, which is there as long as a container is on one.
 *
 * Theory of operation. It holds the network namespace in which the bridges are, plumbs containers to them when their starters ask for
 * it, and has children: sdpod-net as the way out, and the resolvers. What containers send is read by those, in their sandboxes; this
 * process only hears the user's own commands (engine/router-wire.h). Nothing that it has is only in it: the namespaces also lie in
 * systemd's store, and which container is on which network with which address and port is on the containers' records. So a killed
 * child is started again with all that it had, and a killed router is made again by systemd, or by the next start, and takes the
 * containers that live up again. */
#pragma once

#include "state/store.h"

#define ROUTER_ALONE "alone" /* what `sdpod __network` is told where no manager has started it */
#define ROUTER_UNIT "unit"

/* Serves until the last container is gone. Where there is one already it returns at once. `ready_fd` (-EBADF: none) is closed when it
 * serves, after the error as JSON if it cannot. */
int router_run(const Store *store, int ready_fd, Error *reterr);
