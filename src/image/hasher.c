/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing apart. */
#include "image/hasher.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "image/sandbox.h"
#include "image/sha256.h"

_noreturn_ static void hasher_main(Ring *ring) {
        _cleanup_sha256_ Sha256 *hash = sha256_new();
        char digest[DIGEST_LENGTH + 1];
        const uint8_t *buffer;
        RingLane lane;
        size_t size;
        int fault, r;

        if (!hash || fd_keep(&(int *){ &ring->socket }, 1) < 0 || sandbox_lock(&(SandboxLimits){}, /* reterr= */ NULL) < 0)
                _exit(1);
        while ((r = ring_take(ring, &lane, &buffer, &size, &fault)) > 0) {
                sha256_update(hash, buffer, size);
                ring_give_back(ring, lane);
        }
        if (r < 0)
                _exit(1);
        sha256_finish(hash, digest);
        _exit(RETRY_EINTR(send(ring->socket, digest, sizeof(digest), MSG_NOSIGNAL)) != sizeof(digest));
}

int hasher_start(Ring *ret, Error *reterr) {
        Ring filler, taker;
        int r = ring_make(&filler, &taker, reterr);

        if (r < 0)
                return r;
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid == 0)
                hasher_main(&taker);
        if (pid < 0)
                r = error_set_errno(reterr, -errno, "cannot start a worker");
        ring_done(&taker, /* unmap= */ pid < 0);
        if (r < 0) {
                ring_done(&filler, /* unmap= */ false);
                return r;
        }
        *ret = filler;
        return 0;
}

int hasher_finish(Ring *ring, char ret[static DIGEST_LENGTH + 1], Error *reterr) {
        ssize_t n;

        if (ring_end(ring, 0) >= 0)
                do /* what comes before it are buffers given back */
                        n = RETRY_EINTR(read(ring->socket, ret, DIGEST_LENGTH + 1));
                while (n > 0 && n < DIGEST_LENGTH + 1);
        else
                n = -1;
        if (n <= 0)
                return error_set(reterr, -EPIPE, ERROR_INTERNAL, "the process that hashes was killed");
        ret[DIGEST_LENGTH] = 0;
        return 0;
}
