/* SPDX-License-Identifier: Apache-2.0 */
/* What a container sees of its cgroup: one file system where the machine has cgroup v2 alone; else a directory with one for each
 * hierarchy, as programs know it from the host. With a cgroup namespace each is mounted anew and has the container's cgroup as
 * its root; without one it is the host's mount of that cgroup. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "oci/annotations.h"
#include "oci/inside.h"
#include "oci/mounts.h"
#include "oci/target.h"
#include "proc/mount.h"

#define HOST_CGROUP "/sys/fs/cgroup"
enum { PROC_CGROUP_LIMIT = 64 * 1024 };

static bool has_own_namespace(const OciInside *inside) {
        return oci_namespaces_has(inside->namespaces, CLONE_NEWCGROUP);
}

/* The host's mount of this process's cgroup in a hierarchy. */
static int clone_hosts(const char *hierarchy, const char *path, Error *reterr) {
        _cleanup_free_ char *full = str_format(HOST_CGROUP "/%s%s", hierarchy, path);

        return full ? mount_clone(AT_FDCWD, full, /* recursive= */ true, reterr) : error_oom(reterr);
}

static int attach(const OciInside *inside, const char *destination, int fd, const OciMountOptions *options, Error *reterr) {
        _cleanup_fd_ int target = fd < 0 ? fd : oci_target_open(inside->root_fd, destination, /* as_file= */ false, reterr);
        int r = target < 0 ? target : oci_mount_finish(fd, options, reterr);

        return r < 0 ? r : mount_attach(fd, target, reterr);
}

static int mount_unified(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int fd = -EBADF;
        bool own = has_own_namespace(inside);

        if (own) /* else its options would be the machine's: a mount without nsdelegate takes it from all */
                fd = mount_new("cgroup2", "cgroup", NULL, options->set, &error);
        if (fd < 0 && (fd == -EBADF || fd == -EPERM || fd == -EBUSY))
                fd = clone_hosts(cgroup_is_unified() ? "" : "unified", "", reterr);
        else if (fd < 0)
                return error_move(reterr, &error);
        return attach(inside, mount->destination, fd, options, reterr);
}

/* "cpu,cpuacct" and the path of one line "4:cpu,cpuacct:/a/b" of /proc/self/cgroup; NULL where it is none of version 1. */
static char *parse_line(char *line, char **ret_path) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

        if (!path || path == names + 1)
                return NULL;
        *path = 0;
        *ret_path = path + 1;
        return names + 1;
}

/* "name=systemd" is the directory systemd; other hierarchies have the directory that the host gave them, which the kernel does not tell
 * ("cpu,cpuacct" as well as "cpuacct,cpu"): it is looked up. */
static const char *directory_of(const char *names, char buffer[static 256]) {
        const char *name = str_after(names, "name=") ?: names, *comma = strchr(name, ',');

        (void) snprintf(buffer, 256, HOST_CGROUP "/%s", name);
        if (!comma || access(buffer, F_OK) == 0)
                return name;
        (void) snprintf(buffer, 256, "%s,%.*s", comma + 1, (int) (comma - name), name);
        return buffer;
}

static int make_links(int parent_fd, const char *directory, const char *names) {
        _cleanup_strv_ char **parts = strv_split(names, ",");

        if (!parts)
                return -ENOMEM;
        for (char **p = parts; *p; p++)
                if (!str_equal(*p, directory) && strv_length(parts) > 1 && symlinkat(directory, parent_fd, *p) < 0 && errno != EEXIST)
                        return -errno;
        return 0;
}

static int mount_hierarchy(const OciInside *inside, int parent_fd, const char *names, const char *path, const OciMountOptions *options,
                           Error *reterr) {
        const OciMountOptions part = { .set = options->set & ~(uint64_t) MOUNT_ATTR__ATIME, .set_below = options->set_below };
        _cleanup_fd_ int fd = -EBADF, target = -EBADF;
        char buffer[256];
        const char *directory = directory_of(names, buffer);

        if (has_own_namespace(inside)) {
                _cleanup_free_ char *words = strdup(str_after(names, "name=") ? "none" : names);
                const char *name = str_after(names, "name=");
                const MountOption named[] = { { "none", NULL }, { "name", name }, {} };

                if (!words)
                        return error_oom(reterr);
                fd = name ? mount_new("cgroup", "cgroup", named, options->set, reterr) : mount_new_words("cgroup", words, options->set, reterr);
        } else
                fd = clone_hosts(directory, path, reterr);
        if (fd < 0)
                return fd;
        if (mkdirat(parent_fd, directory, 0755) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make the directory '%s'", directory);
        target = openat(parent_fd, directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(reterr, -errno, "cannot open the directory '%s'", directory);
        int r = oci_mount_finish(fd, &part, reterr);
        if (r >= 0)
                r = mount_attach(fd, target, reterr);
        if (r >= 0 && make_links(parent_fd, directory, names) < 0)
                r = error_set_errno(reterr, -errno, "cannot make the symlinks to '%s'", directory);
        return r;
}

static int read_own_cgroups(const OciInside *inside, char **ret, Error *reterr) {
        _cleanup_fd_ int fd = openat(inside->proc_fd, "self/cgroup", O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : io_read_all(fd, PROC_CGROUP_LIMIT, ret, /* ret_size= */ NULL);

        return r < 0 ? error_set_errno(reterr, r, "cannot read the cgroup of the container") : 0;
}

/* `only`: the one hierarchy that is wanted; NULL: all. */
static int mount_legacy(const OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, const char *only, Error *reterr) {
        static const MountOption words[] = { { "mode", "755" }, {} };
        const OciMountOptions top = { .set = options->set & ~(uint64_t) MOUNT_ATTR_RDONLY };
        _cleanup_fd_ int fd = mount_new("tmpfs", "tmpfs", words, top.set, reterr);
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        size_t n = 0;
        int r = fd < 0 ? fd : read_own_cgroups(inside, &text, reterr);

        if (r >= 0) /* mounts are attached in it: it must be attached itself first */
                r = attach(inside, mount->destination, fd, &top, reterr);
        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &save); line && r >= 0; line = strtok_r(NULL, "\n", &save)) {
                char *path, *names = parse_line(line, &path);

                if (!names || (only && !str_equal(names, only)))
                        continue;
                r = mount_hierarchy(inside, fd, names, path, options, reterr);
                n++;
        }
        if (r >= 0 && only && n == 0)
                r = error_set(reterr, -ENODEV, ERROR_UNSUPPORTED, "the machine has no cgroup v1 hierarchy '%s'", only);
        if (r >= 0 && options->set & MOUNT_ATTR_RDONLY)
                r = mount_set(fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        for (size_t i = 0; i < options->n_propagation && r >= 0; i++)
                r = mount_set(fd, 0, options->propagation[i] & ~(uint64_t) MS_REC, options->propagation[i] & MS_REC, reterr);
        return r;
}

int oci_mount_cgroups(OciInside *inside, const RuntimeMount *mount, const OciMountOptions *options, Error *reterr) {
        if (str_equal(mount->destination, oci_systemd_v1_place(inside->spec)))
                return mount_legacy(inside, mount, options, "name=systemd", reterr);
        if (str_equal(mount->type, "cgroup2") || cgroup_is_unified())
                return mount_unified(inside, mount, options, reterr);
        return mount_legacy(inside, mount, options, /* only= */ NULL, reterr);
}
