/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "ns/pinned.h"

typedef struct Child {
        int go[2], out[2];
} Child;

static void get_map(UserMap *ret) {
        if (geteuid() == 0)
                SKIP("root maps IDs directly; run this as an ordinary user");
        CHECK_INT(user_map_default(ret, NULL), 0);
        if (ret->single)
                SKIP("there are no subordinate IDs");
}

static int pin(const UserMap *map) {
        _cleanup_error_ Error error = ERROR_NULL;
        int fd = userns_pin(map, &error);

        if (fd == -EPERM || fd == -ENOENT)
                SKIP("no user namespace can be made here");
        if (fd < 0)
                test_note("%s", error.message);
        CHECK(fd >= 0);
        return fd;
}

static int inside(void *data) {
        Child *child = data;
        char *text, byte;

        if (read(child->go[0], &byte, 1) != 1 || setresgid(5, 5, 5) < 0 || setresuid(0, 0, 0) < 0 || getpid() != 1)
                return 1;
        if (file_read(AT_FDCWD, "/proc/self/uid_map", 4096, &text, NULL) < 0)
                return 2;
        if (write(child->out[1], text, strlen(text)) < 0)
                return 3;
        return 42;
}

TEST(a_child_has_the_map_without_helpers) {
        _cleanup_user_map_ UserMap map = {}, view = {};
        _cleanup_fd_ int fd = -EBADF;
        Child child;
        int pidfd = -EBADF, status;
        struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd };
        char path[64], buffer[256] = "";
        unsigned first[3];

        get_map(&map);
        fd = pin(&map);
        CHECK(pipe2(child.go, O_CLOEXEC) == 0 && pipe2(child.out, O_CLOEXEC) == 0);
        CHECK_INT(user_map_to_view(&map, &map, &view, NULL), 0);
        pid_t pid = userns_clone_inside(fd, &view, &args, inside, NULL, &child, NULL);
        CHECK(pid > 0);
        CHECK(pidfd >= 0);
        snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
        FILE *f = fopen(path, "re");
        CHECK_INT(fscanf(f, "%u %u %u", &first[0], &first[1], &first[2]), 3); /* seen from here: the host's IDs */
        fclose(f);
        CHECK_INT(first[0], map.uid.ranges[0].container_id);
        CHECK_INT(first[1], map.uid.ranges[0].host_id);
        CHECK_INT(first[2], map.uid.ranges[0].size);
        CHECK_INT(write(child.go[1], "", 1), 1);
        CHECK_INT(waitpid(pid, &status, 0), pid); /* it is our own child */
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 42);
        CHECK(read(child.out[0], buffer, sizeof(buffer) - 1) > 0);
        CHECK_INT(sscanf(buffer, "%u %u %u", &first[0], &first[1], &first[2]), 3); /* seen from inside: the pinned one's */
        CHECK_INT(first[1], map.uid.ranges[0].container_id);
        CHECK_INT(waitpid(-1, &status, WNOHANG), -1); /* and nobody else is left */
        close(pidfd);
}

/* What one container's root may do to the next: nothing, though both lie in the pinned namespace. */
TEST(children_are_apart) {
        _cleanup_user_map_ UserMap map = {}, view = {};
        _cleanup_fd_ int fd = -EBADF;
        Child children[2];
        pid_t pids[2];
        int status;

        get_map(&map);
        fd = pin(&map);
        CHECK_INT(user_map_to_view(&map, &map, &view, NULL), 0);
        for (int i = 0; i < 2; i++) {
                struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS };

                CHECK(pipe2(children[i].go, O_CLOEXEC) == 0 && pipe2(children[i].out, O_CLOEXEC) == 0);
                pids[i] = userns_clone_inside(fd, &view, &args, inside, NULL, &children[i], NULL);
                CHECK(pids[i] > 0);
        }
        char a[64], b[64], namespaces[2][64] = {};
        snprintf(a, sizeof(a), "/proc/%d/ns/user", pids[0]);
        snprintf(b, sizeof(b), "/proc/%d/ns/user", pids[1]);
        CHECK(readlink(a, namespaces[0], 63) > 0 && readlink(b, namespaces[1], 63) > 0);
        CHECK(strcmp(namespaces[0], namespaces[1]) != 0);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(write(children[i].go[1], "", 1), 1);
                CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
                CHECK_INT(WEXITSTATUS(status), 42);
        }
}

TEST(maps_that_do_not_fit_have_no_view) {
        ContainerIdMapping base_ranges[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } }, outside[] = { { 0, 400000000, 10 } };
        ContainerIdMapping across[] = { { 0, 165535, 2 } }, within[] = { { 7, 100009, 3 } };
        const UserMap base = { .uid = { base_ranges, 2 }, .gid = { base_ranges, 2 } };
        UserMap map = { .uid = { outside, 1 }, .gid = { outside, 1 } };
        _cleanup_user_map_ UserMap view = {};

        CHECK_INT(user_map_to_view(&map, &base, &view, NULL), -ERANGE);
        map.uid = map.gid = (IdMap){ across, 1 }; /* one past the end */
        CHECK_INT(user_map_to_view(&map, &base, &view, NULL), -ERANGE);
        map.uid = map.gid = (IdMap){ within, 1 };
        CHECK_INT(user_map_to_view(&map, &base, &view, NULL), 0);
        CHECK_INT(view.uid.ranges[0].host_id, 10);
        CHECK_INT(view.uid.ranges[0].container_id, 7);
}

static int never(void *data) {
        (void) data;
        return 0;
}

TEST(what_is_not_a_namespace_of_the_user_is_refused) {
        _cleanup_fd_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC), pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        _cleanup_fd_ int host = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC), fd = -EBADF;
        _cleanup_user_map_ UserMap map = {};
        struct clone_args args = {};

        CHECK_INT(userns_pin_check(null, geteuid()), -EINVAL);
        CHECK_INT(userns_pin_check(pid_ns, geteuid()), -EINVAL);
        CHECK_INT(userns_pin(&(UserMap){ .host = true }, NULL), -ENOTSUP);
        get_map(&map);
        CHECK_INT(userns_pin_check(host, geteuid()), -EPERM);
        CHECK_INT(userns_clone_inside(host, &map, &args, never, NULL, NULL, NULL), -EINVAL); /* one's own cannot be joined */
        fd = pin(&map);
        CHECK_INT(userns_pin_check(fd, geteuid()), 0);
        CHECK_INT(prctl(PR_GET_DUMPABLE), 1);
}

TEST(maps_are_told_apart_by_their_text) {
        ContainerIdMapping ranges[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
        UserMap map = { .uid = { ranges, 2 }, .gid = { ranges, 1 } };
        _cleanup_free_ char *text = userns_pin_text(&map);

        CHECK_STR(text, "uid 0 1000 1\nuid 1 100000 65536\ngid 0 1000 1\n");
}
