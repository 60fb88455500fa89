/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers shared by two processes. */
#include "image/ring.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

enum { OUTPUT_BUFFERS = 4, INPUT_BUFFERS = 4, OUTPUT_SIZE = OUTPUT_BUFFERS * RING_BUFFER_SIZE,
       MEMORY_SIZE = OUTPUT_SIZE + INPUT_BUFFERS * RING_INPUT_SIZE };

static const struct {
        unsigned n;
        uint32_t size;
        size_t offset; /* in the memory */
} lanes[RING_LANES] = {
        [RING_OUTPUT] = { OUTPUT_BUFFERS, RING_BUFFER_SIZE, 0 },
        [RING_INPUT] = { INPUT_BUFFERS, RING_INPUT_SIZE, OUTPUT_SIZE },
};

/* From the filling side: a buffer of so many bytes; the end, where it is 0. Back goes one byte for each buffer, its lane. */
typedef struct Token {
        uint32_t size;
        uint32_t lane;
        int32_t fault; /* at the end */
} Token;

int ring_make(Ring *ret_filler, Ring *ret_taker, Error *reterr) {
        int pair[2];
        void *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
                return error_oom(reterr);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot start a worker");

                (void) munmap(memory, MEMORY_SIZE);
                return r;
        }
        *ret_filler = (Ring){ .memory = memory, .socket = pair[0] };
        *ret_taker = (Ring){ .memory = memory, .socket = pair[1] };
        for (RingLane lane = 0; lane < RING_LANES; lane++)
                ret_filler->lanes[lane].n_free = lanes[lane].n;
        return 0;
}

void ring_done(Ring *ring, bool unmap) {
        (void) fd_close(ring->socket);
        if (unmap && ring->memory)
                (void) munmap(ring->memory, MEMORY_SIZE);
        *ring = RING_NULL;
}

static uint8_t *next_buffer(const Ring *ring, RingLane lane) {
        return ring->memory + lanes[lane].offset + (size_t) ring->lanes[lane].next * lanes[lane].size;
}

static void advance(Ring *ring, RingLane lane) {
        ring->lanes[lane].next = (ring->lanes[lane].next + 1) % lanes[lane].n;
}

int ring_buffer(Ring *ring, RingLane lane, uint8_t **ret) {
        /* a read(2) takes a single message of the socket */
        while (ring->lanes[lane].n_free == 0) {
                uint8_t back;
                ssize_t n = RETRY_EINTR(read(ring->socket, &back, sizeof(back)));

                if (n <= 0)
                        return n < 0 ? -errno : -EPIPE;
                if (back >= RING_LANES || ring->lanes[back].n_free == lanes[back].n)
                        return -EPIPE;
                ring->lanes[back].n_free++;
        }
        *ret = next_buffer(ring, lane);
        return 0;
}

int ring_put(Ring *ring, RingLane lane, size_t size) {
        const Token token = { .size = (uint32_t) size, .lane = lane };

        assert(size > 0 && size <= lanes[lane].size && ring->lanes[lane].n_free > 0);
        advance(ring, lane);
        ring->lanes[lane].n_free--;
        return RETRY_EINTR(send(ring->socket, &token, sizeof(token), MSG_NOSIGNAL)) == sizeof(token) ? 0 : -errno;
}

int ring_end(Ring *ring, int fault) {
        const Token token = { .fault = fault };

        return RETRY_EINTR(send(ring->socket, &token, sizeof(token), MSG_NOSIGNAL)) == sizeof(token) ? 0 : -errno;
}

int ring_take(Ring *ring, RingLane *ret_lane, const uint8_t **ret, size_t *ret_size, int *ret_fault) {
        Token token = {};

        ssize_t n = RETRY_EINTR(read(ring->socket, &token, sizeof(token)));
        /* who fills has ended without listening to all that came back; what it said before is there all the same (unix(7)) */
        if (n < 0 && errno == ECONNRESET)
                n = RETRY_EINTR(read(ring->socket, &token, sizeof(token)));
        if (n < 0)
                return -errno;
        if (n == sizeof(token) && token.size == 0) {
                *ret_fault = token.fault;
                return 0;
        }
        if (n != sizeof(token) || token.lane >= RING_LANES || token.size > lanes[token.lane].size)
                return -EPIPE;
        *ret_lane = (RingLane) token.lane;
        *ret = next_buffer(ring, *ret_lane);
        *ret_size = token.size;
        return 1;
}

void ring_give_back(Ring *ring, RingLane lane) {
        const uint8_t byte = (uint8_t) lane;

        advance(ring, lane);
        /* who fills may have ended already, with this buffer as its last */
        (void) RETRY_EINTR(send(ring->socket, &byte, sizeof(byte), MSG_NOSIGNAL));
}
