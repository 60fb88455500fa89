/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/test.h"

/* The pipe is at its end once nobody has its other end: neither the process in between nor its child. */
TEST(a_bound_child_goes_with_its_parent) {
        int pair[2];
        char byte;

        CHECK(pipe2(pair, O_CLOEXEC) == 0);
        _cleanup_fd_ int ours = pair[0];
        pid_t between = fork();
        CHECK(between >= 0);
        if (between == 0) {
                pid_t child = process_fork_bound(SIGKILL);

                if (child == 0) {
                        CHECK(write(pair[1], "x", 1) == 1);
                        for (;;)
                                (void) pause();
                }
                CHECK(read(ours, &byte, 1) == 1); /* it is there */
                _exit(child < 0);
        }
        (void) fd_close(pair[1]);
        CHECK_INT(process_reap(between), 0);
        CHECK_INT((int) RETRY_EINTR(read(ours, &byte, 1)), 0);
}
