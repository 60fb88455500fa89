/* SPDX-License-Identifier: Apache-2.0 */
/* Containers on bridge networks: addresses, and what is asked of the router (engine/router.h). */
#pragma once

#include "engine/router-client.h"
#include "proc/proc.h"
#include "state/container.h"

/* A start under way. */
typedef struct BridgeStart {
        RouterClient router;
        bool asked;
        bool leaves_machine; /* one of its networks goes on to other machines */
} BridgeStart;

#define BRIDGE_START_NULL ((BridgeStart){ .router = ROUTER_CLIENT_NULL })

void bridge_start_done(BridgeStart *start);
#define _cleanup_bridge_start_ _cleanup_(bridge_start_done)

bool bridge_is_used(const ContainerConfig *config) _pure_;

/* Before anything of the container is made: takes its addresses, which then stand in container->process.networks, and calls the
 * router. The container is locked. */
int bridge_prepare(const Store *store, Container *container, BridgeStart *ret, Error *reterr);

/* Asks the router to connect the waiting init. Returns at once. */
int bridge_begin(const Store *store, Container *container, const Proc *proc, BridgeStart *start, Error *reterr);

/* Waits until it has; fills the process's ports as they are bound. */
int bridge_wait(BridgeStart *start, ContainerProcess *process, Error *reterr);

/* The container does not run any more, or its start has failed: gives its addresses back, and tells a router that is there. */
void bridge_release(const Store *store, Container *container);

/* What is asked of the router for a container that runs, from its record. */
int bridge_request(const Store *store, const Container *container, RouterRequest *ret, Error *reterr);

/* `network connect`, `disconnect`, `reload` of a container that runs and is locked: its process.json is written, too. The config's
 * own list of networks is the caller's business. */
int bridge_connect(const Store *store, Container *container, const ContainerNetwork *network, Error *reterr);
int bridge_disconnect(const Store *store, Container *container, const char *network, Error *reterr);
int bridge_reload(const Store *store, Container *container, Error *reterr);

/* The record of a network has other name servers: a router that has the network takes them over. */
int bridge_update_network(const Store *store, const char *network, Error *reterr);

/* The addresses of the resolvers of its networks; a vector in *ret, NULL: none of them has names. */
int bridge_resolvers(const Store *store, const Container *container, char ***ret, Error *reterr);
