/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the router's networks: a dnsmasq for each that has them (net/names.h), and what it is told. */
#pragma once

#include "engine/router-state.h"

/* Removes the names of all networks: what a router that was killed has left, and at the end. */
void router_names_clear(const RouterState *state);

/* Sees to it that the network's names are answered, where it has any. */
int router_names_start(const RouterState *state, RoutedNetwork *network, Error *reterr);
void router_names_stop(const RouterState *state, RoutedNetwork *network);

/* The container's names are there before this returns, and gone. */
int router_names_add(const RouterState *state, const RoutedNetwork *network, const RouterLink *link, Error *reterr);
void router_names_remove(const RouterState *state, const RoutedNetwork *network, const RouterLink *link);

/* The record of a network has other name servers: what answers its names is started again with them. 0 also where nobody uses it. */
int router_names_update(const RouterState *state, const char *network, Error *reterr);

/* A process that answers names has ended (its pidfd is readable): it is started again, unless it ends all the time; then the next
 * container that is connected starts it. */
void router_names_ended(const RouterState *state, RoutedNetwork *network);
