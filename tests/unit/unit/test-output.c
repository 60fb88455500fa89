/* SPDX-License-Identifier: Apache-2.0 */
/* Links that a generator makes: inside their directory, again and again, beside another generator. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "base/test.h"
#include "unit/output.h"

static char root[64];

static int open_root(void) {
        (void) snprintf(root, sizeof(root), "/tmp/sdpod-test-XXXXXX");
        CHECK(mkdtemp(root));
        int fd = open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0);
        return fd;
}

static void close_root(int fd) {
        (void) close(fd);
        CHECK_INT(path_remove_tree(AT_FDCWD, root), 0);
}

static const char *target(int fd, const char *path) {
        static char buffer[256];
        ssize_t n = readlinkat(fd, path, buffer, sizeof(buffer) - 1);

        buffer[n < 0 ? 0 : n] = '\0';
        return buffer;
}

TEST(links_are_made_and_replaced) {
        int fd = open_root();

        CHECK_INT(unit_output_link(fd, "a.service", "b.service"), 0);
        CHECK_INT(unit_output_link(fd, "x.wants/a.service", "../b.service"), 0);
        CHECK_INT(unit_output_link(fd, "x.wants/a.service", "../b.service"), 0);
        CHECK_INT(unit_output_link(fd, "x.wants/a.service", "../c.service"), 0);
        CHECK_STR(target(fd, "a.service"), "b.service");
        CHECK_STR(target(fd, "x.wants/a.service"), "../c.service");
        close_root(fd);
}

TEST(links_never_leave_the_directory) {
        int fd = open_root();

        CHECK_INT(unit_output_link(fd, "../x", "y"), -EINVAL);
        CHECK_INT(unit_output_link(fd, "a/../../x", "y"), -EINVAL);
        CHECK_INT(unit_output_link(fd, "/x", "y"), -EINVAL);
        CHECK_INT(unit_output_link(fd, "a//x", "y"), -EINVAL);
        CHECK_INT(symlinkat("/tmp", fd, "out"), 0);
        CHECK(unit_output_link(fd, "out/x", "y") < 0);
        close_root(fd);
}

TEST(files_are_not_replaced_by_links) {
        int fd = open_root(), file = openat(fd, "a.service", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

        CHECK(file >= 0);
        (void) close(file);
        CHECK_INT(unit_output_link(fd, "a.service", "b.service"), -EEXIST);
        close_root(fd);
}

TEST(two_generators_at_once_end_with_the_same_links) {
        int fd = open_root(), status = 0;
        pid_t pid = fork();

        for (int i = 0; i < 200; i++) {
                char path[64], to[64];

                (void) snprintf(path, sizeof(path), "d%d.wants/x.service", i % 20);
                (void) snprintf(to, sizeof(to), "../y%d.service", i / 20);
                int r = unit_output_link(fd, path, to);
                if (pid == 0 && r < 0)
                        _exit(1);
                if (r < 0)
                        CHECK_INT(r, 0);
        }
        if (pid == 0)
                _exit(0);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK_STR(target(fd, "d7.wants/x.service"), "../y9.service");
        close_root(fd);
}
