/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers shared by two processes. */
#include "image/ring.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

enum { OUTPUT_BUFFERS = 4, INPUT_BUFFERS = 4, BUFFERS_MAX = 4, STATE_SIZE = 4096, INPUT_OFFSET = STATE_SIZE + OUTPUT_BUFFERS * RING_BUFFER_SIZE,
       MEMORY_SIZE = INPUT_OFFSET + INPUT_BUFFERS * RING_INPUT_SIZE, CACHE_LINE = 64 };

static const struct {
        unsigned n;
        uint32_t size;
        size_t offset; /* in the memory */
} lanes[RING_LANES] = {
        [RING_OUTPUT] = { OUTPUT_BUFFERS, RING_BUFFER_SIZE, STATE_SIZE },
        [RING_INPUT] = { INPUT_BUFFERS, RING_INPUT_SIZE, INPUT_OFFSET },
};

/* What one side writes and the other reads, in lines of the cache of their own: the first page. */
typedef struct Side {
        _Alignas(CACHE_LINE) uint32_t done[RING_LANES]; /* buffers filled, or taken out */
        uint32_t sleeps;                                /* on the socket; the filling side: 1 + the lane that it waits for */
} Side;

typedef struct State {
        Side filler, taker;
        uint32_t sizes[RING_LANES][BUFFERS_MAX];
} State;

_Static_assert(sizeof(State) <= STATE_SIZE, "the state has a page");

/* On the socket: one byte wakes the other side; this is the end of what the filling side has. */
typedef struct End {
        int32_t fault, reserved;
} End;

static State *state(const Ring *ring) {
        return (State *) (void *) ring->memory;
}

/* All of one order: each side writes what it did and then looks whether the other sleeps, and the other way round. */
static uint32_t load(const uint32_t *number) {
        return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void store(uint32_t *number, uint32_t value) {
        __atomic_store_n(number, value, __ATOMIC_SEQ_CST);
}

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
        return 0;
}

void ring_done(Ring *ring, bool unmap) {
        (void) fd_close(ring->socket);
        if (unmap && ring->memory)
                (void) munmap(ring->memory, MEMORY_SIZE);
        *ring = RING_NULL;
}

/* Buffers of a lane that are filled and not taken out: from the own number, and the other side's, which may be anything. */
static int n_filled(uint32_t filled, uint32_t taken, RingLane lane) {
        return filled - taken <= lanes[lane].n ? (int) (filled - taken) : -EPIPE;
}

static uint8_t *buffer(const Ring *ring, RingLane lane) {
        return ring->memory + lanes[lane].offset + (size_t) (ring->done[lane] % lanes[lane].n) * lanes[lane].size;
}

/* Only one message for each sleep; where the socket has no room, there are some already. */
static void wake(const Ring *ring, uint32_t *sleeps) {
        if (load(sleeps) != 0 && __atomic_exchange_n(sleeps, 0, __ATOMIC_SEQ_CST) != 0)
                (void) RETRY_EINTR(send(ring->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
}

int ring_buffer(Ring *ring, RingLane lane, uint8_t **ret) {
        Side *own = &state(ring)->filler, *other = &state(ring)->taker;
        uint8_t byte;
        int n;

        while ((n = n_filled(ring->done[lane], load(&other->done[lane]), lane)) == (int) lanes[lane].n) {
                store(&own->sleeps, 1U + lane);
                wake(ring, &other->sleeps);
                if (n_filled(ring->done[lane], load(&other->done[lane]), lane) != n) {
                        store(&own->sleeps, 0);
                        continue;
                }
                ssize_t k = RETRY_EINTR(read(ring->socket, &byte, sizeof(byte)));
                store(&own->sleeps, 0);
                if (k <= 0)
                        return k < 0 ? -errno : -EPIPE;
        }
        *ret = buffer(ring, lane);
        return MIN(n, 0);
}

int ring_put(Ring *ring, RingLane lane, size_t size) {
        State *shared = state(ring);

        assert(size > 0 && size <= lanes[lane].size);
        shared->sizes[lane][ring->done[lane] % lanes[lane].n] = (uint32_t) size;
        store(&shared->filler.done[lane], ++ring->done[lane]);
        if (n_filled(ring->done[lane], load(&shared->taker.done[lane]), lane) >= (int) lanes[lane].n / 2)
                wake(ring, &shared->taker.sleeps);
        return 0;
}

int ring_end(Ring *ring, int fault) {
        const End end = { .fault = fault };

        return RETRY_EINTR(send(ring->socket, &end, sizeof(end), MSG_NOSIGNAL)) == sizeof(end) ? 0 : -errno;
}

/* The lane that has something, what came in before the rest: it is taken out the fastest. RING_LANES: none has. */
static int ready_lane(const Ring *ring) {
        static const RingLane order[] = { RING_INPUT, RING_OUTPUT };
        const State *shared = state(ring);

        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                int n = n_filled(load(&shared->filler.done[order[i]]), ring->done[order[i]], order[i]);

                if (n != 0)
                        return n < 0 ? n : (int) order[i];
        }
        return RING_LANES;
}

/* Until the other side has filled something, or said that it will not. */
static int sleep_for_filler(Ring *ring) {
        State *shared = state(ring);
        union {
                End end;
                char byte;
        } message;

        store(&shared->taker.sleeps, 1);
        wake(ring, &shared->filler.sleeps); /* all is free */
        if (ready_lane(ring) != RING_LANES) {
                store(&shared->taker.sleeps, 0);
                return 0;
        }
        ssize_t n = RETRY_EINTR(read(ring->socket, &message, sizeof(message)));
        /* who fills has ended without listening to all that came back; what it said before is there all the same (unix(7)) */
        if (n < 0 && errno == ECONNRESET)
                n = RETRY_EINTR(read(ring->socket, &message, sizeof(message)));
        store(&shared->taker.sleeps, 0);
        if (n <= 0)
                return n < 0 ? -errno : -EPIPE;
        if (n == sizeof(message.end)) {
                ring->ended = true;
                ring->fault = message.end.fault;
        }
        return 0;
}

int ring_take(Ring *ring, RingLane *ret_lane, const uint8_t **ret, size_t *ret_size, int *ret_fault) {
        int r;

        while ((r = ready_lane(ring)) == RING_LANES) {
                if (ring->ended) {
                        *ret_fault = ring->fault;
                        return 0;
                }
                r = sleep_for_filler(ring);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        const RingLane lane = (RingLane) r;
        const uint32_t size = load(&state(ring)->sizes[lane][ring->done[lane] % lanes[lane].n]);
        if (size == 0 || size > lanes[lane].size)
                return -EPIPE;
        *ret_lane = lane;
        *ret = buffer(ring, lane);
        *ret_size = size;
        return 1;
}

void ring_give_back(Ring *ring, RingLane lane) {
        State *shared = state(ring);

        store(&shared->taker.done[lane], ++ring->done[lane]);
        uint32_t sleeps = load(&shared->filler.sleeps);
        if (sleeps == 1U + lane && n_filled(load(&shared->filler.done[lane]), ring->done[lane], lane) <= (int) lanes[lane].n / 2)
                wake(ring, &shared->filler.sleeps);
}
