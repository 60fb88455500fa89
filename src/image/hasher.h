/* SPDX-License-Identifier: Apache-2.0 */
/* A process that hashes what its parent reads, on another processor, while the parent does something else with it.
 *
 * Theory of operation. The parent fills the buffers of a ring (ring.h) and goes on reading the last one that it has handed over: the
 * hashing side changes nothing, and the parent itself is the only one that fills. So both see the same bytes, and nobody else has
 * that memory. */
#pragma once

#include "image/ring.h"
#include "spec/digest.h"

/* Starts it as a child that ends with the caller, with a sandbox that leaves nothing but memory and the ring's socket. `ret` is the
 * filling side; after hasher_finish(), or instead of it, ring_done(). */
int hasher_start(Ring *ret, Error *reterr);

/* The digest of all that went through RING_OUTPUT. -EPIPE: the process has died. */
int hasher_finish(Ring *ring, char ret[static DIGEST_LENGTH + 1], Error *reterr);
