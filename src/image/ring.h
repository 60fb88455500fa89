/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that two processes share, one after the other: the first fills them, the second takes them out.
 *
 * Theory of operation. The memory is shared by fork(2). There are two lanes of buffers: what was decompressed, and what came in
 * before that, which the second process hashes so that the first, who has the most to do, need not. Two numbers for each lane, in the
 * same memory, say how many buffers were filled and how many were taken out. Who finds nothing to do says so there, and sleeps on a
 * socket between the two; the other one wakes it when half of the lane is ready, at the end, or before it sleeps itself: a wake-up
 * costs as much as hashing some KiB. Who waits sees at once that the other has ended.
 *
 * What was decompressed is copied before anything looks at it: the filling process, which has read a stranger's bytes, can change its
 * memory at any moment, but not what was hashed. What came in is only hashed, where it lies: who can change it there could as well
 * have decompressed something else. Neither side believes a number of the other beyond what can be. */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum { RING_BUFFER_SIZE = 256 * 1024, RING_INPUT_SIZE = 128 * 1024 };

typedef enum RingLane {
        RING_OUTPUT, /* buffers of RING_BUFFER_SIZE */
        RING_INPUT,  /* of RING_INPUT_SIZE */
        RING_LANES,
} RingLane;

typedef struct Ring {
        uint8_t *memory;
        int socket;
        uint32_t done[RING_LANES]; /* buffers filled, or taken out, by this side */
        bool ended;                /* of the taking side: the other has said so */
        int fault;                 /* what it said */
} Ring;

#define RING_NULL ((Ring){ .socket = -EBADF })

/* Makes both ends, for a fork(2) to part: each side calls ring_done() for the other's. The memory is theirs together. */
int ring_make(Ring *ret_filler, Ring *ret_taker, Error *reterr);

/* Closes the socket, and unmaps the memory where `unmap`. */
void ring_done(Ring *ring, bool unmap);

/* The filling side: waits for a free buffer of the lane (borrowed), and hands it over. -EPIPE: nobody takes. */
int ring_buffer(Ring *ring, RingLane lane, uint8_t **ret);
int ring_put(Ring *ring, RingLane lane, size_t size);

/* The filling side has no more: 0, or the -errno that was in its way. */
int ring_end(Ring *ring, int fault);

/* The taking side: the next buffer that was handed over, in the order of its lane (*ret is where it lies: copy it, or hash it, and
 * nothing else), as 1, its lane and its size; ring_give_back() when done with it. Or 0 at the end, with what ring_end() was given.
 * -EPIPE: the other side died. */
int ring_take(Ring *ring, RingLane *ret_lane, const uint8_t **ret, size_t *ret_size, int *ret_fault);
void ring_give_back(Ring *ring, RingLane lane);
