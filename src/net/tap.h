/* SPDX-License-Identifier: Apache-2.0 */
/* The tap device in the container's network namespace, made by a child that goes there and comes back only as a
 * descriptor. */
#pragma once

#include <sys/types.h>

#include "net/net-config.h"
#include "net/outlet-rules.h"

typedef struct TapRequest {
        const NetAddresses *addresses;
        const char *interface;
        uint32_t mtu;
        int init_pidfd; /* a process in the container's user and network namespaces */
        int connector_fd; /* the child stays as the connector of published TCP ports (net/port-connector.h) at this socket; -EBADF: not */
        OutletKind outlet; /* outgoing TCP connections are to end in sockets of ours, where the kernel can do that (net/outlet-rules.h) */
        int userns_fd, netns_fd; /* those namespaces; -EBADF: they are entered by the pidfd */
} TapRequest;

typedef struct TapChild {
        pid_t pid;
        bool stays;     /* as the connector, until the other end of its socket is closed */
        int socket;
} TapChild;

typedef struct Tap {
        int fd;      /* non-blocking; a frame a read or write */
        int diag_fd; /* a NETLINK_SOCK_DIAG socket of the container's namespace; -EBADF where the kernel has none */
        OutletSockets outlet; /* all unset: there is none */
        bool ipv6;   /* the namespace took the IPv6 addresses */
        bool transparent; /* it will answer to foreign addresses (net/port-route.h) */
} Tap;

#define TAP_NULL ((Tap){ .fd = -EBADF, .diag_fd = -EBADF, .outlet = OUTLET_SOCKETS_NULL })

/* Forks the child that does the work, so that the caller goes on meanwhile. */
int tap_begin(const TapRequest *request, TapChild *ret, Error *reterr);

/* Waits for the child's answer. The interface is up, with addresses and routes, when it comes. */
int tap_finish(TapChild *child, Tap *ret, Error *reterr);

void tap_done(Tap *tap);
