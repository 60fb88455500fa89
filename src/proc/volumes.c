/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that the user asked for: binds, volumes, tmpfs. Sources are the very objects that the starter opened as the
 * user; targets are descriptors inside the root. */
#include "proc/init.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/mount-source.h"
#include "proc/mount.h"
#include "proc/user.h"

static int clone_source(const MountPlan *plan, Error *reterr) {
        if (plan->tree_fd < 0)
                return mount_source_clone(plan, reterr);
        int fd = fcntl(plan->tree_fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? error_set_errno(reterr, -errno, "cannot mount '%s'", plan->source) : fd;
}

static int make_mount(const MountPlan *plan, Error *reterr) {
        switch (plan->kind) {
        case MOUNT_TMPFS:
        case MOUNT_RAMFS: /* read-only only when it is filled */
                return mount_new_words(plan->kind == MOUNT_RAMFS ? "ramfs" : "tmpfs", plan->data,
                                       plan->attributes & ~(uint64_t) MOUNT_ATTR_RDONLY, reterr);
        case MOUNT_DEVPTS:
                return mount_new_words("devpts", plan->data, plan->attributes, reterr);
        default:
                return clone_source(plan, reterr);
        }
}

/* The symlink that stands in for the source. One that is there already is left where it leads to the same. */
static int make_symlink(const Init *init, const MountPlan *plan, Error *reterr) {
        const char *name = path_basename(plan->destination);
        _cleanup_free_ char *directory = strndup(plan->destination, (size_t) (name - plan->destination));
        char there[PATH_MAX];

        if (!directory)
                return error_oom(reterr);
        _cleanup_fd_ int parent = path_mkdirs_in_root(init->root_fd, directory, 0755, (uid_t) -1, (gid_t) -1);
        if (parent < 0)
                return error_set_errno(reterr, parent, "cannot make '%s' in the container", directory);
        if (symlinkat(plan->data, parent, name) == 0)
                return 0;
        if (errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make the symlink");
        ssize_t n = readlinkat(parent, name, there, sizeof(there) - 1);
        if (n >= 0)
                there[n] = 0;
        return n >= 0 && str_equal(there, plan->data) ? 0 : error_set(reterr, -EEXIST, ERROR_EXISTS, "something else is there already");
}

static bool is_directory(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode);
}

/* Fills a fresh volume with what the image has at that place, owner and mode of the directory included. */
static int copy_up(int target_fd, int mount_fd, const MountPlan *plan, Error *reterr) {
        /* a tmpfs is root's and everybody's (1777) as with Podman, whatever the image has in its place */
        bool keep = plan->keep_owner || plan->kind == MOUNT_TMPFS || plan->kind == MOUNT_RAMFS;
        _cleanup_fd_ int from = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int to = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        struct stat before;

        if (from < 0 || to < 0 || fstat(to, &before) < 0)
                return error_set_errno(reterr, -errno, "cannot open it");
        int empty = copy_directory_is_empty(to);
        if (empty < 0)
                return error_set_errno(reterr, empty, "cannot read it");
        if (!empty)
                return 0;
        int r = copy_directory(from, to, reterr);
        if (r >= 0 && keep && fchown(to, before.st_uid, before.st_gid) < 0)
                r = error_set_errno(reterr, -errno, "cannot set its owner");
        if (r >= 0 && keep && fchmod(to, before.st_mode & 07777) < 0)
                r = error_set_errno(reterr, -errno, "cannot set its mode");
        return r;
}

/* :U makes the source the property of the container's user. */
static int give_to_user(const Init *init, int mount_fd, bool directory, Error *reterr) {
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        const ContainerConfig *config = init->plan->config;
        int r = user_resolve(init->root_fd, config->user, config->group_add, &user, reterr);

        if (r < 0)
                return r;
        if (directory)
                return copy_change_owner(mount_fd, user.uid, user.gid, reterr);
        if (fchownat(mount_fd, "", user.uid, user.gid, AT_EMPTY_PATH) < 0)
                return error_set_errno(reterr, -errno, "cannot change the owner");
        return 0;
}

/* Whatever symlinks led there: the root and the kernel's own file systems are not covered. What is asked for by name is
 * refused when the container is made, this is for what only the image knows. */
int init_check_target(const Init *init, int target_fd, Error *reterr) {
        struct stat root, target;
        struct statfs about;

        if (fstat(init->root_fd, &root) < 0 || fstat(target_fd, &target) < 0 || fstatfs(target_fd, &about) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the place");
        if (root.st_dev == target.st_dev && root.st_ino == target.st_ino)
                return error_set(reterr, -EPERM, ERROR_DENIED, "it is a symlink to the root");
        if ((about.f_type == PROC_SUPER_MAGIC || about.f_type == SYSFS_MAGIC) && !init->plan->config->privileged)
                return error_set(reterr, -EPERM, ERROR_DENIED, "what the kernel shows there must not be covered");
        return 0;
}

static int mount_one(const Init *init, const MountPlan *plan, Error *reterr) {
        if (plan->kind == MOUNT_SYMLINK)
                return make_symlink(init, plan, reterr);
        _cleanup_fd_ int fd = make_mount(plan, reterr);
        _cleanup_fd_ int target = -EBADF;
        int r = 0;

        if (fd < 0)
                return fd;
        bool directory = is_directory(fd);
        target = init_open_target(init, plan->destination, /* as_file= */ !directory, reterr);
        if (target < 0)
                return target;
        r = init_check_target(init, target, reterr);
        if (r >= 0 && plan->copy_up && directory)
                r = copy_up(target, fd, plan, reterr);
        if (r >= 0 && plan->chown)
                r = give_to_user(init, fd, directory, reterr);
        if (r >= 0)
                r = mount_set(fd, plan->attributes, 0, plan->recursive, reterr);
        if (r == -EPERM && (plan->attributes & MOUNT_ATTR__ATIME))
                error_hint(reterr, "when a mount of the host notes accesses can only the machine's root change: leave noatime out");
        if (r >= 0)
                r = mount_set(fd, 0, plan->propagation ?: MS_PRIVATE, plan->propagation ? plan->propagation_recursive : plan->recursive, reterr);
        return r < 0 ? r : mount_attach(fd, target, reterr);
}

int init_mount_volumes(Init *init, Error *reterr) {
        for (size_t i = 0; i < init->plan->n_mounts; i++) {
                const MountPlan *plan = &init->plan->mounts[i];
                int r = init_is_terminals(plan) ? 0 : mount_one(init, plan, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount '%s' on '%s'", plan->source ?: plan->kind == MOUNT_DEVPTS ? "devpts" : "tmpfs", plan->destination);
        }
        return 0;
}
