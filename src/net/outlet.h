/* SPDX-License-Identifier: Apache-2.0 */
/* Outgoing TCP connections of the container, past libslirp: the kernel's TCP on both sides, and bytes spliced between them.
 *
 * Theory of operation: an opening segment that came by net/outlet-rules.h is kept, and a socket of the host connected to where it goes. Only
 * when that has succeeded is the segment written back into the tap, so that the container's connection is made to a listener of ours in its
 * own namespace; the two sockets then are a connection of the relay's (net/port-relay.h). A refusal is answered with a reset, a host or network out
 * of reach with an ICMP error, so that connect(2) inside tells what it would tell outside. Segments that are sent again meanwhile change nothing. */
#pragma once

#include "net/frame-filter.h"
#include "net/outlet-rules.h"
#include "net/port-source.h"

typedef struct OutletOps {
        void (*send_frame)(void *context, const uint8_t *frame, size_t size); /* to the container */
        int (*join)(void *context, int inside_fd, int host_fd);               /* takes both over, also on failure */
        bool (*has_room)(void *context, size_t n_dials);                      /* for one more, beside so many on their way */
        void *context;
} OutletOps;

typedef struct Outlet Outlet;

/* Takes the sockets over. `source4` and `source6` are the addresses that connections leave from; NULL: the host decides. All is borrowed. */
int outlet_new(const NetAddresses *addresses, const struct sockaddr_in *source4, const struct sockaddr_in6 *source6, const OutletOps *ops,
               OutletSockets *sockets, Outlet **ret);
Outlet *outlet_free(Outlet *outlet);

/* Whether a frame that frame_check() has passed is an opening segment for here. Then it has been dealt with. */
bool outlet_take(Outlet *outlet, const FrameInfo *info, const uint8_t *frame, size_t size);

/* Readable when outlet_run() has something to do. */
int outlet_fd(const Outlet *outlet);
void outlet_run(Outlet *outlet);

/* Connections on their way: each has a descriptor, which the relay does not know of yet. */
size_t outlet_count(const Outlet *outlet);

/* Milliseconds until outlet_run() should be called in any case, whatever else there is to do; -1: never. */
int outlet_timeout(const Outlet *outlet);
