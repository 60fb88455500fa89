/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to the router of a user's bridge networks (`sdpod __network`) and what it answers.
 *
 * Each message is one of a SOCK_SEQPACKET socket: a memory file with a JSON object as its first descriptor (ports and names may
 * be more than fits into a message), further ones behind it:
 *   open      -> [user namespace]  in which containers of bridge networks are made; none for root. As long as the connection is
 *                                  open the router does not end.
 *   attach    pidfd, netns -> ports as they were bound. The container's first networks, or one more (`network connect`).
 *   detach    the container from one network (`network`), or from all.
 *   update    the record of `network` has other name servers.
 *   reload    pidfd, netns: puts right whatever of the container's network is missing.
 * Each is answered, with {"ok":true,...} or {"error":{"kind","message","hint"}}. */
#pragma once

#include "net/net-config.h"

typedef struct RouterLink {
        char *network, *interface_name, *mac;
        char **addresses;   /* "10.89.0.2/24" */
        char **names;       /* by which it is known there, the container's own first */
        uint32_t place;     /* its number among the container's networks: of the first one the default route is preferred */
} RouterLink;

typedef struct RouterRequest {
        char *op;
        char *id, *name;    /* of the container */
        char *network;      /* detach: from that one; NULL: from all. update: which one */
        RouterLink *links;
        size_t n_links;
        NetPort *ports;
        size_t n_ports;
        char **dns;         /* name servers of the container's own; NULL: none */
} RouterRequest;

extern const JsonField router_request_fields[], router_link_fields[];

/* Whether all is there by which a container can be connected; lists may be empty. -EINVAL. */
int router_request_check(const RouterRequest *request, Error *reterr);
void router_request_done(RouterRequest *request);
#define _cleanup_router_request_ _cleanup_(router_request_done)

enum { ROUTER_FDS_MAX = 4 };

/* Sends an object with descriptors behind it. */
int router_wire_send(int socket, const json_t *object, const int *fds, size_t n_fds);

/* Receives one; `fds` has room for ROUTER_FDS_MAX. 0 at the end of the connection, 1 for a message. */
int router_wire_receive(int socket, json_t **ret, int *fds, size_t *ret_n_fds);

/* An error as the answer that carries it, and back. */
json_t *router_wire_error(const Error *error);
int router_wire_take_error(const json_t *answer, Error *reterr);
