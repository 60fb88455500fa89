/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 peers of a published TCP port whose server only listens on IPv4.
 *
 * Theory of operation: `curl localhost:8080` tries ::1 first, and many servers listen on 0.0.0.0 alone. libslirp would
 * accept the connection and then reset it, which no client retries. Such a connection is accepted here instead, carried to
 * the same published port on the host's 127.0.0.1, and the container sees the gateway as its peer. */
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>

#include "base/macro.h"

enum { TCP_RELAYS_LIMIT = 512 };

typedef struct TcpRelays TcpRelays;

TcpRelays *tcp_relays_new(void);
TcpRelays *tcp_relays_free(TcpRelays *relays);
DEFINE_CLEANUP(TcpRelays, tcp_relays_free)

/* Takes an accepted socket over and connects it to 127.0.0.1:`port`. A failure closes the connection. */
void tcp_relays_add(TcpRelays *relays, int fd, uint16_t port);

/* The number of poll entries that fill writes. */
size_t tcp_relays_poll_count(const TcpRelays *relays);
void tcp_relays_fill(const TcpRelays *relays, struct pollfd *fds);

/* Moves data by what poll(2) said of the entries that fill wrote, and ends relays that are done. */
void tcp_relays_run(TcpRelays *relays, const struct pollfd *fds, size_t n_fds);
