/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a connect(2), and the filter that ties a socket to it. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/macro.h"

typedef struct BypassTarget {
        int family;              /* of the socket address */
        bool ipv4;               /* it is an IPv4 address, perhaps mapped into IPv6 */
        struct in_addr address4; /* then */
        struct in6_addr address6;
        uint16_t port;           /* in host byte order */
        struct sockaddr_storage sockaddr; /* our own copy */
        socklen_t size;
} BypassTarget;

/* -EAFNOSUPPORT for all but IPv4 and IPv6; -EINVAL where it is too short. Only what is understood is kept: of an IPv6 address no
 * scope (-EADDRNOTAVAIL where there is one). */
int bypass_target_parse(const void *address, size_t size, BypassTarget *ret);

/* Whether net/reach.h lets a container have it. */
bool bypass_target_may_be_reached(const BypassTarget *target) _pure_;

/* Marks a socket as one of ours, for good (socket(7), SO_LOCK_FILTER). */
int bypass_target_mark(int fd);

/* Marks it, and ties a TCP socket to this peer for good: no segment from elsewhere reaches it, whatever it is connected to, whoever holds it. So no
 * other connection can ever be made with it, nor one be accepted. 0 or -errno. */
int bypass_target_tie(const BypassTarget *target, int fd);
