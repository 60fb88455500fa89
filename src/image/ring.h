/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that two processes share, one after the other: the first fills them, the second takes them out.
 *
 * Theory of operation. The memory is shared by fork(2); a socket between the two says how many bytes the next buffer has,
 * and, in the other direction, that a buffer is free again. Either side sees at once that the other has ended. What is taken
 * out is copied before anything looks at it: the filling process, which has read a stranger's bytes, can change its memory
 * at any moment, but not what was hashed. */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum { RING_BUFFERS = 8, RING_BUFFER_SIZE = 256 * 1024 };

typedef struct Ring {
        uint8_t *memory;
        int socket;
        unsigned next;   /* the buffer whose turn it is */
        unsigned n_free; /* of the filling side */
} Ring;

#define RING_NULL ((Ring){ .socket = -EBADF })

/* Makes both ends, for a fork(2) to part: each side calls ring_done() for the other's. The memory is theirs together. */
int ring_make(Ring *ret_filler, Ring *ret_taker, Error *reterr);

/* Closes the socket, and unmaps the memory where `unmap`. */
void ring_done(Ring *ring, bool unmap);

/* The filling side: waits for a free buffer (RING_BUFFER_SIZE bytes; borrowed), and hands it over. -EPIPE: nobody takes. */
int ring_buffer(Ring *ring, uint8_t **ret);
int ring_put(Ring *ring, size_t size);

/* The filling side has no more, and says so with `size` bytes of its own (at most 256). */
int ring_end(Ring *ring, const void *data, size_t size);

/* The taking side: copies the next buffer to `data`, which has room for RING_BUFFER_SIZE: 1 and its size. Or 0 at the end, with
 * `size` bytes of what ring_end() was given in `end`. -EPIPE: the other side died. */
int ring_take(Ring *ring, uint8_t *data, size_t *ret_size, void *end, size_t end_size);
