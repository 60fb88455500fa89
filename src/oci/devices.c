/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes and symlinks of /dev (config-linux.md, "Default Devices" and "Devices", runtime-linux.md). A node is made where the
 * kernel lets us, and else the host's is bound. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/inside.h"
#include "oci/mounts.h"
#include "oci/target.h"
#include "proc/mount.h"

static mode_t type_of(const RuntimeDevice *device) {
        switch (*device->type) {
        case 'b':
                return S_IFBLK;
        case 'p':
                return S_IFIFO;
        default: /* "c" and, unbuffered, "u" */
                return S_IFCHR;
        }
}

static bool is_same(const struct stat *st, const RuntimeDevice *device) {
        if ((st->st_mode & S_IFMT) != type_of(device))
                return false;
        return *device->type == 'p' || st->st_rdev == makedev((unsigned) device->major, (unsigned) device->minor);
}

/* The host's node of that name, which must be that very device. */
static int clone_hosts(const RuntimeDevice *device, Error *reterr) {
        _cleanup_fd_ int source = open(device->path, O_PATH | O_CLOEXEC);
        struct stat st;

        if (source < 0 || fstat(source, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open the host's");
        if (!is_same(&st, device))
                return error_set(reterr, -ENODEV, ERROR_DENIED, "it cannot be made, and the host's is another device");
        return mount_clone(source, "", /* recursive= */ false, reterr);
}

static int bind_device(const RuntimeDevice *device, int tree_fd, int parent_fd, const char *name, Error *reterr) {
        _cleanup_fd_ int tree = tree_fd >= 0 ? fcntl(tree_fd, F_DUPFD_CLOEXEC, 3) : clone_hosts(device, reterr), target = -EBADF;
        struct stat st;

        if (tree < 0)
                return tree;
        int made = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (made < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make a file for it");
        (void) fd_close(made);
        target = openat(parent_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0 || fstat(target, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open the file for it");
        if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "something else is there already");
        int r = mount_set(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, /* recursive= */ false, reterr);
        return r < 0 ? r : mount_attach(tree, target, reterr);
}

static int make_node(const RuntimeDevice *device, int parent_fd, const char *name) {
        mode_t mode = device->has_file_mode ? device->file_mode & 07777 : 0666;

        if (mknodat(parent_fd, name, type_of(device) | mode, makedev((unsigned) device->major, (unsigned) device->minor)) < 0)
                return -errno;
        uid_t uid = device->has_uid ? device->uid : 0;
        gid_t gid = device->has_gid ? device->gid : 0;
        if ((uid != 0 || gid != 0) && fchownat(parent_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

/* `tree_fd`: the node as the starter made it, or -EBADF. */
static int make_device(const OciInside *inside, const RuntimeDevice *device, int tree_fd, bool is_default, Error *reterr) {
        bool may_make = !oci_namespaces_has(inside->namespaces, CLONE_NEWUSER) || *device->type == 'p';
        size_t n = strlen(device->path);
        _cleanup_fd_ int parent = -EBADF;
        const char *name;
        struct stat st;

        while (n > 1 && device->path[n - 1] == '/')
                n--;
        _cleanup_free_ char *path = strndup(device->path, n);
        if (!path)
                return error_oom(reterr);
        parent = oci_target_parent(inside->root_fd, path, &name, reterr);
        if (parent < 0)
                return parent;
        int r = may_make ? make_node(device, parent, name) : -EPERM;
        if (r == 0)
                return 0;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                if (is_same(&st, device))
                        return 0;
                /* of an image that was packed without them */
                if (!is_default || !S_ISREG(st.st_mode))
                        return error_set(reterr, -EEXIST, ERROR_EXISTS, "something else is there already");
                r = -EPERM;
        }
        return r == -EPERM || r == -EACCES ? bind_device(device, tree_fd, parent, name, reterr) : error_set_errno(reterr, r, "cannot make the node");
}

static bool is_listed(const RuntimeSpec *spec, const char *path) {
        for (size_t i = 0; i < spec->n_devices; i++)
                if (str_equal(spec->devices[i].path, path))
                        return true;
        return false;
}

static int make_default_devices(const OciInside *inside, Error *reterr) {
        static const struct {
                const char *path;
                unsigned device_major, device_minor;
        } devices[] = { { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
                        { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };

        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                char type[] = "c", path[32];
                RuntimeDevice device = { .type = type, .path = path, .major = devices[i].device_major, .minor = devices[i].device_minor };

                if (is_listed(inside->spec, devices[i].path))
                        continue;
                (void) snprintf(path, sizeof(path), "%s", devices[i].path);
                int r = make_device(inside, &device, -EBADF, /* is_default= */ true, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot give the container the device '%s'", devices[i].path);
        }
        return 0;
}

/* The multiplexer of the container's own terminals; an image's node would be the host's. */
static int link_ptmx(int dev_fd) {
        if (symlinkat("pts/ptmx", dev_fd, "ptmx") == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (unlinkat(dev_fd, "ptmx", 0) < 0 || symlinkat("pts/ptmx", dev_fd, "ptmx") < 0)
                return errno == EROFS || errno == EISDIR || errno == EBUSY ? 0 : -errno;
        return 0;
}

static int make_symlinks(const OciInside *inside, Error *reterr) {
        static const char *const links[][2] = {
                { "/proc/self/fd", "fd" },         { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
                { "/proc/self/fd/2", "stderr" },   { "/proc/kcore", "core" },
        };
        _cleanup_fd_ int dev = oci_target_open(inside->root_fd, "/dev", /* as_file= */ false, reterr);

        if (dev < 0)
                return dev;
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i][0], dev, links[i][1]) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make '/dev/%s'", links[i][1]);
        int r = link_ptmx(dev);
        return r < 0 ? error_set_errno(reterr, r, "cannot make '/dev/ptmx'") : 0;
}

/* Somebody else's /dev is left as it is. */
static bool is_foreign(const OciInside *inside) {
        for (size_t i = 0; i < inside->spec->n_mounts; i++) {
                const RuntimeMount *mount = &inside->spec->mounts[i];
                _cleanup_free_ char *simple = *mount->destination == '/' ? path_simplify(mount->destination) : NULL;

                if (str_equal(simple, "/dev") && oci_mount_is_bind(mount, &inside->options[i]))
                        return true;
        }
        return false;
}

/* ---- root's own container in a user namespace ---- */

/* An ID that is not mapped leaves the owner as it is. */
static uint32_t host_id(IdMap map, uint32_t id) {
        uint32_t host;

        return idmap_to_host(&map, id, &host) ? host : (uint32_t) -1;
}

static int prepare_device(const RuntimeSpec *spec, const RuntimeDevice *device, int directory_fd, size_t i, Error *reterr) {
        mode_t mode = device->has_file_mode ? device->file_mode & 07777 : 0666;
        uid_t uid = host_id(oci_uid_map(spec), device->has_uid ? device->uid : 0);
        gid_t gid = host_id(oci_gid_map(spec), device->has_gid ? device->gid : 0);
        char name[24];

        (void) snprintf(name, sizeof(name), "%zu", i);
        if (mknodat(directory_fd, name, type_of(device) | 0600, makedev((unsigned) device->major, (unsigned) device->minor)) < 0)
                return errno == EPERM ? -EBADF : error_set_errno(reterr, -errno, "cannot make the node"); /* then the host's is bound */
        if (fchownat(directory_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(directory_fd, name, mode, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set the owner and mode of the node");
        int tree = mount_clone(directory_fd, name, /* recursive= */ false, /* reterr= */ NULL);
        /* before Linux 6.15 nothing is cloned from what is mounted nowhere */
        return tree == -EINVAL ? -EBADF : tree < 0 ? error_set_errno(reterr, tree, "cannot hold the node") : tree;
}

/* Root of a user namespace may not make them: they are made here, with the owners that its map gives, in a file system that is mounted nowhere,
 * and each goes along as a mount of its own. */
int oci_prepare_devices(OciInside *inside, Error *reterr) {
        static const MountOption options[] = { { "mode", "0700" }, {} };
        const RuntimeSpec *spec = inside->spec;

        if (spec->n_devices == 0 || geteuid() != 0 || !(inside->namespaces->made & CLONE_NEWUSER))
                return 0;
        _cleanup_fd_ int fd = mount_new("tmpfs", "tmpfs", options, 0, /* reterr= */ NULL);
        if (fd < 0) /* no root of the machine */
                return 0;
        for (size_t i = 0; i < spec->n_devices; i++) {
                if (*spec->devices[i].type == 'p')
                        continue;
                inside->device_fds[i] = prepare_device(spec, &spec->devices[i], fd, i, reterr);
                if (inside->device_fds[i] < 0 && inside->device_fds[i] != -EBADF)
                        return error_prefix(reterr, inside->device_fds[i], "cannot give the container the device '%s'", spec->devices[i].path);
        }
        return 0;
}

/* The container's own, whatever config.json says of it: a node of the host's would open the host's terminals. */
static bool is_ptmx(const RuntimeDevice *device) {
        _cleanup_free_ char *simple = *device->path == '/' ? path_simplify(device->path) : NULL;

        return str_equal(simple, "/dev/ptmx");
}

int oci_make_devices(OciInside *inside, Error *reterr) {
        const RuntimeSpec *spec = inside->spec;
        int r = 0;

        if (is_foreign(inside))
                return 0;
        r = make_default_devices(inside, reterr);
        for (size_t i = 0; i < spec->n_devices && r >= 0; i++) {
                if (is_ptmx(&spec->devices[i]))
                        continue;
                r = make_device(inside, &spec->devices[i], inside->device_fds[i], /* is_default= */ false, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot give the container the device '%s'", spec->devices[i].path);
        }
        return r < 0 ? r : make_symlinks(inside, reterr);
}
