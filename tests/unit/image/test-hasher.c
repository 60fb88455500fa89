/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing in a process of its own. */
#include "image/hasher.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/test.h"
#include "image/sha256.h"

/* More than all buffers together, so that some are used again; the last is not full. */
TEST(what_is_hashed_apart_has_the_same_digest) {
        char digest[DIGEST_LENGTH + 1], wanted[DIGEST_LENGTH + 1];
        _cleanup_sha256_ Sha256 *hash = sha256_new();
        Ring ring = RING_NULL;
        uint8_t *buffer;

        CHECK(hash);
        CHECK_INT(hasher_start(&ring, NULL), 0);
        for (unsigned i = 0; i < 40; i++) {
                const size_t size = i < 39 ? RING_BUFFER_SIZE : 1000;

                CHECK_INT(ring_buffer(&ring, RING_OUTPUT, &buffer), 0);
                memset(buffer, (int) i, size);
                CHECK_INT(ring_put(&ring, RING_OUTPUT, size), 0);
                sha256_update(hash, buffer, size); /* it may still be read */
        }
        CHECK_INT(hasher_finish(&ring, digest, NULL), 0);
        sha256_finish(hash, wanted);
        CHECK_STR(digest, wanted);
        ring_done(&ring, /* unmap= */ true);
}

TEST(nothing_has_a_digest_too) {
        char digest[DIGEST_LENGTH + 1];
        Ring ring = RING_NULL;

        CHECK_INT(hasher_start(&ring, NULL), 0);
        CHECK_INT(hasher_finish(&ring, digest, NULL), 0);
        CHECK_STR(digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        ring_done(&ring, /* unmap= */ true);
}

/* Numbers that cannot be make it give up, as a kill would. */
TEST(the_death_of_the_hashing_process_is_an_error) {
        char digest[DIGEST_LENGTH + 1];
        _cleanup_error_ Error error = ERROR_NULL;
        Ring ring = RING_NULL;
        uint8_t *buffer;

        (void) signal(SIGPIPE, SIG_IGN);
        CHECK_INT(hasher_start(&ring, NULL), 0);
        memset(ring.memory, 0x55, 8); /* so many were filled */
        CHECK(send(ring.socket, "x", 1, MSG_NOSIGNAL) == 1);
        CHECK_INT(ring_buffer(&ring, RING_OUTPUT, &buffer), 0);
        CHECK_INT(hasher_finish(&ring, digest, &error), -EPIPE);
        CHECK(error.message && strstr(error.message, "hashes"));
        ring_done(&ring, /* unmap= */ true);
}
