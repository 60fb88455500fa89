/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/test.h"
#include "oci/target.h"

static char directory[64];
static int root;

static void setup(void) {
        (void) snprintf(directory, sizeof(directory), "/tmp/test-target.XXXXXX");
        CHECK(mkdtemp(directory));
        root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(root >= 0 && mkdirat(root, "root", 0755) == 0 && mkdirat(root, "outside", 0755) == 0);
        (void) fd_close(root);
        CHECK(chdir(directory) == 0);
        root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(root >= 0);
}

static void cleanup(void) {
        root = fd_close(root);
        CHECK(chdir("/") == 0);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

static mode_t kind(const char *path) {
        struct stat st;

        return lstat(path, &st) < 0 ? 0 : st.st_mode & S_IFMT;
}

static int make(const char *path, bool as_file) {
        int fd = oci_target_open(root, path, as_file, NULL);

        if (fd < 0)
                return fd;
        (void) fd_close(fd);
        return 0;
}

TEST(missing_ones_are_made) {
        setup();
        CHECK_INT(make("/a/b/c", false), 0);
        CHECK_INT(make("a/../d/./file", true), 0);
        CHECK_INT(kind("root/a/b/c"), S_IFDIR);
        CHECK_INT(kind("root/d/file"), S_IFREG);
        CHECK_INT(make("/a/b/c", true), -EISDIR);
        CHECK_INT(make("/d/file", false), -ENOTDIR);
        CHECK(make("/d/file/below", false) < 0);
        cleanup();
}

TEST(symlinks_stay_inside) {
        setup();
        CHECK(symlinkat("../../../../outside", root, "up") == 0 && symlinkat("/absolute/dir", root, "abs") == 0);
        CHECK(symlinkat("../run/stub.conf", root, "dangling") == 0 && symlinkat("loop", root, "loop") == 0);
        CHECK_INT(make("/up/x", false), 0);
        CHECK_INT(make("/abs/y", true), 0);
        CHECK_INT(make("/dangling", true), 0);
        CHECK_INT(make("/../../z", false), 0);
        CHECK_INT(make("/loop/x", false), -ELOOP);
        CHECK_INT(kind("outside/x"), 0);
        CHECK_INT(kind("z"), 0);
        CHECK_INT(kind("root/outside/x"), S_IFDIR);
        CHECK_INT(kind("root/absolute/dir/y"), S_IFREG);
        CHECK_INT(kind("root/run/stub.conf"), S_IFREG);
        CHECK_INT(kind("root/dangling"), S_IFLNK);
        CHECK_INT(kind("root/z"), S_IFDIR);
        cleanup();
}

TEST(plain_ones_know_no_symlink) {
        setup();
        CHECK(symlinkat("/elsewhere", root, "proc") == 0 && mkdirat(root, "elsewhere", 0755) == 0);
        int fd = oci_target_open_plain(root, "/sys", NULL);
        CHECK(fd >= 0);
        (void) fd_close(fd);
        CHECK_INT(kind("root/sys"), S_IFDIR);
        CHECK_INT(oci_target_open_plain(root, "/proc", NULL), -ELOOP);
        cleanup();
}

TEST(the_directory_around) {
        const char *name;

        setup();
        int fd = oci_target_parent(root, "/dev/sub/null", &name, NULL);
        CHECK(fd >= 0);
        CHECK_STR(name, "null");
        (void) fd_close(fd);
        CHECK_INT(kind("root/dev/sub"), S_IFDIR);
        cleanup();
}
