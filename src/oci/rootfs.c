/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system: mounted, and entered. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "oci/inside.h"
#include "proc/mount.h"

static uint64_t wanted_propagation(const OciInside *inside) {
        return oci_propagation_from_word(inside->spec->rootfs_propagation);
}

/* What is cloned from the host's mounts must not hand the container's back to them, whatever its own are to be once it is alone. A root
 * that is to receive the host's keeps receiving them. */
static uint64_t first_propagation(const OciInside *inside) {
        uint64_t wanted = wanted_propagation(inside) & ~(uint64_t) MS_REC;

        return wanted == 0 || wanted == MS_SLAVE ? MS_SLAVE : wanted;
}

static int clone_root(const OciInside *inside, Error *reterr) {
        const char *path = inside->spec->root.path;

        if (inside->root_tree_fd >= 0)
                return fcntl(inside->root_tree_fd, F_DUPFD_CLOEXEC, 3);
        int fd = mount_clone(AT_FDCWD, path, /* recursive= */ true, reterr);
        return fd < 0 ? error_prefix(reterr, fd, "cannot mount the root file system") : fd;
}

int oci_mount_root(OciInside *inside, Error *reterr) {
        uint64_t propagation = first_propagation(inside);

        /* nothing that happens in here goes out, but for mounts that ask for it by name */
        if (mount(NULL, "/", NULL, MS_REC | (propagation == MS_SHARED ? MS_SHARED : MS_SLAVE), NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot separate the container's mounts from the host's");
        _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), tree = clone_root(inside, reterr);
        if (root < 0 || tree < 0)
                return reterr && reterr->message ? tree : error_set_errno(reterr, -errno, "cannot open the root file system");
        /* what the root is mounted on must not be shared, or it would appear on the host */
        int r = propagation == MS_SHARED ? mount_set(root, 0, MS_PRIVATE, /* recursive= */ false, reterr) : 0;
        if (r >= 0)
                r = mount_set(tree, 0, propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE, /* recursive= */ false, reterr);
        if (r >= 0)
                r = mount_attach(tree, root, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mount the root file system");
        inside->root_fd = TAKE_FD(tree);
        return 0;
}

/* For a root on which pivot_root(2) does not work (an initramfs): the mount becomes the root of all, and the process goes there. */
static int move_root(const OciInside *inside, Error *reterr) {
        if (fchdir(inside->root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system");
        return 0;
}

static int pivot_root_here(const OciInside *inside, Error *reterr) {
        /* both the same directory: the old root ends up on top of the new one and is taken off (pivot_root(2), NOTES) */
        if (fchdir(inside->root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system");
        /* what is unmounted here stays on the host */
        if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot leave the host's root");
        return 0;
}

int oci_enter_root(OciInside *inside, Error *reterr) {
        uint64_t wanted = wanted_propagation(inside);
        int r = 0;

        if (inside->spec->root.readonly)
                r = mount_set(inside->root_fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        if (r >= 0)
                r = inside->create->no_pivot ? move_root(inside, reterr) : pivot_root_here(inside, reterr);
        if (r >= 0 && wanted && mount(NULL, "/", NULL, wanted, NULL) < 0)
                r = error_set_errno(reterr, -errno, "cannot set the propagation '%s' of the root file system", inside->spec->rootfs_propagation);
        return r;
}
