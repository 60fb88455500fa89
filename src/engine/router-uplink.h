/* SPDX-License-Identifier: Apache-2.0 */
/* The router's way out and in: sdpod-net in the router's namespace, and the published ports that it is told. */
#pragma once

#include "engine/router-state.h"

/* Sees to it that sdpod-net runs. 1: it is a new one, which was told all ports that are published; 0: it runs already. Where it ends
 * again and again it is left alone for a moment: -EAGAIN. */
int router_uplink_start(RouterState *state, Error *reterr);

/* Ends it, or reaps it where it has ended. */
void router_uplink_stop(RouterState *state);

/* Tells it a container's ports. */
void router_uplink_publish(const RouterState *state, RoutedContainer *container);

/* Takes them, or what was told by that key, away: when this returns sdpod-net has closed its sockets. Nobody else sends "unpublish": each
 * has an answer, which must be read. */
void router_uplink_unpublish(const RouterState *state, const RoutedContainer *container);
void router_uplink_unpublish_key(const RouterState *state, uint64_t key);

/* The container's networks have changed: its ports may lead to another address. */
void router_uplink_retarget(const RouterState *state, RoutedContainer *container);
