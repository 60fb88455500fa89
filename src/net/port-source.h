/* SPDX-License-Identifier: Apache-2.0 */
/* As whom the container sees the peer of a published TCP port. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "net/port-relay.h"

typedef union PortAddress {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
} PortAddress;

/* Fills an address from a struct in_addr or in6_addr; the port is in host byte order. Returns its size. */
socklen_t port_address_fill(int family, const void *address, uint16_t port, PortAddress *ret);

/* A peer, as accept(2) named it. */
typedef struct PortSource {
        int family; /* AF_UNSPEC: unknown, so it looks like the gateway */
        struct in6_addr address; /* IPv4: its first four bytes */
        uint16_t port;
} PortSource;

PortSource port_source_of(const PortAddress *peer);

/* The address to give it in front of a server of this family: its own, or the gateway's where its own would mislead or cannot be: the
 * host's loopback, link-local, of the container's own network, or of the other family. */
void port_source_choose(const PortSource *source, const PortTarget *target, int family, struct in6_addr *ret);

/* Binds a socket of the connector to it. With `own_port` also to the peer's port, where that may be had. 0 or -errno. */
int port_source_bind(const PortSource *source, const PortTarget *target, int family, bool own_port, int fd);
