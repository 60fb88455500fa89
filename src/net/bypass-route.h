/* SPDX-License-Identifier: Apache-2.0 */
/* Where the container's own routing table would send a connection. */
#pragma once

#include "net/bypass-target.h"

typedef struct BypassGateways {
        struct in_addr gateway4;  /* unspecified: none */
        struct in6_addr gateway6;
} BypassGateways;

/* Asks over `route_fd`, a routing socket of the container's network namespace, whether the address is reached by one of these
 * gateways: 1; 0 where it is the container's own, a neighbour's, behind another interface, or unreachable. */
int bypass_route_leads_out(int route_fd, const BypassTarget *target, const BypassGateways *gateways);
