/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of containers and images for a person to look into.
 *
 * Theory of operation. A container that runs has a mounted root: it is entered and its root cloned, so both see one file system. A
 * second overlay over the same upper directory would see its changes late or never. One that does not run gets an overlay here
 * with a workspace of its own, one for each mount namespace: the container's own workspace is cleared by its next start. */
#include "engine/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "engine/mount-trees.h"
#include "engine/unshare.h"
#include "proc/mount.h"
#include "storage/rootfs.h"

int mounts_check(const char *command, Error *reterr) {
        if (geteuid() == 0)
                return 0;
        (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot run command 'sdpod %s' in rootless mode, must execute 'sdpod unshare' first",
                         command);
        return error_with_hint(reterr, -EPERM, "sdpod unshare");
}

static int mount_path(const Store *store, const char *id, char **ret, Error *reterr) {
        *ret = str_format("%s/" MOUNTS_DIRECTORY "/%s", store->runtime_path, id);
        return *ret ? 0 : error_oom(reterr);
}

int mounts_find(const Store *store, const char *id, char **ret, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        struct statx sx;
        int r = mount_path(store, id, &path, reterr);

        if (r < 0)
                return r;
        *ret = NULL;
        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot look at '%s'", path);
        if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                *ret = TAKE_PTR(path);
        return 0;
}

/* Puts the tree at its place, where the directory is made by path: what descriptors show is of another mount namespace. */
static int attach(const Store *store, const char *id, int tree_fd, char **ret, Error *reterr) {
        _cleanup_free_ char *parent = str_format("%s/" MOUNTS_DIRECTORY, store->runtime_path), *path = NULL;
        _cleanup_fd_ int target = -EBADF;
        int r = mount_path(store, id, &path, reterr);

        if (r < 0 || !parent)
                return error_oom(reterr);
        if ((mkdir(parent, 0700) < 0 && errno != EEXIST) || (mkdir(path, 0700) < 0 && errno != EEXIST))
                return error_set_errno(reterr, -errno, "cannot make the directory '%s'", path);
        target = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = target < 0 ? error_set_errno(reterr, -errno, "cannot open '%s'", path) : mount_attach(tree_fd, target, reterr);
        if (r < 0) {
                (void) rmdir(path);
                return r;
        }
        *ret = TAKE_PTR(path);
        return 0;
}

int mounts_remove(const Store *store, const char *id, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = mounts_find(store, id, &path, reterr);

        if (r < 0 || !path)
                return r;
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot unmount '%s'", path);
        (void) rmdir(path);
        return 1;
}

/* `lower` and `upper` are below the data directory. Without an upper directory it is read-only, and of one layer it is that. */
static int make_overlay(const Store *store, char *const *lower, const char *upper, const char *work, Error *reterr) {
        _cleanup_free_ int *fds = calloc(strv_length(lower) + 2, sizeof(int));
        size_t n = 0, n_lower = strv_length(lower);
        int r = 0, tree = -EBADF;

        if (!fds)
                return error_oom(reterr);
        /* by path: a descriptor's mounts are those of the namespace that it was opened in */
        _cleanup_fd_ int data = open(store->data_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (data < 0)
                return error_set_errno(reterr, -errno, "cannot open the data directory");
        for (; n < n_lower + (upper ? 2 : 0) && r >= 0; n++) {
                const char *path = n < n_lower ? lower[n] : n == n_lower ? upper : work;

                fds[n] = openat(data, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = fds[n] < 0 ? error_set_errno(reterr, -errno, "cannot open '%s'", path) : 0;
        }
        if (r >= 0 && !upper && n_lower == 1) {
                tree = mount_clone(fds[0], "", /* recursive= */ false, reterr);
                r = tree < 0 ? tree : mount_set(tree, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        } else if (r >= 0)
                r = tree = mount_new_overlay(fds, n_lower, upper ? fds[n_lower] : -EBADF, upper ? fds[n_lower + 1] : -EBADF, reterr);
        while (n > 0)
                (void) fd_close(fds[--n]);
        if (r < 0)
                tree = fd_close(tree);
        return r < 0 ? r : tree;
}

/* containers/ID/work-mounts/NAMESPACE, which goes with the container. */
static int make_work(const Store *store, const Container *c, char **ret, Error *reterr) {
        struct stat st;

        if (stat("/proc/self/ns/mnt", &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the mount namespace");
        _cleanup_free_ char *work = str_format("containers/%s/" ROOTFS_WORK_MOUNTS "/%llu", c->config.id, (unsigned long long) st.st_ino);
        if (!work)
                return error_oom(reterr);
        if ((mkdirat(c->dir_fd, ROOTFS_WORK_MOUNTS, 0700) < 0 && errno != EEXIST) || (mkdirat(store->data_fd, work, 0700) < 0 && errno != EEXIST))
                return error_set_errno(reterr, -errno, "cannot make the container's work directory");
        *ret = TAKE_PTR(work);
        return 0;
}

/* Returns a detached mount. */
static int open_stopped(const Store *store, Container *c, Error *reterr) {
        _cleanup_free_ char *path = NULL, *work = NULL;
        _cleanup_fd_ int userns = -EBADF;
        _cleanup_strv_ char **lower = NULL;
        _cleanup_user_map_ UserMap map = {};
        StorageDriver driver;
        int tree = -EBADF;

        if (c->config.rootfs && c->config.rootfs_overlay)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot mount the files above a --rootfs directory while the container does not run");
        if (c->config.rootfs)
                return mount_clone(AT_FDCWD, c->config.rootfs, /* recursive= */ true, reterr);
        int r = user_map_default(&map, reterr);
        if (r >= 0)
                r = storage_driver_for_container(store, c, /* wanted= */ NULL, &driver, reterr);
        if (r >= 0)
                r = rootfs_lower_paths(store, c->config.layers, &lower, reterr);
        if (r >= 0 && driver == STORAGE_VFS) {
                path = str_format("%s/containers/%s/vfs", store->data_path, c->config.id);
                r = path ? rootfs_vfs_make(store, c, lower, &map, reterr) : error_oom(reterr);
                return r < 0 ? r : mount_clone(AT_FDCWD, path, /* recursive= */ false, reterr);
        }
        if (r >= 0)
                r = rootfs_make_directories(c, store, reterr);
        if (r >= 0 && driver == STORAGE_FUSE)
                r = rootfs_fuse_mount(store, c, lower, &map, &map, &tree, &userns, reterr);
        if (r < 0 || driver == STORAGE_FUSE)
                return r < 0 ? r : tree;
        r = make_work(store, c, &work, reterr);
        path = str_format("containers/%s/upper", c->config.id);
        return r < 0 ? r : !path ? error_oom(reterr) : make_overlay(store, lower, path, work, reterr);
}

int mounts_container(const Store *store, Container *c, char **ret, Error *reterr) {
        int r = container_lock(store, c, reterr);

        if (r >= 0)
                r = mounts_find(store, c->config.id, ret, reterr);
        if (r < 0 || *ret)
                return r;
        _cleanup_fd_ int tree = c->pidfd >= 0 ? mount_trees_clone(c, "/", reterr) : open_stopped(store, c, reterr);
        r = tree < 0 ? tree : attach(store, c->config.id, tree, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot mount container '%s'", c->config.name) : 0;
}

int mounts_image(const Store *store, const ImageInfo *image, char **ret, Error *reterr) {
        _cleanup_strv_ char **lower = NULL;
        _cleanup_free_ char *reason = NULL;
        StorageDriver driver;
        int r = mounts_find(store, image->id, ret, reterr);

        if (r < 0 || *ret)
                return r;
        for (size_t i = strv_length(image->layers); i-- > 0;) {
                char path[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(image->layers[i], path);
                if (strv_append(&lower, path) < 0)
                        return error_oom(reterr);
        }
        if (!lower)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot mount image '%.12s': it has no layers", image->id);
        r = storage_driver_choose(store, /* wanted= */ NULL, &driver, &reason, reterr);
        if (r < 0)
                return r;
        if (driver != STORAGE_OVERLAY && lower[1])
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot mount image '%.12s' of several layers: %s", image->id, reason);
        _cleanup_fd_ int tree = make_overlay(store, lower, NULL, NULL, reterr);
        r = tree < 0 ? tree : attach(store, image->id, tree, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot mount image '%.12s'", image->id) : 0;
}

/* What is asked for with a value concerns the file system; the other words, the mount of a container. */
static int new_tmpfs(const Volume *volume, Error *reterr) {
        const char *text = strv_env_get(volume->options, "o");
        _cleanup_strv_ char **words = strv_split(text ?: "", ","), **kept = NULL;
        _cleanup_free_ char *joined = NULL;

        for (char **w = words; w && *w; w++)
                if (strchr(*w, '=') && strv_append(&kept, *w) < 0)
                        return error_oom(reterr);
        joined = kept ? strv_join(kept, ",") : strdup("");
        return words && joined ? mount_new_words("tmpfs", joined, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, reterr) : error_oom(reterr);
}

/* Returns a detached mount. */
static int open_volume(const Store *store, const Volume *volume, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *upper = NULL, *work = NULL;
        _cleanup_strv_ char **lower = NULL;
        VolumeKind kind = volume_kind(volume);

        if (kind == VOLUME_BIND)
                return mount_clone(AT_FDCWD, strv_env_get(volume->options, "device"), /* recursive= */ true, reterr);
        int r = mount_trees_share(store, volume->name, &error);
        if (r >= 0 || error.message)
                return r >= 0 ? r : error_move(reterr, &error);
        if (kind == VOLUME_TMPFS)
                return new_tmpfs(volume, reterr);
        upper = str_format("volumes/%s/upper", volume->name);
        work = str_format("volumes/%s/work", volume->name);
        if (!upper || !work)
                return error_oom(reterr);
        if ((mkdirat(store->data_fd, upper, 0755) < 0 && errno != EEXIST) || (mkdirat(store->data_fd, work, 0700) < 0 && errno != EEXIST))
                return error_set_errno(reterr, -errno, "cannot make the directories of volume '%s'", volume->name);
        for (size_t i = strv_length(volume->layers); i-- > 0;) {
                char path[IMAGE_LAYER_PATH_SIZE];

                image_layer_path(volume->layers[i], path);
                if (strv_append(&lower, path) < 0)
                        return error_oom(reterr);
        }
        return make_overlay(store, lower, upper, work, reterr);
}

static int volume_place(const Store *store, const Volume *volume, char **ret_path, int *ret_fd, bool *ret_mounted, Error *reterr) {
        _cleanup_free_ char *path = volume_data_path(store, volume->name);
        struct statx sx;

        if (!path)
                return error_oom(reterr);
        _cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) < 0)
                return error_set_errno(reterr, -errno, "cannot look at '%s'", path);
        *ret_mounted = sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
        *ret_path = TAKE_PTR(path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int mounts_volume(const Store *store, const Volume *volume, char **ret, Error *reterr) {
        _cleanup_fd_ int place = -EBADF;
        bool mounted;
        int r = volume_place(store, volume, ret, &place, &mounted, reterr);

        if (r < 0 || mounted || volume_kind(volume) == VOLUME_DIRECTORY)
                return r;
        _cleanup_fd_ int tree = open_volume(store, volume, reterr);
        r = tree < 0 ? tree : mount_attach(tree, place, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot mount volume '%s'", volume->name) : 0;
}

int mounts_remove_volume(const Store *store, const Volume *volume, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fd_ int place = -EBADF;
        bool mounted;
        int r = volume_place(store, volume, &path, &place, &mounted, reterr);

        place = fd_close(place);
        if (r < 0 || !mounted)
                return r;
        return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? error_set_errno(reterr, -errno, "cannot unmount '%s'", path) : 0;
}
