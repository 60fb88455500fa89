/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system: mounted, and entered. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "oci/inside.h"
#include "proc/mount.h"

static uint64_t wanted_propagation(const OciInside *inside) {
        return oci_propagation_from_word(inside->spec->rootfs_propagation);
}

/* Only then a mount in the container can come out of it: by a volume that is shared with the host. The root itself never is. */
bool oci_root_stays_shared(const OciInside *inside) {
        return wanted_propagation(inside) & MS_SHARED;
}

bool oci_root_is_joined(const OciInside *inside) {
        return !(inside->namespaces->made & CLONE_NEWNS);
}

bool oci_root_is_host(const OciInside *inside) {
        return !oci_namespaces_has(inside->namespaces, CLONE_NEWNS);
}

static int clone_root(const OciInside *inside, Error *reterr) {
        if (inside->root_tree_fd >= 0) {
                int fd = fcntl(inside->root_tree_fd, F_DUPFD_CLOEXEC, 3);

                return fd < 0 ? error_set_errno(reterr, -errno, "cannot keep it") : fd;
        }
        return mount_clone(AT_FDCWD, inside->spec->root.path, /* recursive= */ true, reterr);
}

/* Changes the propagation of the mount that the directory is in: what is attached in it must not appear on the host. */
static int separate_around(int directory_fd, uint64_t propagation, Error *reterr) {
        _cleanup_fd_ int fd = openat(directory_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct statx st;

        while (fd >= 0) {
                if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
                        break;
                if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                        return mount_set(fd, 0, propagation, /* recursive= */ false, reterr);
                int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                (void) fd_close(fd);
                fd = up;
        }
        return error_set_errno(reterr, -errno, "cannot find the mount of the root file system");
}

int oci_mount_root(OciInside *inside, Error *reterr) {
        bool shared = oci_root_stays_shared(inside), joined = oci_root_is_joined(inside), host = oci_root_is_host(inside);

        /* nothing that happens in here goes out, but for mounts that ask for it by name */
        if (!shared && !joined && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot separate the container's mounts from the host's");
        /* at its own place: hooks know it by the path in config.json */
        _cleanup_fd_ int place = open(inside->spec->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC), tree = -EBADF;
        if (place < 0 && inside->root_tree_fd >= 0) /* root of a user namespace may not go there */
                place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (place < 0)
                return error_set_errno(reterr, -errno, "cannot open the root file system '%s'", inside->spec->root.path);
        tree = clone_root(inside, reterr);
        int r = tree;
        if (r >= 0 && (shared || joined) && !host)
                r = separate_around(place, shared ? MS_PRIVATE : MS_SLAVE, reterr);
        if (r >= 0)
                /* what the starter has cloned is of the host's peer groups still, and so is what is in a namespace that is joined */
                r = mount_set(tree, 0, shared ? MS_PRIVATE : MS_SLAVE, /* recursive= */ !shared && (joined || inside->root_tree_fd >= 0), reterr);
        if (r >= 0)
                r = mount_attach(tree, place, reterr);
        if (r >= 0 && host) /* it became as shared as what it lies on; what comes into it now comes nowhere else */
                r = mount_set(tree, 0, MS_PRIVATE, /* recursive= */ true, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mount the root file system '%s'", inside->spec->root.path);
        inside->root_fd = TAKE_FD(tree);
        return 0;
}

static int pivot_root_here(const OciInside *inside, Error *reterr) {
        _cleanup_fd_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        /* both the same directory: the old root ends up on top of the new one and is taken off (pivot_root(2), NOTES) */
        if (old < 0 || fchdir(inside->root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || fchdir(old) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system");
        /* what is unmounted here stays on the host */
        if ((oci_root_stays_shared(inside) && mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0) || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot leave the host's root");
        return 0;
}

static int change_root_here(const OciInside *inside, Error *reterr) {
        if (fchdir(inside->root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system");
        return 0;
}

int oci_enter_root(OciInside *inside, Error *reterr) {
        uint64_t wanted = wanted_propagation(inside);
        int r = 0;

        if (inside->spec->root.readonly)
                r = mount_set(inside->root_fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        /* who lives in a mount namespace that is joined keeps the root that he has */
        bool joined = oci_root_is_joined(inside);
        if (r >= 0 && !joined)
                r = inside->create->no_pivot ? oci_move_root(inside, reterr) : pivot_root_here(inside, reterr);
        if (r >= 0 && (joined || inside->create->no_pivot))
                r = change_root_here(inside, reterr);
        if (r >= 0 && wanted && mount(NULL, "/", NULL, wanted, NULL) < 0)
                r = error_set_errno(reterr, -errno, "cannot set the propagation '%s' of the root file system", inside->spec->rootfs_propagation);
        return r;
}
