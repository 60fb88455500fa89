/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel provides in a container: /proc, /sys, /dev, and what of them is hidden. Nothing here trusts a path of
 * the image: each target is a descriptor inside the root, and what covers a masked path is verified to be /dev/null. */
#include "proc/init.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/mount.h"

#define ATTR_KERNEL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* /proc, /sys or /dev, which must not be a symlink in the image: what the kernel shows stands where programs expect it, what
 * is masked there is masked, and no volume can get in between. */
static int open_kernel_target(const Init *init, const char *path, Error *reterr) {
        int fd = path_open_beneath(init->root_fd, path + 1, O_PATH | O_DIRECTORY, 0);

        if (fd == -ENOENT && (mkdirat(init->root_fd, path + 1, 0755) == 0 || errno == EEXIST))
                fd = path_open_beneath(init->root_fd, path + 1, O_PATH | O_DIRECTORY, 0);
        if (fd == -ELOOP)
                return error_set(reterr, fd, ERROR_DENIED, "cannot mount '%s': it is a symlink in the image", path);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot mount '%s'", path) : fd;
}

/* Makes a file system and puts it at `path`. */
static int mount_at(const Init *init, const char *type, const MountOption *options, uint64_t attributes, const char *path,
                    Error *reterr) {
        _cleanup_fd_ int fd = mount_new(type, type, options, attributes, reterr), target = -EBADF;

        if (fd < 0)
                return error_prefix(reterr, fd, "cannot mount '%s'", path);
        target = strchr(path + 1, '/') ? init_open_target(init, path, /* as_file= */ false, reterr)
                                       : open_kernel_target(init, path, reterr);
        if (target < 0)
                return target;
        int r = mount_attach(fd, target, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot mount '%s'", path) : 0;
}

/* A file system of the kernel's that shows the host's namespace can only be had as the host has it. */
static int clone_host(const char *path, uint64_t attributes, Error *reterr) {
        _cleanup_fd_ int fd = mount_clone(AT_FDCWD, path, /* recursive= */ true, reterr);
        int r = fd < 0 ? fd : mount_set(fd, attributes, MS_PRIVATE, /* recursive= */ true, reterr);

        return r < 0 ? r : TAKE_FD(fd);
}

int init_mount_proc(Init *init, Error *reterr) {
        bool host = init->plan->namespaces.host_pid && !init->plan->map.host;
        const char *given = init->plan->config->proc_opts;
        _cleanup_fd_ int target = -EBADF;

        if (given && host)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use --security-opt proc-opts=%s with the host's PID namespace", given);
        init->proc_fd = host ? clone_host("/proc", ATTR_KERNEL, reterr) : mount_new_words("proc", given, ATTR_KERNEL, reterr);
        if (init->proc_fd < 0) {
                int r = error_prefix(reterr, init->proc_fd, "cannot mount '/proc'");

                error_hint(reterr, "in a container, its /proc must be fully visible: nothing may be mounted over it");
                return r;
        }
        target = open_kernel_target(init, "/proc", reterr);
        if (target < 0)
                return target;
        return mount_attach(init->proc_fd, target, reterr);
}

static int mount_host_sys(Init *init, Error *reterr) {
        _cleanup_fd_ int fd = clone_host("/sys", ATTR_KERNEL | MOUNT_ATTR_RDONLY, reterr), target = -EBADF;

        if (fd < 0)
                return fd;
        target = open_kernel_target(init, "/sys", reterr);
        return target < 0 ? target : mount_attach(fd, target, reterr);
}

int init_mount_sys(Init *init, Error *reterr) {
        uint64_t read_only = init->plan->config->privileged ? 0 : MOUNT_ATTR_RDONLY;

        /* a sysfs shows the network namespace it was made in, and so is only to be had where that one is ours */
        if (init->plan->namespaces.host_network && !init->plan->map.host)
                return mount_host_sys(init, reterr);
        return mount_at(init, "sysfs", NULL, ATTR_KERNEL | read_only, "/sys", reterr);
}

int init_mount_cgroup(Init *init, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (init->plan->namespaces.host_network && !init->plan->map.host)
                return 0; /* the host's /sys is there with all that is mounted in it */
        if (init->plan->namespaces.host_cgroup && !init->plan->map.host) {
                _cleanup_fd_ int fd = clone_host("/sys/fs/cgroup", ATTR_KERNEL | (init->plan->cgroup_rw ? 0 : MOUNT_ATTR_RDONLY), reterr);
                _cleanup_fd_ int target = fd < 0 ? fd : init_open_target(init, "/sys/fs/cgroup", /* as_file= */ false, reterr);

                return target < 0 ? target : mount_attach(fd, target, reterr);
        }
        int r = mount_at(init, "cgroup2", NULL, ATTR_KERNEL | (init->plan->cgroup_rw ? 0 : MOUNT_ATTR_RDONLY), "/sys/fs/cgroup",
                     &error);
        if (r < 0) /* no cgroup v2 on this machine: then an empty directory says so */
                r = mount_at(init, "tmpfs", (const MountOption[]){ { "mode", "0755" }, {} }, ATTR_KERNEL | MOUNT_ATTR_RDONLY,
                             "/sys/fs/cgroup", reterr);
        return r;
}

/* Opens a host's device node and checks that it is the very device (a host's /dev may be a stranger's, too). */
static int open_device(const char *path, unsigned device_major, unsigned device_minor, Error *reterr) {
        _cleanup_fd_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", path);
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(device_major, device_minor))
                return error_set(reterr, -ENODEV, ERROR_DENIED, "cannot use '%s': it is not the device of that name", path);
        return TAKE_FD(fd);
}

/* Binds what `source_fd` is onto `name` below /dev, as a file that is made for it. */
static int bind_device(int dev_fd, int source_fd, const char *name, uint64_t attributes, Error *reterr) {
        _cleanup_fd_ int tree = mount_clone(source_fd, "", /* recursive= */ false, reterr), target = -EBADF;
        int r;

        if (tree < 0)
                return error_prefix(reterr, tree, "cannot give the container the device '%s'", name);
        if (mknodat(dev_fd, name, S_IFREG | 0666, 0) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", name);
        target = openat(dev_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(reterr, -errno, "cannot open '/dev/%s'", name);
        r = mount_set(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | attributes, MS_PRIVATE, /* recursive= */ false, reterr);
        return r < 0 ? r : mount_attach(tree, target, reterr);
}

static int make_devices(Init *init, int dev_fd, Error *reterr) {
        static const struct {
                const char *name;
                unsigned device_major, device_minor;
        } devices[] = { { "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
        static const char *const links[][2] = {
                { "/proc/self/fd", "fd" },        { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
                { "/proc/self/fd/2", "stderr" },  { "pts/ptmx", "ptmx" },
        };

        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                _cleanup_fd_ int source = -EBADF;
                char path[32];

                (void) snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
                source = open_device(path, devices[i].device_major, devices[i].device_minor, reterr);
                int r = source < 0 ? source : bind_device(dev_fd, source, devices[i].name, 0, reterr);
                if (r < 0)
                        return r;
                if (i == 0)
                        init->null_fd = TAKE_FD(source);
        }
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i][0], dev_fd, links[i][1]) < 0)
                        return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", links[i][1]);
        return 0;
}

bool init_is_terminals(const MountPlan *mount) {
        return mount->kind == MOUNT_DEVPTS && str_equal(mount->destination, "/dev/pts");
}

static int mount_devpts(const Init *init, int dev_fd, int *ret_pts_fd, Error *reterr) {
        uint32_t tty_group;
        bool has_tty_group = idmap_to_host(&init->plan->map.gid, 5, &tty_group);
        const char *words = has_tty_group ? "newinstance,ptmxmode=0666,mode=0620,gid=5" : "newinstance,ptmxmode=0666,mode=0620";

        for (size_t i = 0; i < init->plan->n_mounts; i++)
                if (init_is_terminals(&init->plan->mounts[i]))
                        words = init->plan->mounts[i].data;
        _cleanup_fd_ int fd = mount_new_words("devpts", words, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, reterr), target = -EBADF;
        if (fd < 0)
                return error_prefix(reterr, fd, "cannot mount '/dev/pts'");
        if (mkdirat(dev_fd, "pts", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make '/dev/pts'");
        target = openat(dev_fd, "pts", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(reterr, -errno, "cannot open '/dev/pts'");
        int r = mount_attach(fd, target, reterr);
        if (r < 0)
                return r;
        *ret_pts_fd = TAKE_FD(fd);
        return 0;
}

/* Opens a terminal of the container's own devpts by descriptor, so that nothing in /dev decides which one it is. */
static int open_console(Init *init, int dev_fd, int pts_fd, Error *reterr) {
        int unlock = 0;

        init->master_fd = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (init->master_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal");
        if (ioctl(init->master_fd, TIOCSPTLCK, &unlock) < 0)
                return error_set_errno(reterr, -errno, "cannot unlock a terminal");
        init->console_fd = ioctl(init->master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (init->console_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal");
        return bind_device(dev_fd, init->console_fd, "console", 0, reterr);
}

static int make_shm(const Init *init, Error *reterr) {
        char size[32];
        const MountOption options[] = { { "mode", "1777" }, { "size", size }, {} };

        if (init->plan->namespaces.shm_fd >= 0) {
                int fd = fcntl(init->plan->namespaces.shm_fd, F_DUPFD_CLOEXEC, 3);

                return fd < 0 ? error_set_errno(reterr, -errno, "cannot take it") : fd;
        }
        if (init->plan->namespaces.host_ipc)
                return clone_host("/dev/shm", ATTR_KERNEL, reterr);
        (void) snprintf(size, sizeof(size), "%llu", (unsigned long long) (init->plan->config->shm_size ?: 64ULL << 20));
        return mount_new("tmpfs", "shm", options, ATTR_KERNEL, reterr);
}

static int make_mqueue(const Init *init, Error *reterr) {
        if (init->plan->namespaces.host_ipc && !init->plan->map.host)
                return clone_host("/dev/mqueue", ATTR_KERNEL, reterr);
        return mount_new("mqueue", "mqueue", NULL, ATTR_KERNEL, reterr);
}

static int mount_shm_and_mqueue(const Init *init, int dev_fd, Error *reterr) {
        const struct {
                const char *name;
                bool wanted;
                int (*make)(const Init *init, Error *reterr);
        } mounts[] = {
                { "shm", !init->plan->namespaces.no_shm, make_shm },
                /* a host without one has none to show */
                { "mqueue", !init->plan->namespaces.host_ipc || access("/dev/mqueue", F_OK) == 0, make_mqueue },
        };

        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                if (!mounts[i].wanted)
                        continue;
                _cleanup_fd_ int fd = mounts[i].make(init, reterr), target = -EBADF;

                if (fd < 0)
                        return error_prefix(reterr, fd, "cannot mount '/dev/%s'", mounts[i].name);
                if (mkdirat(dev_fd, mounts[i].name, 0755) < 0)
                        return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", mounts[i].name);
                target = openat(dev_fd, mounts[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                int r = target < 0 ? error_set_errno(reterr, -errno, "cannot open '/dev/%s'", mounts[i].name)
                                   : mount_attach(fd, target, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --device: host nodes, bound; a path below /dev lies in the fresh tmpfs, others in the root. */
static int bind_user_devices(const Init *init, Error *reterr) {
        const ContainerConfig *config = init->plan->config;

        for (size_t i = 0; i < config->n_devices; i++) {
                const ContainerDevice *device = &config->devices[i];
                _cleanup_fd_ int source = open(device->source, O_PATH | O_CLOEXEC), tree = -EBADF, target = -EBADF;
                struct stat st;
                int r;

                if (source < 0 || fstat(source, &st) < 0)
                        return error_set_errno(reterr, -errno, "cannot give the container the device '%s'", device->source);
                if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                        return error_set(reterr, -ENODEV, ERROR_INVALID,
                                         "cannot give the container the device '%s': it is not a device", device->source);
                tree = mount_clone(source, "", /* recursive= */ false, reterr);
                if (tree < 0)
                        return tree;
                target = init_open_target(init, device->destination, /* as_file= */ true, reterr);
                if (target < 0)
                        return target;
                r = mount_set(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | (strchr(device->permissions, 'w') ? 0 : MOUNT_ATTR_RDONLY),
                              MS_PRIVATE, /* recursive= */ false, reterr);
                if (r >= 0)
                        r = mount_attach(tree, target, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int init_mount_dev(Init *init, Error *reterr) {
        static const MountOption options[] = { { "mode", "0755" }, { "size", "65536k" }, {} };
        _cleanup_fd_ int dev_fd = mount_new("tmpfs", "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, reterr);
        _cleanup_fd_ int target = -EBADF, pts_fd = -EBADF;
        int r;

        if (dev_fd < 0)
                return error_prefix(reterr, dev_fd, "cannot mount '/dev'");
        target = open_kernel_target(init, "/dev", reterr);
        r = target < 0 ? target : mount_attach(dev_fd, target, reterr);
        if (r >= 0)
                r = make_devices(init, dev_fd, reterr);
        if (r >= 0)
                r = mount_devpts(init, dev_fd, &pts_fd, reterr);
        if (r >= 0 && init->plan->config->terminal)
                r = open_console(init, dev_fd, pts_fd, reterr);
        if (r >= 0)
                r = mount_shm_and_mqueue(init, dev_fd, reterr);
        return r < 0 ? r : bind_user_devices(init, reterr);
}

/* An empty directory that nothing can be written to: all masks are mounts of one. */
static int mount_empty(Init *init, Error *reterr) {
        static const MountOption options[] = { { "mode", "0755" }, { "size", "0" }, { "nr_inodes", "1" }, {} };

        if (init->empty_fd >= 0)
                return mount_clone(init->empty_fd, "", /* recursive= */ false, reterr);
        return mount_new("tmpfs", "tmpfs", options, ATTR_KERNEL | MOUNT_ATTR_RDONLY, reterr);
}

static int mask_path(Init *init, const char *path, Error *reterr) {
        _cleanup_fd_ int target = path_open_in_root(init->root_fd, path, O_PATH, 0), fd = -EBADF;
        struct stat st;

        if (target < 0) /* what is not there needs no mask, and where it cannot be opened it is masked already */
                return target == -ENOENT || target == -EACCES || target == -ENOTDIR ? 0
                       : error_set_errno(reterr, target, "cannot mask '%s'", path);
        if (fstat(target, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot mask '%s'", path);
        fd = S_ISDIR(st.st_mode) ? mount_empty(init, reterr) : mount_clone(init->null_fd, "", /* recursive= */ false, reterr);
        int r = fd < 0 ? fd : mount_attach(fd, target, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mask '%s'", path);
        if (S_ISDIR(st.st_mode) && init->empty_fd < 0)
                init->empty_fd = TAKE_FD(fd); /* attached, so that it can be cloned */
        return 0;
}

static int make_read_only(const Init *init, const char *path, Error *reterr) {
        _cleanup_fd_ int target = path_open_in_root(init->root_fd, path, O_PATH, 0), fd = -EBADF;

        if (target < 0)
                return target == -ENOENT || target == -EACCES || target == -ENOTDIR ? 0
                       : error_set_errno(reterr, target, "cannot make '%s' read-only", path);
        fd = mount_clone(target, "", /* recursive= */ true, reterr);
        int r = fd < 0 ? fd : mount_set(fd, MOUNT_ATTR_RDONLY | ATTR_KERNEL, 0, /* recursive= */ true, reterr);
        if (r >= 0)
                r = mount_attach(fd, target, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot make '%s' read-only", path) : 0;
}

int init_mask_paths(Init *init, Error *reterr) {
        int r = 0;

        for (char **path = init->plan->read_only_paths; path && *path && r >= 0; path++)
                r = make_read_only(init, *path, reterr);
        for (char **path = init->plan->masked_paths; path && *path && r >= 0; path++)
                r = mask_path(init, *path, reterr);
        return r;
}
