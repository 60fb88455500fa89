/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/test.h"
#include "base/wire.h"

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

/* Two that stand in each other's place, one that is not there, and one that nobody asked for. */
TEST(descriptors_are_kept_in_their_order) {
        int pair[2], other[2];
        char byte = 0;

        CHECK(pipe2(pair, O_CLOEXEC) == 0 && pipe2(other, O_CLOEXEC) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                int first = pair[1], none = -EBADF, last = pair[0];
                int *const fds[] = { &first, &none, &last };

                CHECK_INT(fd_keep(fds, ELEMENTSOF(fds)), 0);
                CHECK_INT(first, 3);
                CHECK_INT(none, -EBADF);
                CHECK_INT(last, 5);
                CHECK(fcntl(4, F_GETFD) < 0 && fcntl(6, F_GETFD) < 0 && fcntl(other[0] + 4, F_GETFD) < 0);
                CHECK(fcntl(3, F_GETFD) == FD_CLOEXEC && fcntl(5, F_GETFD) == FD_CLOEXEC);
                CHECK(write(first, "x", 1) == 1 && read(last, &byte, 1) == 1 && byte == 'x');
                _exit(0);
        }
        CHECK_INT(process_reap(pid), 0);
        for (size_t i = 0; i < ELEMENTSOF(pair); i++) {
                (void) fd_close(pair[i]);
                (void) fd_close(other[i]);
        }
}

static int answer(const void *data, Error *reterr) {
        const char *path = data;

        if (!path)
                _exit(0);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open '%s'", path) : fd;
}

TEST(a_child_answers_with_a_descriptor) {
        _cleanup_error_ Error error = ERROR_NULL, silent = ERROR_NULL;
        struct stat own, there;

        _cleanup_fd_ int fd = wire_ask_fd(answer, "/etc/passwd", NULL);
        CHECK(fd >= 0 && fstat(fd, &there) == 0 && stat("/etc/passwd", &own) == 0);
        CHECK(own.st_ino == there.st_ino && own.st_dev == there.st_dev);
        CHECK_INT(wire_ask_fd(answer, "/nowhere", &error), -ENOENT);
        CHECK(error.message && strstr(error.message, "cannot open '/nowhere'"));
        CHECK_INT(wire_ask_fd(answer, NULL, &silent), -EPIPE);
}
