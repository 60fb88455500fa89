/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of config.json. Each is made detached, given its attributes, and put onto a descriptor of its place (proc/mount.h). */
#include "oci/mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/inside.h"
#include "oci/target.h"
#include "proc/mount.h"

enum { PROC_ROOT_INODE = 1 };

bool oci_mount_is_bind(const RuntimeMount *mount, const OciMountOptions *options) {
        return options->bind || str_equal(mount->type, "bind");
}

const char *oci_mount_source_in_root(const RuntimeMount *mount, const char *bundle, const char *root) {
        const char *rest = mount->source;

        if (*root != '/') {
                rest = rest ? str_after(rest, bundle) : NULL;
                rest = rest ? str_after(rest, "/") : NULL;
        }
        rest = rest ? str_after(rest, root) : NULL;
        return rest && *rest == '/' ? rest : NULL;
}

/* Root of a user namespace may not go the host's way to it. */
static int clone_source_in_root(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, const char *path,
                                Error *reterr) {
        _cleanup_fd_ int fd = path_open_in_root(inside->root_fd, path, O_PATH, 0);

        return fd < 0 ? error_set_errno(reterr, fd, "cannot open the source '%s'", mount->source) : mount_clone(fd, "", options->recursive, reterr);
}

int oci_mount_clone_source(const RuntimeMount *mount, const OciMountOptions *options, Error *reterr) {
        if (str_empty(mount->source))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "a bind mount without a source");
        int fd = open_tree(AT_FDCWD, mount->source,
                           OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options->recursive ? AT_RECURSIVE : 0) |
                                   (options->no_follow ? AT_SYMLINK_NOFOLLOW : 0));
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot open the source '%s'", mount->source) : fd;
}

/* ---- file systems ---- */

/* A superblock of these is the kernel's or of nobody but this mount: read-only is a matter of the mount. */
static bool is_virtual(const char *type) {
        static const char *const types[] = { "tmpfs", "proc", "sysfs", "devpts", "mqueue", "ramfs", "cgroup", "cgroup2", "bpf" };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (str_equal(type, types[i]))
                        return true;
        return false;
}

/* What stands in for a file system that shows a namespace which is not ours: the host's mount of it. */
static const char *host_mount(const char *type) {
        return str_equal(type, "proc") ? "/proc" : str_equal(type, "sysfs") ? "/sys" : str_equal(type, "mqueue") ? "/dev/mqueue" : NULL;
}

/* A tmpfs without a mode has that of the directory that it covers, where there is one: an image's /tmp stays open to all, its /run does
 * not become so. */
static bool inherited_mode(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, char mode[static 8]) {
        struct stat st;

        if (!str_equal(mount->type, "tmpfs"))
                return false;
        for (char **w = options->data; w && *w; w++)
                if (str_after(*w, "mode="))
                        return false;
        _cleanup_fd_ int fd = path_open_in_root(inside->root_fd, mount->destination, O_PATH, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
                return false;
        (void) snprintf(mode, 8, "%04o", st.st_mode & 07777);
        return true;
}

static int mount_file_system(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, bool without_gid,
                             Error *reterr) {
        size_t n = 0, n_words = strv_length(options->data);
        _cleanup_free_ MountOption *words = calloc(n_words + 4, sizeof(*words));
        _cleanup_strv_ char **copies = strv_copy(options->data);
        uint64_t attributes = options->set;
        char mode[8];

        if (!words || (options->data && !copies))
                return error_oom(reterr);
        for (char **w = copies; w && *w; w++) {
                char *value = strchr(*w, '=');

                if (value)
                        *value++ = 0;
                if (!(without_gid && str_equal(*w, "gid")))
                        words[n++] = (MountOption){ *w, value };
        }
        if (inherited_mode(inside, mount, options, mode))
                words[n++] = (MountOption){ "mode", mode };
        if (options->read_only && !is_virtual(mount->type))
                words[n++] = (MountOption){ "ro", NULL };
        if (inside->spec->mount_label && is_virtual(mount->type) && access("/sys/fs/selinux/enforce", F_OK) == 0)
                words[n++] = (MountOption){ "context", inside->spec->mount_label };
        if (options->copy_up) /* read-only only when it is filled */
                attributes &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        return mount_new(mount->type, mount->source ?: mount->type, words, attributes, reterr);
}

static int make_file_system(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, Error *reterr) {
        bool own_users = oci_namespaces_has(inside->namespaces, CLONE_NEWUSER);
        const char *host = host_mount(mount->type);
        _cleanup_error_ Error error = ERROR_NULL;

        if (str_empty(mount->type))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "a mount without a type");
        int fd = mount_file_system(inside, mount, options, /* without_gid= */ false, &error);
        if (fd >= 0)
                return fd;
        /* the tty group is often not mapped; terminals are then the user's own group's */
        if (fd == -EINVAL && str_equal(mount->type, "devpts") && own_users)
                return mount_file_system(inside, mount, options, /* without_gid= */ true, reterr);
        /* never another PID namespace's processes in place of one's own */
        bool shows_others = str_equal(mount->type, "proc") && oci_namespaces_has(inside->namespaces, CLONE_NEWPID);
        if (host && !shows_others && (fd == -EPERM || fd == -EACCES || fd == -EBUSY)) {
                _cleanup_fd_ int tree = mount_clone(AT_FDCWD, host, /* recursive= */ true, /* reterr= */ NULL);

                if (tree >= 0 && mount_set(tree, options->set, 0, /* recursive= */ true, /* reterr= */ NULL) >= 0)
                        return TAKE_FD(tree);
        }
        return error_move(reterr, &error);
}

/* ---- places ---- */

/* What lxcfs and its like put their own views over, and nothing else (runc has this list). */
static bool may_cover_in_proc(const char *path) {
        static const char *const paths[] = {
                "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg",
                "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (str_equal(path, paths[i]))
                        return true;
        return false;
}

static bool is_procfs_root(int fd) {
        struct statfs about;
        struct stat st;

        return fstatfs(fd, &about) == 0 && about.f_type == PROC_SUPER_MAGIC && fstat(fd, &st) == 0 && st.st_ino == PROC_ROOT_INODE;
}

/* /proc is the kernel's word about the process itself: what programs, the runtime among them, write there must not land elsewhere
 * (CVE-2019-16884, CVE-2025-52881). */
static int check_place(const char *path, int mount_fd, int target_fd, Error *reterr) {
        _cleanup_free_ char *absolute = str_format("/%s", path); /* a relative one begins at the root, too */
        _cleanup_free_ char *simple = absolute ? path_simplify(absolute) : NULL;
        struct statfs about;

        if (!simple)
                return error_oom(reterr);
        if (fstatfs(target_fd, &about) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the place");
        bool in_proc = about.f_type == PROC_SUPER_MAGIC || str_equal(simple, "/proc");
        if (!in_proc || is_procfs_root(mount_fd) || may_cover_in_proc(simple))
                return 0;
        return error_set(reterr, -EPERM, ERROR_DENIED, "'%s' cannot be mounted because it is inside /proc", path);
}

static bool is_directory(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode);
}

static int open_place(const OciInside *inside, const RuntimeMount *mount, int mount_fd, Error *reterr) {
        if (str_equal(mount->type, "proc") || str_equal(mount->type, "sysfs"))
                return oci_target_open_plain(inside->root_fd, mount->destination, reterr);
        return oci_target_open(inside->root_fd, mount->destination, /* as_file= */ !is_directory(mount_fd), reterr);
}

/* Whoever mounts on the root goes on with what is there now. */
static int follow_root(OciInside *inside, int mount_fd, const struct statx *target) {
        struct statx root;

        if (statx(inside->root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) < 0)
                return -errno;
        /* the same directory in another mount is not the root */
        if (root.stx_mnt_id != target->stx_mnt_id || root.stx_ino != target->stx_ino)
                return 0;
        int fd = fcntl(mount_fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        (void) fd_close(inside->root_fd);
        inside->root_fd = fd;
        return 0;
}

/* ---- one mount ---- */

static int copy_up(int target_fd, int mount_fd, Error *reterr) {
        _cleanup_fd_ int from = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int to = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (from < 0 || to < 0)
                return error_set_errno(reterr, -errno, "cannot open it");
        return copy_directory(from, to, reterr);
}

/* What is stricter than asked because the host's mount is, and locked so in a user namespace (mount_namespaces(7)), stays so. */
static int clear_attributes(int mount_fd, uint64_t clear, bool recursive) {
        struct mount_attr attr = { .attr_clr = clear };

        if (mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0 && errno != EPERM)
                return -errno;
        return 0;
}

static int set_attributes(int mount_fd, const OciMountOptions *options, Error *reterr) {
        uint64_t below = options->set_below;
        int r = 0;

        /* in the order in which they are given: for all of it first, then for the mount itself */
        if (options->clear_below & ~(uint64_t) MOUNT_ATTR__ATIME)
                r = clear_attributes(mount_fd, options->clear_below & ~(uint64_t) MOUNT_ATTR__ATIME, /* recursive= */ true);
        if (r >= 0 && (below || options->clear_below & MOUNT_ATTR__ATIME)) {
                struct mount_attr attr = { .attr_set = below, .attr_clr = options->clear_below & MOUNT_ATTR__ATIME };

                r = mount_setattr(mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno : 0;
        }
        if (r >= 0 && options->clear & ~(uint64_t) MOUNT_ATTR__ATIME)
                r = clear_attributes(mount_fd, options->clear & ~(uint64_t) MOUNT_ATTR__ATIME, /* recursive= */ false);
        if (r >= 0 && (options->set || options->clear & MOUNT_ATTR__ATIME)) {
                struct mount_attr attr = { .attr_set = options->set, .attr_clr = options->clear & MOUNT_ATTR__ATIME };

                r = mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot set the options of a mount") : 0;
}

int oci_mount_finish(int mount_fd, const OciMountOptions *options, Error *reterr) {
        int r = set_attributes(mount_fd, options, reterr);

        for (size_t i = 0; i < options->n_propagation && r >= 0; i++)
                r = mount_set(mount_fd, 0, options->propagation[i] & ~(uint64_t) MS_REC, options->propagation[i] & MS_REC, reterr);
        return r;
}

/* The symlink that a source is, made again. */
static int copy_symlink(const OciInside *inside, const RuntimeMount *mount, Error *reterr) {
        char text[PATH_MAX];
        const char *name;
        ssize_t n = readlinkat(AT_FDCWD, mount->source, text, sizeof(text) - 1);

        if (n < 0)
                return errno == EINVAL ? 0 : error_set_errno(reterr, -errno, "cannot read the source");
        text[n] = 0;
        _cleanup_fd_ int parent = oci_target_parent(inside->root_fd, mount->destination, &name, reterr);
        if (parent < 0)
                return parent;
        if (symlinkat(text, parent, name) == 0)
                return 1;
        char there[PATH_MAX];
        ssize_t m = errno == EEXIST ? readlinkat(parent, name, there, sizeof(there)) : -1;
        return m == n && memcmp(there, text, (size_t) n) == 0 ? 1 : error_set(reterr, -EEXIST, ERROR_EXISTS, "something else is there already");
}

static int attach(OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, int mount_fd, Error *reterr) {
        _cleanup_fd_ int target = open_place(inside, mount, mount_fd, reterr);
        struct statx about;
        int r = target < 0 ? target : check_place(mount->destination, mount_fd, target, reterr);

        if (r >= 0 && statx(target, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &about) < 0)
                r = error_set_errno(reterr, -errno, "cannot look at the place");
        if (r >= 0 && options->copy_up && str_equal(mount->type, "tmpfs"))
                r = copy_up(target, mount_fd, reterr);
        if (r >= 0)
                r = oci_mount_finish(mount_fd, options, reterr);
        if (r >= 0)
                r = mount_attach(mount_fd, target, reterr);
        if (r < 0)
                return r;
        r = follow_root(inside, mount_fd, &about);
        return r < 0 ? error_set_errno(reterr, r, "cannot go on from the new root") : 0;
}

static int open_bind(OciInside *inside, size_t i, Error *reterr) {
        const RuntimeMount *mount = &inside->spec->mounts[i];
        const OciMountOptions *options = &inside->options[i];
        _cleanup_fd_ int fd = TAKE_FD(inside->tree_fds[i]);
        /* the starter's clone is of the host's peer groups still, as is all in a namespace that is joined */
        bool of_others = fd >= 0 || oci_root_is_joined(inside);

        if (fd < 0) {
                const char *path = oci_mount_source_in_root(mount, inside->create->bundle, inside->spec->root.path);
                bool in_root = path && oci_namespaces_has(inside->namespaces, CLONE_NEWUSER);

                fd = in_root ? clone_source_in_root(inside, mount, options, path, reterr) : oci_mount_clone_source(mount, options, reterr);
        }
        if (fd < 0)
                return fd;
        int r = of_others && !oci_root_stays_shared(inside) ? mount_set(fd, 0, MS_SLAVE, /* recursive= */ true, reterr) : 0;
        return r < 0 ? r : TAKE_FD(fd);
}

/* Something is to be made in it yet: mount points, devices, the working directory. */
static bool is_read_only_later(const RuntimeMount *mount, const OciMountOptions *options, bool bind) {
        const char *place = mount->destination + strspn(mount->destination, "/");

        return options->read_only && ((!bind && str_equal(mount->type, "tmpfs")) || str_equal(place, "dev") || str_equal(place, "dev/"));
}

static int mount_one(OciInside *inside, size_t i, Error *reterr) {
        const RuntimeMount *mount = &inside->spec->mounts[i];
        OciMountOptions now = inside->options[i]; /* borrows */
        const OciMountOptions *options = &now;
        bool bind = oci_mount_is_bind(mount, options), later = is_read_only_later(mount, options, bind);
        _cleanup_fd_ int fd = -EBADF;

        if (!bind && (str_equal(mount->type, "cgroup") || str_equal(mount->type, "cgroup2")))
                return oci_mount_cgroups(inside, mount, options, reterr);
        if (bind && options->copy_symlink) {
                int r = copy_symlink(inside, mount, reterr);

                if (r != 0)
                        return r;
        }
        if (later)
                now.set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        fd = bind ? open_bind(inside, i, reterr) : make_file_system(inside, mount, options, reterr);
        int r = fd < 0 ? fd : attach(inside, mount, options, fd, reterr);
        if (r >= 0 && later)
                inside->tree_fds[i] = TAKE_FD(fd);
        return r;
}

/* ---- all of them ---- */

static bool shows_cgroup(const OciInside *inside, size_t i) {
        const char *type = inside->spec->mounts[i].type;

        return !inside->options[i].bind && (str_equal(type, "cgroup") || str_equal(type, "cgroup2"));
}

static bool is_above(const char *upper, const char *path) {
        const char *rest = str_after(path, upper);

        return rest && (*rest == 0 || *rest == '/' || str_has_suffix(upper, "/"));
}

/* What the cgroup's place depends on, or depends on it, keeps its order. */
static bool is_late(const OciInside *inside, size_t i) {
        const RuntimeMount *mounts = inside->spec->mounts;

        if (shows_cgroup(inside, i))
                return true;
        for (size_t j = 0; j < i; j++)
                if (shows_cgroup(inside, j) && (is_above(mounts[j].destination, mounts[i].destination) ||
                                                is_above(mounts[i].destination, mounts[j].destination)))
                        return true;
        return false;
}

static int mount_some(OciInside *inside, bool late, Error *reterr) {
        for (size_t i = 0; i < inside->spec->n_mounts; i++) {
                const RuntimeMount *mount = &inside->spec->mounts[i];
                int r = is_late(inside, i) == late ? mount_one(inside, i, reterr) : 0;

                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount '%s' on '%s'", mount->source ?: mount->type ?: "", mount->destination);
        }
        return 0;
}

int oci_mount_early(OciInside *inside, Error *reterr) {
        return mount_some(inside, /* late= */ false, reterr);
}

int oci_mount_late(OciInside *inside, Error *reterr) {
        return mount_some(inside, /* late= */ true, reterr);
}

int oci_make_read_only(OciInside *inside, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < inside->spec->n_mounts && r >= 0; i++)
                if (inside->tree_fds[i] >= 0)
                        r = mount_set(inside->tree_fds[i], MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        return r;
}
