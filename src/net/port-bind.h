/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of published ports: sockets bound as asked, or a reason that helps. */
#pragma once

#include <stdint.h>

#include "net/net-config.h"

typedef struct PortSockets {
        int fd4, fd6;   /* non-blocking; TCP ones listen; -EBADF where the family was not asked for or is not there */
        uint16_t port;  /* host byte order */
} PortSockets;

#define PORT_SOCKETS_NULL ((PortSockets){ .fd4 = -EBADF, .fd6 = -EBADF })

/* Binds one port on its host address, or on all of IPv4 and IPv6 (each its own socket, IPV6_V6ONLY). Host port 0 finds one
 * that is free in both. A taken port is ERROR_IN_USE and names the holder where /proc tells; a privileged one is
 * ERROR_DENIED with the sysctl that opens it. */
int port_bind(const NetPort *port, PortSockets *ret, Error *reterr);

void port_sockets_done(PortSockets *sockets);
#define _cleanup_port_sockets_ _cleanup_(port_sockets_done)
