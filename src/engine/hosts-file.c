/* SPDX-License-Identifier: Apache-2.0 */
/* --hosts-file. */
#include "engine/hosts-file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "storage/rootfs.h"

enum { HOSTS_LIMIT = 1024 * 1024 };

/* 1 where the tree has the file (or hides that of a lower one), 0 where it has not. What cannot be read counts as empty. */
static int read_in_tree(int dir_fd, const char *tree, char **ret) {
        _cleanup_fd_ int root = openat(dir_fd, tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int fd = root < 0 ? -errno : path_open_in_root(root, "etc/hosts", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;

        if (fd == -ENOENT || fd == -ENOTDIR)
                return 0;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                (void) io_read_all(fd, HOSTS_LIMIT, ret, /* ret_size= */ NULL);
        return 1;
}

static int read_image(const Store *store, const ContainerConfig *config, char **ret, Error *reterr) {
        _cleanup_strv_ char **lower = NULL;

        if (config->rootfs) {
                (void) read_in_tree(AT_FDCWD, config->rootfs, ret);
                return 0;
        }
        int r = rootfs_lower_paths(store, config->layers, &lower, reterr);
        if (r < 0)
                return r;
        for (char **layer = lower; *layer && layer[1]; layer++) /* the last one is ours */
                if (read_in_tree(store->data_fd, *layer, ret) > 0)
                        break;
        return 0;
}

int hosts_file_base(const Store *store, const ContainerConfig *config, char **ret, Error *reterr) {
        const char *file = config->hosts_file;

        if (!file || str_equal(file, "none"))
                return 0;
        if (str_equal(file, "image"))
                return read_image(store, config, ret, reterr);
        _cleanup_fd_ int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        int r = fd < 0 ? -errno : io_read_all(fd, HOSTS_LIMIT, ret, /* ret_size= */ NULL);
        return r < 0 ? error_set_errno(reterr, r, "cannot read --hosts-file '%s'", file) : 0;
}
