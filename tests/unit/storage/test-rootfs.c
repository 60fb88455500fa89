/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
