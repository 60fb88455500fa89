/* SPDX-License-Identifier: Apache-2.0 */
/* Doing something inside other namespaces.
 *
 * Theory of operation: nobody comes back from a user namespace, so it is a process of its own that goes there; it shares
 * memory and descriptors with the caller, which stands still meanwhile (clone(2), CLONE_VM and CLONE_VFORK). So it costs no
 * copy of the address space, and what it opens and finds is the caller's at once. The user owns the namespaces and keeps its
 * IDs, so the kernel leaves the shared memory dumpable (see ns/pinned.c). */
#pragma once

#include "base/error.h"

/* Runs `function` as root of the user namespace (-EBADF: without one) in the network namespace (-EBADF: the caller's), and
 * gives what it returns, 0 or more or -errno with its error. It may enter further namespaces and start programs. The caller
 * has a single thread. */
int ns_visit(int userns_fd, int netns_fd, int (*function)(void *data, Error *reterr), void *data, Error *reterr);
