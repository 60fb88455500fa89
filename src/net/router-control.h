/* SPDX-License-Identifier: Apache-2.0 */
/* What a router's sdpod-net is told by the router (engine/router-state.c), over a SOCK_SEQPACKET pair: one JSON object a message.
 *   publish    the port of a container, with its bound sockets as descriptors, IPv4 before IPv6
 *   unpublish  all ports of a container; one byte comes back once their sockets are closed
 * The end of the connection is the end of the program. */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "net/port-bind.h"

typedef struct RouterPort {
        char *op;
        uint64_t key;            /* of the container */
        char *protocol;          /* "tcp", "udp" */
        uint32_t container_port, host_port;
        bool any_host_ip;        /* published on all addresses */
        bool ipv4, ipv6;         /* which sockets are there */
        char *address, *address6;   /* of the container; NULL: none of that family */
        char *gateway, *gateway6;   /* of its network: who peers look like that cannot be shown as they are */
        uint32_t prefix, prefix6;
} RouterPort;

void router_port_done(RouterPort *port);
#define _cleanup_router_port_ _cleanup_(router_port_done)

/* Sends one; the sockets stay the caller's. */
int router_control_send(int socket, const RouterPort *port, const PortSockets *sockets);

/* Receives one. 1: there it is; 0: the connection has ended; -EAGAIN: there is none. */
int router_control_receive(int socket, RouterPort *ret, PortSockets *ret_sockets);
