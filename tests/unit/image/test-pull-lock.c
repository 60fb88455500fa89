/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "image/pull-lock.h"

#define HEX "aa00000000000000000000000000000000000000000000000000000000000000"

static void make_store(Store *ret) {
        char name[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(name));
        CHECK_INT(store_open(name, name, ret, NULL), 0);
}

static bool is_over(const PullWait *wait, int timeout) {
        struct pollfd fd = { .fd = wait->pipe_fd, .events = POLLIN };

        return poll(&fd, 1, timeout) == 1;
}

TEST(one_fetches_and_the_others_wait) {
        _cleanup_store_ Store store = STORE_NULL;
        PullWait wait = PULL_WAIT_NULL;
        int ours, theirs;

        make_store(&store);
        _cleanup_fd_ int dir = pull_lock_open(&store, NULL);
        CHECK(dir >= 0);
        CHECK(!pull_lock_is_held(&store, HEX));
        CHECK_INT(pull_lock_try(dir, HEX, &ours, NULL), PULL_LOCK_OURS);
        CHECK(pull_lock_is_held(&store, HEX));
        CHECK_INT(pull_lock_try(dir, HEX, &theirs, NULL), PULL_LOCK_BUSY);
        CHECK_INT(pull_wait_start(dir, HEX, PULL_LOCK_SHARED, &wait, NULL), 0);
        CHECK(!is_over(&wait, 50));
        CHECK_INT(pull_lock_share(ours), 0);
        CHECK(is_over(&wait, 10000));
        /* the lock that was waited for is held by us, not by the child that waited */
        (void) fd_close(ours);
        CHECK(pull_lock_is_held(&store, HEX));
        CHECK_INT(pull_lock_try(dir, HEX, &theirs, NULL), PULL_LOCK_SHARED);
        (void) fd_close(theirs);
        pull_wait_done(&wait);
        CHECK(!pull_lock_is_held(&store, HEX));
}

TEST(a_killed_holder_has_no_lock) {
        _cleanup_store_ Store store = STORE_NULL;
        PullWait wait = PULL_WAIT_NULL;
        int pair[2], fd;
        char byte;

        make_store(&store);
        _cleanup_fd_ int dir = pull_lock_open(&store, NULL);
        CHECK(pipe(pair) == 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (pull_lock_try(dir, HEX, &fd, NULL) == PULL_LOCK_OURS && write(pair[1], "", 1) == 1)
                        (void) pause();
                _exit(1);
        }
        CHECK_INT(read(pair[0], &byte, 1), 1);
        CHECK_INT(pull_wait_start(dir, HEX, PULL_LOCK_OURS, &wait, NULL), 0);
        CHECK(!is_over(&wait, 50));
        CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
        CHECK(is_over(&wait, 10000));
        CHECK(pull_lock_is_held(&store, HEX));
        pull_wait_done(&wait);
        CHECK_INT(pull_lock_try(dir, HEX, &fd, NULL), PULL_LOCK_OURS);
        (void) fd_close(fd);
        (void) close(pair[0]);
        (void) close(pair[1]);
}

TEST(files_that_nobody_locks_go) {
        _cleanup_store_ Store store = STORE_NULL;
        int fd;

        make_store(&store);
        _cleanup_fd_ int dir = pull_lock_open(&store, NULL), again = -EBADF;
        CHECK_INT(pull_lock_try(dir, HEX, &fd, NULL), PULL_LOCK_OURS);
        again = pull_lock_open(&store, NULL);
        CHECK(faccessat(dir, HEX, F_OK, 0) == 0);
        (void) fd_close(fd);
        again = fd_close(again);
        again = pull_lock_open(&store, NULL);
        CHECK(faccessat(dir, HEX, F_OK, 0) < 0);
}
