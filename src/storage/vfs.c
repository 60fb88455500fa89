/* SPDX-License-Identifier: Apache-2.0 */
/* vfs: a copy of all layers for each container. It needs nothing of the kernel or the file system, and takes the time and the disk
 * of a copy (file systems that can share blocks do so). What is below the name "vfs" is complete. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/userns.h"
#include "storage/mapped.h"
#include "storage/rootfs.h"

#define UNFINISHED ".tmp-vfs"

typedef struct Copying {
        int data_fd, to_fd;
        char *const *lower;
} Copying;

bool rootfs_is_vfs(const Container *container) {
        return faccessat(container->dir_fd, "vfs", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* As root of the user's map: files keep their owners. */
static int copy_layers(void *data, Error *reterr) {
        const Copying *copying = data;

        for (size_t i = strv_length(copying->lower); i-- > 0;) {
                _cleanup_fd_ int from = openat(copying->data_fd, copying->lower[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                int r = from < 0 ? error_set_errno(reterr, -errno, "cannot open layer '%s'", copying->lower[i])
                                 : copy_layer(from, copying->to_fd, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot copy the image for the storage driver 'vfs'");
        }
        return 0;
}

int rootfs_vfs_make(const Store *store, Container *container, char *const *lower, const UserMap *base, Error *reterr) {
        if (rootfs_is_vfs(container))
                return 0;
        int r = mapped_remove_tree(container->dir_fd, UNFINISHED, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int to = path_open_or_make_dir(container->dir_fd, UNFINISHED, 0755);
        if (to < 0)
                return error_set_errno(reterr, to, "cannot make the container's root directory");
        r = userns_run(base, /* flags= */ 0, copy_layers, &(Copying){ store->data_fd, to, lower }, reterr);
        if (r < 0) {
                (void) mapped_remove_tree(container->dir_fd, UNFINISHED, /* reterr= */ NULL);
                return r;
        }
        if (!container->config.auto_remove && syncfs(to) < 0)
                return error_set_errno(reterr, -errno, "cannot write the container's root directory to the disk");
        if (renameat(container->dir_fd, UNFINISHED, container->dir_fd, "vfs") < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's root directory");
        return 0;
}
