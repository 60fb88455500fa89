/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the container listens on a port in IPv6. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Asks the container's kernel tables over `diag_fd` (sock_diag(7)) for a socket that would take what goes to `address` and
 * `port`. False also when it cannot be told. */
bool listen_probe6(int diag_fd, int protocol, const struct in6_addr *address, uint16_t port);
