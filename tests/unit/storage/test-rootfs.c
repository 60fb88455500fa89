/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "storage/rootfs.h"

#define LAYER "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(the_lowest_layer_has_the_mount_points) {
        char name[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_strv_ char **lower = NULL, **again = NULL, **none = NULL;
        const mode_t mask = umask(0077);
        struct stat st;

        CHECK(mkdtemp(name));
        _cleanup_free_ char *data = str_format("%s/data", name), *runtime = str_format("%s/run", name);
        CHECK_INT(store_open(data, runtime, &store, NULL), 0);
        CHECK_INT(rootfs_lower_paths(&store, (char **) (const char *const[]){ LAYER, NULL }, &lower, NULL), 0);
        CHECK_INT(strv_length(lower), 2);
        CHECK_STR(lower[0], "layers/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/diff");
        CHECK_INT(fstatat(store.data_fd, "layers/mount-points/etc/hosts", &st, AT_SYMLINK_NOFOLLOW), 0);
        CHECK(S_ISREG(st.st_mode) && st.st_size == 0 && (st.st_mode & 0777) == 0644);
        CHECK_INT(fstatat(store.data_fd, "layers/mount-points/proc", &st, AT_SYMLINK_NOFOLLOW), 0);
        CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0755);
        /* what an interrupted start left is completed */
        CHECK_INT(unlinkat(store.data_fd, "layers/mount-points/run/.containerenv", 0), 0);
        CHECK_INT(rootfs_lower_paths(&store, (char **) (const char *const[]){ LAYER, NULL }, &again, NULL), 0);
        CHECK_INT(faccessat(store.data_fd, "layers/mount-points/run/.containerenv", F_OK, 0), 0);
        CHECK_INT(rootfs_lower_paths(&store, NULL, &none, NULL), 0);
        CHECK_INT(strv_length(none), 1);
        CHECK_INT(rootfs_lower_paths(&store, (char **) (const char *const[]){ "sha256:../../x", NULL }, &none, NULL), -EBADMSG);
        CHECK_INT(path_remove_tree(AT_FDCWD, name), 0);
        (void) umask(mask);
}

/* A container's directory with what overlayfs leaves in `work`, down to the n-th of its directories. */
static int make_work(int dir, unsigned n) {
        static const char *const paths[] = { "c/work", "c/work/work", "c/work/work/incompat", "c/work/work/incompat/volatile" };

        CHECK(mkdirat(dir, "c", 0700) == 0 && mkdirat(dir, "c/upper", 0700) == 0);
        for (unsigned i = 0; i < n; i++)
                CHECK(mkdirat(dir, paths[i], 0700) == 0);
        return openat(dir, "c", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

TEST(what_a_container_leaves_is_removed) {
        char name[] = "/tmp/sdpod-test-XXXXXX";

        CHECK(mkdtemp(name));
        _cleanup_fd_ int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(mkdirat(dir, "outside", 0755) == 0 && close(openat(dir, "outside/dirty", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
        for (unsigned n = 0; n <= 4; n++) {
                _cleanup_fd_ int c = make_work(dir, n);

                if (n == 4) {
                        CHECK(close(openat(dir, "c/work/work/incompat/volatile/dirty", O_WRONLY | O_CREAT | O_CLOEXEC, 0)) == 0);
                        CHECK(close(openat(dir, "c/work/something", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
                        CHECK(fchmodat(dir, "c/work/work/incompat/volatile", 0, 0) == 0);
                        CHECK(fchmodat(dir, "c/work/work/incompat", 0, 0) == 0);
                }
                if (n == 3)
                        CHECK(symlinkat("../../../../outside", dir, "c/work/work/incompat/volatile") == 0);
                if (n > 1)
                        CHECK(fchmodat(dir, "c/work/work", 0, 0) == 0);
                CHECK_INT(rootfs_remove(c, NULL, NULL), 0);
                CHECK(unlinkat(dir, "c", AT_REMOVEDIR) == 0); /* it is empty */
        }
        struct stat st;
        CHECK(fstatat(dir, "outside/dirty", &st, AT_SYMLINK_NOFOLLOW) == 0); /* a symlink is not followed */
        CHECK(fstatat(dir, "outside", &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & 0777) == 0755);
        CHECK_INT(path_remove_tree(AT_FDCWD, name), 0);
}

/* One that begins when nobody has written the note yet; its exit status is the driver that it found. */
static pid_t choose_in_child(const Store *store) {
        pid_t pid = fork();

        if (pid == 0) {
                StorageDriver driver = _STORAGE_DRIVER_MAX;

                _exit(storage_driver_choose(store, NULL, &driver, NULL, NULL) < 0 ? 99 : (int) driver);
        }
        return pid;
}

/* As at a boot, when containers of several units start at once. */
TEST(all_that_try_the_drivers_at_once_find_the_same) {
        enum { ROUNDS = 15, CHILDREN = 4 };
        char name[] = "/var/tmp/sdpod-test-XXXXXX"; /* not in a tmpfs, and not in an overlay */
        _cleanup_store_ Store store = STORE_NULL;
        StorageDriver driver = _STORAGE_DRIVER_MAX;
        int status;

        CHECK(mkdtemp(name));
        _cleanup_free_ char *data = str_format("%s/data", name), *runtime = str_format("%s/run", name);
        CHECK_INT(store_open(data, runtime, &store, NULL), 0);
        if (storage_driver_choose(&store, NULL, &driver, NULL, NULL) < 0 || driver != STORAGE_OVERLAY) {
                CHECK_INT(path_remove_tree(AT_FDCWD, name), 0);
                SKIP("the kernel's overlay does not work here");
        }
        CHECK_INT(faccessat(store.data_fd, ".tmp-probe", F_OK, AT_SYMLINK_NOFOLLOW), -1);
        for (unsigned round = 0; round < ROUNDS; round++) {
                pid_t children[CHILDREN];

                CHECK_INT(unlinkat(store.runtime_fd, "storage.json", 0), 0);
                for (unsigned i = 0; i < CHILDREN; i++)
                        CHECK((children[i] = choose_in_child(&store)) > 0);
                for (unsigned i = 0; i < CHILDREN; i++)
                        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) &&
                              WEXITSTATUS(status) == STORAGE_OVERLAY);
                CHECK_INT(faccessat(store.runtime_fd, "storage.json", F_OK, 0), 0);
        }
        CHECK_INT(path_remove_tree(AT_FDCWD, name), 0);
}
