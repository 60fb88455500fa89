/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that asks sdpod-bypass about connections (net/bypass-loop.h), below the container's own.
 *
 * Theory of operation. connect(2), bind(2) and listen(2) wait for the answer of who holds the listener
 * (seccomp_unotify(2)). What would let a socket of the host send before a connection is answered, TCP Fast Open (its flag in
 * send calls, its socket options), is refused with the words of a kernel where it is switched off; so is io_uring, whose calls
 * no filter sees, and the call of i386 in which the others hide. All these are judged by registers, which nobody can change
 * meanwhile. Where the wall is Landlock, it stands before the filter. The filter says nothing about the rest: the container's own profile is loaded after it. */
#pragma once

#include "base/error.h"
#include "net/bypass-wall.h"

/* Whether there is one for this machine's architecture. */
bool seccomp_bypass_is_known(void) _pure_;

/* Puts the filter into force on this thread for good, and sends its listener and a routing socket (rtnetlink(7)) of this
 * network namespace over `sync_fd` (seccomp_bypass_receive()). No allocation. Needs what seccomp_filter_load() needs.
 * -EBUSY: there is a listener above us already, and the kernel takes one (we run in such a container). */
int seccomp_bypass_load(int sync_fd, BypassWall wall);

/* Receives them. Both are the caller's. */
int seccomp_bypass_receive(int sync_fd, int *ret_listener, int *ret_route, Error *reterr);
