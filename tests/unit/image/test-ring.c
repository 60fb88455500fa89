/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers between two processes. */
#include "image/ring.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

enum { ROUNDS = 300, FAULT = -EBADMSG };

/* In every round one buffer of output, and of the input now and then several: either lane is full at times, and empty. */
static unsigned n_input(unsigned round) {
        return round % 7 == 0 ? 6 : round % 3 == 0;
}

static int fill(Ring *ring, RingLane lane, uint8_t value, size_t size) {
        uint8_t *buffer;
        int r = ring_buffer(ring, lane, &buffer);

        if (r < 0)
                return r;
        memset(buffer, value, size);
        return ring_put(ring, lane, size);
}

static int fill_all(Ring *ring, int fault) {
        uint8_t input = 0;
        int r = 0;

        for (unsigned round = 0; round < ROUNDS && r >= 0; round++) {
                for (unsigned i = 0; i < n_input(round) && r >= 0; i++)
                        r = fill(ring, RING_INPUT, input++, RING_INPUT_SIZE - round);
                if (r >= 0)
                        r = fill(ring, RING_OUTPUT, (uint8_t) round, RING_BUFFER_SIZE - round);
        }
        return r < 0 ? r : ring_end(ring, fault);
}

/* Starts a child with the filling side. */
static pid_t start_filler(Ring *ret_taker, int fault) {
        Ring filler;

        CHECK_INT(ring_make(&filler, ret_taker, NULL), 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                ring_done(ret_taker, /* unmap= */ false);
                _exit(fill_all(&filler, fault) < 0);
        }
        ring_done(&filler, /* unmap= */ false);
        return pid;
}

static int end_of(pid_t pid) {
        int status = -1;

        CHECK(waitpid(pid, &status, 0) == pid);
        return status;
}

static void take_all(int fault) {
        unsigned n[RING_LANES] = {}, wanted = 0;
        const uint8_t *buffer;
        int said = 1, r;
        RingLane lane;
        size_t size;
        Ring ring;

        pid_t pid = start_filler(&ring, fault);
        while ((r = ring_take(&ring, &lane, &buffer, &size, &said)) > 0) {
                CHECK_INT(buffer[0], (uint8_t) n[lane]);
                CHECK_INT(buffer[size - 1], (uint8_t) n[lane]);
                if (lane == RING_OUTPUT)
                        CHECK(size == RING_BUFFER_SIZE - n[lane]);
                n[lane]++;
                ring_give_back(&ring, lane);
        }
        CHECK_INT(r, 0);
        CHECK_INT(said, fault);
        for (unsigned round = 0; round < ROUNDS; round++)
                wanted += n_input(round);
        CHECK_INT(n[RING_OUTPUT], ROUNDS);
        CHECK_INT(n[RING_INPUT], wanted);
        CHECK_INT(end_of(pid), 0);
        ring_done(&ring, /* unmap= */ true);
}

TEST(all_buffers_arrive_in_the_order_of_their_lane) {
        take_all(0);
}

TEST(a_fault_comes_after_all_buffers) {
        take_all(FAULT);
}

TEST(who_waits_hears_of_the_death_of_the_other) {
        const uint8_t *buffer;
        RingLane lane;
        size_t size;
        Ring ring;
        int fault;

        (void) signal(SIGPIPE, SIG_IGN);
        pid_t pid = start_filler(&ring, 0);
        CHECK_INT(ring_take(&ring, &lane, &buffer, &size, &fault), 1);
        ring_done(&ring, /* unmap= */ true); /* nobody takes any more */
        CHECK_INT(WEXITSTATUS(end_of(pid)), 1);

        pid = start_filler(&ring, 0);
        CHECK_INT(ring_take(&ring, &lane, &buffer, &size, &fault), 1);
        CHECK(kill(pid, SIGKILL) == 0);
        CHECK(WIFSIGNALED(end_of(pid)));
        for (unsigned i = 0; i < ROUNDS && ring_take(&ring, &lane, &buffer, &size, &fault) > 0; i++)
                ring_give_back(&ring, lane);
        CHECK_INT(ring_take(&ring, &lane, &buffer, &size, &fault), -EPIPE);
        ring_done(&ring, /* unmap= */ true);
}

/* The memory is the other side's, too. */
TEST(numbers_that_cannot_be_are_refused) {
        Ring filler, taker;
        const uint8_t *buffer;
        RingLane lane;
        size_t size;
        int fault;

        CHECK_INT(ring_make(&filler, &taker, NULL), 0);
        CHECK_INT(fill(&filler, RING_OUTPUT, 1, 1), 0);
        memset(filler.memory, 0xff, 4096); /* more filled than there are, and sizes beyond all buffers */
        CHECK_INT(ring_take(&taker, &lane, &buffer, &size, &fault), -EPIPE);
        memset(filler.memory, 0, 4096);
        memset(filler.memory, 1, 1); /* one, of no bytes */
        CHECK_INT(ring_take(&taker, &lane, &buffer, &size, &fault), -EPIPE);
        ring_done(&taker, /* unmap= */ false);
        ring_done(&filler, /* unmap= */ true);
}
