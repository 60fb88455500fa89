/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system: mounted inside the container's own mount namespace, so that it goes when the container goes. */
#include "proc/init.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/mount.h"

enum { OVERLAY_OPTIONS_MAX = 8 };

/* The new root is put onto the old one. Nothing is hidden by that: paths are still looked up in what this process has as
 * its root, which is the mount below, so volumes can come from everywhere. */
#define MOUNT_POINT "/"

/* Linux before 6.5 has no `lowerdir+`: there the layers stand in one mount(2) string of at most a page, and so go by short
 * /proc/self/fd names. */
static int overlay_by_string(const RootfsPlan *plan, Error *reterr) {
        _cleanup_free_ char *options = NULL;
        int fds[256], r = 0;
        size_t n = 0;

        for (; plan->lower[n] && r >= 0; n++) {
                if (n >= ELEMENTSOF(fds))
                        return error_set(reterr, -E2BIG, ERROR_UNSUPPORTED,
                                         "cannot mount the root file system: more than %zu layers need Linux 6.5", n);
                fds[n] = open(plan->lower[n], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fds[n] < 0)
                        return error_set_errno(reterr, -errno, "cannot open layer '%s'", plan->lower[n]);
                char *longer = options ? str_format("%s:/proc/self/fd/%d", options, fds[n])
                                       : str_format("userxattr,lowerdir=/proc/self/fd/%d", fds[n]);
                if (!longer)
                        return error_oom(reterr);
                free(options);
                options = longer;
        }
        if (plan->upper) {
                char *longer = str_format("%s,upperdir=%s,workdir=%s", options, plan->upper, plan->work);

                if (!longer)
                        return error_oom(reterr);
                free(options);
                options = longer;
        }
        if (strlen(options) >= (size_t) sysconf(_SC_PAGESIZE))
                return error_set(reterr, -E2BIG, ERROR_UNSUPPORTED,
                                 "cannot mount the root file system: %zu layers need Linux 6.5", n);
        if (mount("overlay", MOUNT_POINT, "overlay", plan->upper ? 0 : MS_RDONLY, options) < 0)
                return error_set_errno(reterr, -errno, "cannot mount the root file system");
        int fd = open(MOUNT_POINT "..", O_PATH | O_DIRECTORY | O_CLOEXEC); /* ".." at the root goes to the topmost mount */
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open the root file system") : fd;
}

/* Returns the attached mount's descriptor, or -EINVAL where the kernel is too old for this form. */
static int overlay_by_fd(const RootfsPlan *plan, int target_fd, Error *reterr) {
        _cleanup_free_ MountOption *options = calloc(strv_length(plan->lower) + OVERLAY_OPTIONS_MAX, sizeof(MountOption));
        size_t n = 0;

        if (!options)
                return error_oom(reterr);
        for (size_t i = 0; plan->lower[i]; i++)
                options[n++] = (MountOption){ "lowerdir+", plan->lower[i] };
        if (plan->upper) {
                options[n++] = (MountOption){ "upperdir", plan->upper };
                options[n++] = (MountOption){ "workdir", plan->work };
        }
        options[n++] = (MountOption){ "userxattr", NULL };
        if (plan->use_volatile && plan->upper)
                options[n++] = (MountOption){ "volatile", NULL };
        _cleanup_fd_ int fd = mount_new("overlay", "overlay", options, plan->upper ? 0 : MOUNT_ATTR_RDONLY, reterr);
        if (fd < 0)
                return fd;
        int r = mount_attach(fd, target_fd, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot attach the root file system") : TAKE_FD(fd);
}

static int mount_overlay(const RootfsPlan *plan, int target_fd, Error *reterr) {
        /* The paths of the plan are relative to the data directory: short, whatever the home's path is. It is entered by path:
         * a descriptor from the starter belongs to the starter's mount namespace, and the kernel takes layers from ours. */
        if (chdir(plan->data_path) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the data directory");
        int fd = overlay_by_fd(plan, target_fd, reterr);
        return fd == -EINVAL ? overlay_by_string(plan, reterr) : fd;
}

/* A tmpfs with room for mount points and nothing else. */
static int mount_empty(Error *reterr) {
        static const MountOption options[] = { { "size", "64k" }, { "nr_inodes", "128" }, { "mode", "0755" }, {} };

        return mount_new("tmpfs", "sdpod-infra", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, reterr);
}

int init_mount_root(Init *init, Error *reterr) {
        const RootfsPlan *plan = &init->plan->rootfs;
        _cleanup_fd_ int tree_fd = -EBADF, target_fd = -EBADF;
        int r;

        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot separate the container's mounts from the host's");
        target_fd = open(MOUNT_POINT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", MOUNT_POINT);
        switch (plan->kind) {
        case ROOTFS_OVERLAY:
                init->root_fd = mount_overlay(plan, target_fd, reterr);
                return init->root_fd < 0 ? init->root_fd : 0;
        case ROOTFS_TREE:
                tree_fd = fcntl(plan->tree_fd, F_DUPFD_CLOEXEC, 3);
                break;
        case ROOTFS_EMPTY:
                tree_fd = mount_empty(reterr);
                break;
        case ROOTFS_DIRECTORY:
                tree_fd = mount_clone(AT_FDCWD, plan->directory, /* recursive= */ true, reterr);
                break;
        }
        if (tree_fd < 0)
                return reterr && reterr->message ? tree_fd : error_set_errno(reterr, -errno, "cannot open the root file system");
        r = mount_set(tree_fd, 0, MS_PRIVATE, /* recursive= */ true, reterr);
        if (r >= 0)
                r = mount_attach(tree_fd, target_fd, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mount the root file system");
        init->root_fd = TAKE_FD(tree_fd);
        return 0;
}

int init_open_target(const Init *init, const char *path, bool as_file, Error *reterr) {
        _cleanup_fd_ int parent = -EBADF;
        int fd = path_open_in_root(init->root_fd, path, O_PATH, 0);

        if (fd >= 0) {
                struct stat st;

                if (fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode) == !as_file)
                        return fd;
                (void) fd_close(fd);
                return error_set(reterr, -ENOTDIR, ERROR_INVALID,
                                 as_file ? "cannot mount a file on '%s': there is a directory in the container"
                                         : "cannot mount a directory on '%s': there is a file in the container",
                                 path);
        }
        if (fd != -ENOENT)
                return error_set_errno(reterr, fd, "cannot open '%s' in the container", path);
        if (!as_file) {
                fd = path_mkdirs_in_root(init->root_fd, path, 0755, (uid_t) -1, (gid_t) -1);
                return fd < 0 ? error_set_errno(reterr, fd, "cannot make '%s' in the container", path) : fd;
        }

        _cleanup_free_ char *directory = strndup(path, (size_t) (path_basename(path) - path));
        if (!directory)
                return error_oom(reterr);
        parent = path_mkdirs_in_root(init->root_fd, directory, 0755, (uid_t) -1, (gid_t) -1);
        if (parent < 0)
                return error_set_errno(reterr, parent, "cannot make '%s' in the container", directory);
        /* a dangling symlink by that name must not be followed to who knows where: it is refused by O_EXCL */
        fd = openat(parent, path_basename(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make '%s' in the container", path);
        (void) fd_close(fd);
        fd = openat(parent, path_basename(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open '%s' in the container", path) : fd;
}

int init_seal_root(Init *init, Error *reterr) {
        return init->plan->rootfs.read_only
                       ? mount_set(init->root_fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr)
                       : 0;
}

int init_pivot_root(Init *init, Error *reterr) {
        /* both the same directory: the old root ends up on top of the new one and is taken off (pivot_root(2), NOTES) */
        if (fchdir(init->root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root file system");
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot leave the host's root");
        return 0;
}
