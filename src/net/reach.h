/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of the host's world a container may reach: the one list for all that opens the host's sockets for it. */
#pragma once

#include <netinet/in.h>

#include "base/macro.h"

typedef struct ReachRules {
        bool loopback; /* the host's loopback too */
        bool dns;      /* loopback and link-local addresses are a name server's: it may be there */
} ReachRules;

/* Not: loopback, unspecified and "this network", link-local (169.254.0.0/16, with the metadata services of clouds) and
 * site-local, IPv4-mapped and IPv4-compatible IPv6, multicast and broadcast addresses. `address` is in host byte order. */
bool reach_allows4(uint32_t address, ReachRules rules) _pure_;
bool reach_allows6(const struct in6_addr *address, ReachRules rules) _pure_;
