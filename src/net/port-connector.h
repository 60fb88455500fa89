/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets with which published TCP ports reach into a container's network namespace.
 *
 * Theory of operation: a socket belongs to the network namespace it was made in, whoever uses it later. A tiny process, the connector,
 * stays in that namespace and hands out TCP sockets that nobody has used yet. It hears one byte, the family, and says descriptors: it
 * knows no address, no connection and no byte of a stream. What it alone may do is the three options that want CAP_NET_ADMIN there: a
 * socket that may have a foreign address as its own (IP_TRANSPARENT), so that the container sees who really connects, and the mark by
 * which the container's kernel finds back (net/port-route.h). Binding and connecting need no right any more, and sdpod-net does them.
 *
 * Sockets come in batches, so a connection costs a fraction of a question, and none are made before the first connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PORT_CONNECTOR_BATCH = 16 };

/* In the child, in the container's user and network namespaces: gives up everything but `socket_fd` (SOCK_SEQPACKET), CAP_NET_ADMIN and
 * the few system calls that this takes, and serves until the other end is closed. Returns 0 then, -errno where it cannot be confined. */
int port_connector_serve(int socket_fd);

/* The other end: a pool of sockets for each family. */
typedef struct PortConnector {
        int fd; /* owned; readable when an answer is there */
        struct {
                int fds[2 * PORT_CONNECTOR_BATCH];
                size_t n;
                bool asked;
        } pools[2];
} PortConnector;

#define PORT_CONNECTOR_NULL ((PortConnector){ .fd = -EBADF })

/* Whether there are `n` sockets of the family (AF_INET, AF_INET6); asks for more when they run low. */
bool port_connector_has(PortConnector *connector, int family, size_t n);

/* Takes one, non-blocking, not bound; -EAGAIN: there is none. */
int port_connector_take(PortConnector *connector, int family);

/* Reads the answers that are there. -EPIPE once the connector has ended; -ENFILE and others where it could not make a socket. */
int port_connector_receive(PortConnector *connector);

void port_connector_done(PortConnector *connector);
