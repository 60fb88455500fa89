/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the router of a user's bridge networks, which is started where it does not run (engine/router.h). */
#pragma once

#include "engine/router-wire.h"
#include "state/store.h"

#define ROUTER_DIRECTORY "network" /* in the runtime directory */
#define ROUTER_SOCKET "control"
#define ROUTER_ERROR "error" /* why the last start in a unit has failed */

typedef struct RouterClient {
        int socket;    /* -EBADF: not connected */
        int userns_fd; /* in which the containers of bridge networks are made; -EBADF: none (root) */
} RouterClient;

#define ROUTER_CLIENT_NULL ((RouterClient){ .socket = -EBADF, .userns_fd = -EBADF })

/* Connects, and starts the router if there is none. It stays until router_client_done(). */
int router_client_open(const Store *store, RouterClient *ret, Error *reterr);

/* The same with a router that runs; -ENOENT without a message: there is none. */
int router_client_connect(const Store *store, RouterClient *ret, Error *reterr);

void router_client_done(RouterClient *client);
#define _cleanup_router_client_ _cleanup_(router_client_done)

/* Sends a request, and later hears the answer, a new reference in *ret (may be NULL). */
int router_client_send(RouterClient *client, const RouterRequest *request, const int *fds, size_t n_fds, Error *reterr);
int router_client_receive(RouterClient *client, json_t **ret, Error *reterr);
