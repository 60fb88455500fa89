/* SPDX-License-Identifier: Apache-2.0 */
/* Hands the bound sockets of published ports to what serves them: the relay (TCP) or the forwarder (UDP). */
#pragma once

#include "net/port-bind.h"
#include "net/port-relay.h"
#include "net/udp-forward.h"

/* A port of the container that has these addresses. Takes the sockets over. */
int port_publish(PortRelay *relay, UdpForward *udp, const NetAddresses *addresses, const NetPort *port, PortSockets *sockets, Error *reterr);

/* Does what a router has said over `control_fd` (net/router-control.h): publishes a container's ports, or takes them back. A message that is
 * not understood changes nothing. Returns false when the router has ended. */
bool port_publish_hear(PortRelay *relay, UdpForward *udp, int control_fd);
