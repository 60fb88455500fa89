/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/test.h"

static int fresh_dir(void) {
        char name[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(name));
        return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

TEST(open_in_root_stays_inside) {
        _cleanup_fd_ int root = fresh_dir();

        CHECK_INT(symlinkat("/etc", root, "abs"), 0);
        CHECK_INT(symlinkat("../../../../etc", root, "rel"), 0);
        CHECK_INT(path_open_in_root(root, "abs/passwd", O_RDONLY, 0), -ENOENT);
        CHECK_INT(path_open_in_root(root, "rel/passwd", O_RDONLY, 0), -ENOENT);
        CHECK_INT(path_open_beneath(root, "rel", O_RDONLY, 0), -ELOOP);
        CHECK_INT(mkdirat(root, "etc", 0755), 0);
        _cleanup_fd_ int made = path_mkdirs_in_root(root, "/rel/a/b", 0755, (uid_t) -1, (gid_t) -1);
        CHECK(made >= 0);
        CHECK_INT(faccessat(root, "etc/a/b", F_OK, 0), 0);
        CHECK_INT(faccessat(AT_FDCWD, "/etc/a", F_OK, 0), -1);
}

TEST(remove_tree_of_any_depth) {
        _cleanup_fd_ int root = fresh_dir(), fd = dup(root);

        for (int i = 0; i < 3000; i++) {
                int next;

                CHECK_INT(mkdirat(fd, "d", 0755), 0);
                next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                CHECK(next >= 0);
                CHECK_INT(symlinkat("/etc", fd, "link"), 0);
                CHECK_INT(fchmod(fd, i > 0 ? 0500 : 0700), 0);
                (void) close(fd);
                fd = next;
        }
        CHECK_INT(path_remove_tree(root, "d"), 0);
        CHECK_INT(faccessat(root, "d", F_OK, 0), -1);
        CHECK_INT(faccessat(AT_FDCWD, "/etc/passwd", F_OK, 0), 0);
        CHECK_INT(path_remove_tree(root, "not there"), 0);
}

static int make_branches(int parent, int depth) {
        for (int i = 0; i < 4; i++) {
                char name[2] = { (char) ('a' + i), 0 };

                if (mkdirat(parent, name, 0755) < 0)
                        return -errno;
                if (depth == 0)
                        continue;
                _cleanup_fd_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                int r = fd < 0 ? -errno : make_branches(fd, depth - 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int remove_tree(_unused_ size_t i, void *data) {
        return -path_remove_tree(*(int *) data, "tree");
}

/* As when one command collects what another is just removing: both are done when it is gone. */
TEST(a_tree_is_removed_by_several_at_once) {
        _cleanup_fd_ int root = fresh_dir();
        int results[4];

        for (int round = 0; round < 60; round++) {
                CHECK_INT(mkdirat(root, "tree", 0755), 0);
                _cleanup_fd_ int tree = openat(root, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                CHECK_INT(make_branches(tree, 2), 0);
                test_together(ELEMENTSOF(results), remove_tree, &root, results);
                for (size_t i = 0; i < ELEMENTSOF(results); i++)
                        CHECK_INT(results[i], 0);
                CHECK_INT(faccessat(root, "tree", F_OK, 0), -1);
        }
}

/* What overlayfs leaves of a volatile mount, as its owner without privilege meets it. */
TEST(remove_directories_without_permissions) {
        _cleanup_fd_ int root = fresh_dir();
        int status;
        pid_t pid;

        CHECK_INT(fchmod(root, 0777), 0);
        pid = fork();
        if (pid == 0) {
                if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                (void) alarm(30);
                if (mkdirat(root, "work", 0700) < 0 || mkdirat(root, "work/work", 0700) < 0 ||
                    mkdirat(root, "work/work/incompat", 0700) < 0 || mkdirat(root, "work/work/incompat/volatile", 0700) < 0 ||
                    fchmodat(root, "work/work/incompat", 0, 0) < 0)
                        _exit(3);
                _exit(path_remove_tree(root, "work") == 0 && faccessat(root, "work", F_OK, 0) < 0 ? 0 : 4);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

/* A mount namespace of our own, as root of it. */
static bool enter_mount_namespace(void) {
        char map[32];
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (unshare(CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)) < 0)
                return false;
        if (uid != 0) {
                (void) snprintf(map, sizeof(map), "0 %u 1", uid);
                if (file_write_string(AT_FDCWD, "/proc/self/uid_map", map) < 0)
                        return false;
                (void) snprintf(map, sizeof(map), "0 %u 1", gid);
                if (file_write_string(AT_FDCWD, "/proc/self/setgroups", "deny") < 0 ||
                    file_write_string(AT_FDCWD, "/proc/self/gid_map", map) < 0)
                        return false;
        }
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A mount of the same file system is told from a directory by nothing but the refusal to remove it. */
TEST(remove_tree_stops_at_mounts) {
        _cleanup_fd_ int root = fresh_dir();
        int status;
        pid_t pid;

        CHECK_INT(mkdirat(root, "tree", 0755), 0);
        CHECK_INT(mkdirat(root, "tree/mount", 0755), 0);
        CHECK_INT(mkdirat(root, "other", 0755), 0);
        CHECK_INT(mkdirat(root, "other/kept", 0755), 0);
        pid = fork();
        if (pid == 0) {
                /* the descriptor stays in the old namespace, the working directory comes along */
                if (fchdir(root) < 0 || !enter_mount_namespace() || mount("other", "tree/mount", NULL, MS_BIND, NULL) < 0)
                        _exit(77);
                (void) alarm(30); /* it once went on for ever */
                _exit(path_remove_tree(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "tree") == -EBUSY ? 0 : 1);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                SKIP("no mount namespace to be had here");
        CHECK_INT(status, 0);
        CHECK_INT(faccessat(root, "other/kept", F_OK, 0), 0);
}

TEST(reading_never_blocks_on_a_fifo) {
        _cleanup_fd_ int root = fresh_dir();
        char *text;

        CHECK_INT(mkfifoat(root, "fifo", 0600), 0);
        CHECK_INT(file_read(root, "fifo", 100, &text, NULL), -EINVAL);
        CHECK_INT(symlinkat("/etc/passwd", root, "link"), 0);
        CHECK_INT(file_read(root, "link", 100000, &text, NULL), -ELOOP);
        CHECK_INT(file_write_atomic(root, "f", "12345", 5, 0600, FILE_DURABLE), 0);
        CHECK_INT(file_read(root, "f", 4, &text, NULL), -EFBIG);
        CHECK_INT(file_read(root, "f", 5, &text, NULL), 0);
        CHECK_STR(text, "12345");
        free(text);
}

TEST(simplify_is_textual) {
        static const char *const rows[][2] = {
                { "/", "/" }, { "//a//b/", "/a/b" }, { "/a/../b", "/b" }, { "/../..", "/" }, { "/a/./b/..", "/a" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *simple = path_simplify(rows[i][0]);

                CHECK_STR(simple, rows[i][1]);
        }
        CHECK(!path_simplify("a"));
}
