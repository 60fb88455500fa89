/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers shared by two processes. */
#include "image/ring.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

enum { END_SIZE = 256 };

/* From the filling side: a buffer of so many bytes; the end, where it is 0. Back goes one byte for each buffer. */
typedef struct Token {
        uint32_t size;
        uint8_t end[END_SIZE];
} Token;

int ring_make(Ring *ret_filler, Ring *ret_taker, Error *reterr) {
        int pair[2];
        void *memory = mmap(NULL, (size_t) RING_BUFFERS * RING_BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
                return error_oom(reterr);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot start a worker");

                (void) munmap(memory, (size_t) RING_BUFFERS * RING_BUFFER_SIZE);
                return r;
        }
        *ret_filler = (Ring){ .memory = memory, .socket = pair[0], .n_free = RING_BUFFERS };
        *ret_taker = (Ring){ .memory = memory, .socket = pair[1] };
        return 0;
}

void ring_done(Ring *ring, bool unmap) {
        (void) fd_close(ring->socket);
        if (unmap && ring->memory)
                (void) munmap(ring->memory, (size_t) RING_BUFFERS * RING_BUFFER_SIZE);
        *ring = RING_NULL;
}

int ring_buffer(Ring *ring, uint8_t **ret) {
        uint8_t back[RING_BUFFERS];

        /* a read(2) takes a single message of the socket, so one byte */
        while (ring->n_free == 0) {
                ssize_t n = RETRY_EINTR(read(ring->socket, back, sizeof(back)));

                if (n <= 0)
                        return n < 0 ? -errno : -EPIPE;
                ring->n_free++;
        }
        *ret = ring->memory + (size_t) ring->next * RING_BUFFER_SIZE;
        return 0;
}

int ring_put(Ring *ring, size_t size) {
        const uint32_t token = (uint32_t) size;

        assert(size > 0 && size <= RING_BUFFER_SIZE && ring->n_free > 0);
        ring->next = (ring->next + 1) % RING_BUFFERS;
        ring->n_free--;
        return RETRY_EINTR(send(ring->socket, &token, sizeof(token), MSG_NOSIGNAL)) == sizeof(token) ? 0 : -errno;
}

int ring_end(Ring *ring, const void *data, size_t size) {
        Token token = {};

        assert(size <= sizeof(token.end));
        memcpy(token.end, data, size);
        return RETRY_EINTR(send(ring->socket, &token, sizeof(token), MSG_NOSIGNAL)) == sizeof(token) ? 0 : -errno;
}

int ring_take(Ring *ring, uint8_t *data, size_t *ret_size, void *end, size_t end_size) {
        Token token = {};

        ssize_t n = RETRY_EINTR(read(ring->socket, &token, sizeof(token)));
        /* who fills has ended without listening to all that came back; what it said before is there all the same (unix(7)) */
        if (n < 0 && errno == ECONNRESET)
                n = RETRY_EINTR(read(ring->socket, &token, sizeof(token)));
        if (n < 0)
                return -errno;
        if (n == sizeof(token) && token.size == 0) {
                memcpy(end, token.end, MIN(end_size, sizeof(token.end)));
                return 0;
        }
        if (n != sizeof(token.size) || token.size == 0 || token.size > RING_BUFFER_SIZE)
                return -EPIPE;
        memcpy(data, ring->memory + (size_t) ring->next * RING_BUFFER_SIZE, token.size);
        *ret_size = token.size;
        ring->next = (ring->next + 1) % RING_BUFFERS;
        /* who fills may have ended already, with this buffer as its last */
        (void) RETRY_EINTR(send(ring->socket, "", 1, MSG_NOSIGNAL));
        return 1;
}
