/* SPDX-License-Identifier: Apache-2.0 */
/* TCP connections whose both ends are on this machine: nothing is lost between them, and there is no wire whose rate had to be found out.
 *
 * Theory of operation: Reno, which is in every kernel and for everybody (tcp(7), TCP_CONGESTION), sends as much as the window takes. The
 * host's default may be BBR, whose pacing costs more processor time than the sending does. A connection that began with BBR keeps its
 * pacing whatever is chosen later (sk_pacing_status), so the choice comes before the connection: a listener's is what it accepts with, and
 * those from elsewhere are given the host's default then. */
#pragma once

#include <stdbool.h>

#include "net/port-source.h"

/* The name of an algorithm of congestion control (TCP_CA_NAME_MAX of the kernel's). */
typedef struct TcpCongestion {
        char name[16];
} TcpCongestion;

/* Reno for a socket that is not connected yet, or that listens. Where it cannot be had the default stays. */
void local_tcp_hasten(int fd);

/* The default of the caller's network namespace; an empty name where it cannot be told. */
TcpCongestion local_tcp_default(void);

/* Gives an accepted connection the algorithm that it would have without us. */
void local_tcp_restore(int fd, const TcpCongestion *congestion);

/* Whether the peer of the socket is this machine: a loopback address, or the socket's own. */
bool local_tcp_is(int fd, const PortAddress *peer);
