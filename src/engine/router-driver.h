/* SPDX-License-Identifier: Apache-2.0 */
/* What networks with other drivers than bridge need of the router. */
#pragma once

#include "engine/router-state.h"

/* Before the network's links are made: of macvlan and ipvlan the parent is found, which is in use from now on; of vxlan the port is
 * bound. The record changes: `network_interface` is the router's own link, the option `parent` the link beneath. */
int router_driver_begin(RouterState *state, RoutedNetwork *network, Error *reterr);

/* The network is not used any more. */
void router_driver_end(RouterState *state, RoutedNetwork *network);

/* Tells the uplink of the network's port. */
void router_driver_tell(const RouterState *state, const RoutedNetwork *network);

/* A container's link to the network goes: what does not go by itself. */
void router_driver_unlink(const RouterState *state, const RoutedContainer *container, const RouterLink *link, const RoutedNetwork *network, bool alive);
