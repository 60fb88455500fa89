/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's layers become its root file system. */
#include "storage/rootfs.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/userns.h"
#include "storage/mapped.h"

/* The lowest layer of every container: what the kernel's file systems and our own files are mounted on. An image that
 * has them hides them; for one that has not, nothing needs to be made in the container's upper directory at each start and
 * removed at each end. The last entry is made last, and so says that all are there. */
#define MOUNT_POINTS_LAYER "layers/mount-points"
static const struct {
        const char *name;
        bool directory;
} mount_points[] = {
        { "proc", true },      { "sys", true },          { "dev", true },
        { "etc", true },       { "etc/hosts", false },   { "etc/hostname", false }, { "etc/resolv.conf", false },
        { "run", true },       { "run/.containerenv", false },
};
#define LAST_MOUNT_POINT MOUNT_POINTS_LAYER "/run/.containerenv"

static const char *const driver_names[_STORAGE_DRIVER_MAX] = { [STORAGE_OVERLAY] = "overlay", [STORAGE_FUSE] = "fuse-overlayfs",
                                                              [STORAGE_VFS] = "vfs" };

const char *storage_driver_to_string(StorageDriver driver) {
        return driver_names[driver];
}

/* Inside a namespace of the user's map: the same kind of mount as a container's, on the same file system. */
static int try_overlay(void *data, Error *reterr) {
        const Store *store = data;
        static const char *const directories[] = { "lower", "upper", "work", "merged" };
        /* by path: the descriptor's mounts are those of the namespace it was opened in, and nothing can be mounted there */
        _cleanup_fd_ int data_fd = open(store->data_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int probe = data_fd < 0 ? -errno : path_open_or_make_dir(data_fd, ".tmp-probe", 0700);
        int r = probe < 0 || fchdir(probe) < 0 ? -errno : 0;

        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++)
                if (mkdirat(probe, directories[i], 0700) < 0 && errno != EEXIST)
                        r = -errno;
        if (r >= 0 && mount("overlay", "merged", "overlay", 0, "userxattr,lowerdir=lower,upperdir=upper,workdir=work") < 0)
                r = -errno;
        if (r >= 0 && (mkdir("merged/x", 0700) < 0 || rmdir("merged/x") < 0)) /* whether the upper takes changes */
                r = -errno;
        (void) umount2("merged", MNT_DETACH);
        return r < 0 ? error_set_errno(reterr, r, "the kernel's overlay does not work here") : 0;
}

/* What says nothing about the kernel: the next command may find otherwise, and must look again. */
static bool passes(int code) {
        static const int codes[] = { -EAGAIN, -EDQUOT, -EINTR, -EIO, -EMFILE, -ENFILE, -ENOENT, -ENOMEM, -ENOSPC, -EROFS };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                if (code == codes[i])
                        return true;
        return false;
}

/* *ret_final: whether the answer holds until the next boot. */
static int probe(const Store *store, StorageDriver *ret, char **ret_reason, bool *ret_final, Error *reterr) {
        _cleanup_user_map_ UserMap map = {};
        _cleanup_error_ Error error = ERROR_NULL;
        int r = user_map_default(&map, reterr);

        if (r < 0)
                return r;
        r = userns_run(&map, CLONE_NEWNS, try_overlay, (void *) store, &error);
        *ret_final = !passes(r);
        (void) path_remove_tree(store->data_fd, ".tmp-probe");
        if (r >= 0) {
                *ret = STORAGE_OVERLAY;
                *ret_reason = strdup("native overlay works in the user namespace");
        } else if (access("/usr/bin/fuse-overlayfs", X_OK) == 0 && access("/dev/fuse", R_OK | W_OK) == 0) {
                *ret = STORAGE_FUSE;
                *ret_reason = str_format("%s, so fuse-overlayfs is used", error.message);
        } else {
                *ret = STORAGE_VFS;
                *ret_reason = str_format("%s, and fuse-overlayfs or /dev/fuse is not there, so each container has a copy of its image",
                                         error.message);
        }
        return *ret_reason ? 0 : error_oom(reterr);
}

static int driver_by_name(const char *name, StorageDriver *ret) {
        for (size_t i = 0; name && i < ELEMENTSOF(driver_names); i++)
                if (str_equal(name, driver_names[i])) {
                        *ret = (StorageDriver) i;
                        return 0;
                }
        return -ENOENT;
}

/* One note for each data directory: they may lie on different file systems. */
static int read_note(const Store *store, StorageDriver *ret, char **ret_reason) {
        _cleanup_json_ json_t *note = NULL;
        int r = json_read(store->runtime_fd, "storage.json", 65536, &note, /* reterr= */ NULL);

        if (r < 0)
                return r;
        if (!str_equal(json_get_string(note, "data"), store->data_path) || driver_by_name(json_get_string(note, "driver"), ret) < 0)
                return -ENOENT;
        *ret_reason = strdup(json_get_string(note, "reason") ?: "");
        return *ret_reason ? 0 : -ENOMEM;
}

static void write_note(const Store *store, StorageDriver driver, const char *reason) {
        _cleanup_json_ json_t *note = json_pack("{s:s, s:s, s:s}", "data", store->data_path, "driver", driver_names[driver],
                                                "reason", reason);

        (void) json_write(store->runtime_fd, "storage.json", note, 0600, FILE_VOLATILE, /* reterr= */ NULL); /* tried again then */
}

/* One command at a time tries: at a boot several begin at once, and each would remove the directories that the others' tests
 * stand on, and find an overlay that does not work. The data directory itself is locked, as any number of runtime
 * directories may go with it; where it cannot be (network file systems) there is no overlay to be found either. */
static int find_driver(const Store *store, StorageDriver *ret, char **ret_reason, Error *reterr) {
        bool final;

        if (read_note(store, ret, ret_reason) >= 0)
                return 0;
        _cleanup_fd_ int turn = openat(store->data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (turn >= 0)
                (void) RETRY_EINTR(flock(turn, LOCK_EX));
        if (read_note(store, ret, ret_reason) >= 0)
                return 0;
        int r = probe(store, ret, ret_reason, &final, reterr);
        if (r >= 0 && final)
                write_note(store, *ret, *ret_reason);
        return r;
}

int storage_driver_choose(const Store *store, const char *wanted, StorageDriver *ret, char **ret_reason, Error *reterr) {
        _cleanup_free_ char *reason = NULL;

        if (wanted && driver_by_name(wanted, ret) < 0)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use the storage driver '%s': there are 'overlay', 'fuse-overlayfs' and 'vfs'", wanted);
        if (wanted) {
                if (!(reason = strdup("asked for")))
                        return error_oom(reterr);
        } else {
                int r = find_driver(store, ret, &reason, reterr);
                if (r < 0)
                        return r;
        }
        if (ret_reason)
                *ret_reason = TAKE_PTR(reason);
        return 0;
}

int storage_driver_for_container(const Store *store, const Container *container, const char *wanted, StorageDriver *ret, Error *reterr) {
        if (rootfs_is_vfs(container)) {
                *ret = STORAGE_VFS;
                return 0;
        }
        int r = storage_driver_choose(store, wanted ?: container->config.storage_driver, ret, /* ret_reason= */ NULL, reterr);
        if (r < 0 || *ret != STORAGE_VFS || faccessat(container->dir_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return r;
        if (wanted)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the storage driver 'vfs': container '%s' was made with another",
                                 container->config.name);
        *ret = STORAGE_FUSE; /* overlay worked when it was made: its message is the better one */
        return 0;
}

/* What overlayfs leaves behind with `volatile` is always the same, directories without a permission. By name it is gone in a
 * few calls; searching it takes a hundred. Whatever is there besides is left to the search. */
static void remove_usual_work(int dir_fd) {
        static const char *const names[] = { "work", "work", "incompat", "volatile" };
        int fds[ELEMENTSOF(names) + 1] = { dir_fd, -EBADF, -EBADF, -EBADF, -EBADF };
        size_t n = 0;
        char path[32];

        for (; n < ELEMENTSOF(names); n++) {
                fds[n + 1] = openat(fds[n], names[n], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fds[n + 1] < 0)
                        break;
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[n + 1]); /* never through a symlink */
                if (n > 0)
                        (void) chmod(path, 0700);
        }
        if (n == ELEMENTSOF(names))
                (void) unlinkat(fds[n], "dirty", 0);
        for (; n > 0; n--) {
                (void) unlinkat(fds[n - 1], names[n - 1], AT_REMOVEDIR);
                (void) fd_close(fds[n]);
        }
}

int rootfs_make_directories(Container *container, const Store *store, Error *reterr) {
        mode_t mode = 0755;

        if (container->config.layers) {
                /* the root directory's mode is the upper's: it must be that of the image */
                const char *top = container->config.layers[strv_length(container->config.layers) - 1];
                _cleanup_free_ char *path = str_format("layers/%s/diff", top + STRLEN("sha256:"));
                struct stat st;

                if (path && fstatat(store->data_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
                        mode = st.st_mode & 07777;
        }
        /* whatever the umask is */
        if (mkdirat(container->dir_fd, "upper", mode) < 0 ? errno != EEXIST : fchmodat(container->dir_fd, "upper", mode, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's upper directory");
        if (container->config.auto_remove) /* one whose command was killed: what says that it was not synced forbids the next mount */
                remove_usual_work(container->dir_fd);
        return mkdirat(container->dir_fd, "work", 0700) < 0 && errno != EEXIST
                       ? error_set_errno(reterr, -errno, "cannot make the container's work directory") : 0;
}

static int make_mount_point(int dir_fd, const char *name, bool directory) {
        /* the modes are set whatever the umask is */
        if (directory)
                return (mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST) || fchmodat(dir_fd, name, 0755, 0) < 0 ? -errno : 0;
        _cleanup_fd_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        return fd < 0 || fchmod(fd, 0644) < 0 ? -errno : 0;
}

static int make_mount_points(const Store *store, Error *reterr) {
        _cleanup_fd_ int layers = -EBADF, layer = -EBADF;
        int r = 0;

        if (faccessat(store->data_fd, LAST_MOUNT_POINT, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        layers = store_open_data(store, "layers", reterr);
        if (layers < 0)
                return layers;
        layer = path_open_or_make_dir(layers, path_basename(MOUNT_POINTS_LAYER), 0755);
        if (layer < 0)
                return error_set_errno(reterr, layer, "cannot make the layer of mount points");
        for (size_t i = 0; i < ELEMENTSOF(mount_points) && r >= 0; i++)
                r = make_mount_point(layer, mount_points[i].name, mount_points[i].directory);
        return r < 0 ? error_set_errno(reterr, r, "cannot make the layer of mount points") : 0;
}

int rootfs_lower_paths(const Store *store, char *const *diff_ids, char ***ret, Error *reterr) {
        _cleanup_strv_ char **lower = NULL;
        int r = make_mount_points(store, reterr);

        if (r < 0)
                return r;
        for (size_t i = strv_length(diff_ids); i > 0 && r >= 0; i--) {
                const char *hex = str_after(diff_ids[i - 1], "sha256:");

                if (!hex || strspn(hex, "0123456789abcdef") != 64 || hex[64])
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot use layer '%s': not a digest", diff_ids[i - 1]);
                r = strv_consume(&lower, str_format("layers/%s/diff", hex));
        }
        if (r >= 0)
                r = strv_append(&lower, MOUNT_POINTS_LAYER);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(lower);
        return 0;
}

int rootfs_remove(int dir_fd, _unused_ void *data, Error *reterr) {
        static const char *const names[] = { "upper", "work", ROOTFS_WORK_MOUNTS, "overlay", "vfs", ".tmp-vfs" };
        int r = 0;

        remove_usual_work(dir_fd);
        for (size_t i = 0; i < ELEMENTSOF(names) && r >= 0; i++)
                r = mapped_remove_tree(dir_fd, names[i], reterr);
        return r;
}
