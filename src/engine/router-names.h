/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers the names of the router's networks, by net/names.h: a process for each network that has them; one more where other hosts
 * ask; and one for each container that is on several, or has name servers of its own. */
#pragma once

#include "engine/router-state.h"

/* A process that answers. */
typedef struct RoutedNames {
        NamesRole role;
        RoutedNetwork *network;     /* not of a container */
        RoutedContainer *container; /* of its own */
        Names process;
        void *watch;                /* of whoever waits for its end */
        unsigned ends;              /* how often it has ended soon after its start */
        int64_t started_usec;
        struct RoutedNames *next;
} RoutedNames;

/* Removes the names of all networks: what a router that was killed has left, and at the end. */
void router_names_clear(const RouterState *state);

/* Sees to it that the network's names are answered, where it has any. */
int router_names_start(RouterState *state, RoutedNetwork *network, Error *reterr);
void router_names_stop(RouterState *state, RoutedNetwork *network);

/* The same for a container whose networks are known: its own is there where it needs one, and knows all of them. */
int router_names_start_own(RouterState *state, RoutedContainer *container, Error *reterr);
void router_names_stop_own(RouterState *state, const RoutedContainer *container);

/* The container's names are there before this returns, and gone. */
int router_names_add(const RouterState *state, const RoutedNetwork *network, const RouterLink *link, Error *reterr);
void router_names_remove(const RouterState *state, const RoutedNetwork *network, const RouterLink *link);

/* The record of a network has other name servers: what answers its names is started again with them. 0 also where nobody uses it. */
int router_names_update(RouterState *state, const char *network, Error *reterr);

/* The process has ended (its pidfd is readable): it is started again, unless it ends all the time; then the next container that is
 * connected starts it. */
void router_names_ended(RouterState *state, RoutedNames *names);
