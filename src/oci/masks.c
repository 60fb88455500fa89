/* SPDX-License-Identifier: Apache-2.0 */
/* Masked and read-only paths. What covers a masked file is the host's /dev/null as it was verified before the container had a word in it
 * (CVE-2025-31133); what is covered is a descriptor, not a path. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "oci/inside.h"
#include "proc/mount.h"

#define ATTR_KERNEL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* An empty directory that nothing can be written to: all masks are mounts of one. */
static int mount_empty(const OciInside *inside, Error *reterr) {
        static const MountOption options[] = { { "mode", "0755" }, { "size", "0" }, { "nr_inodes", "1" }, {} };

        if (inside->empty_fd >= 0)
                return mount_clone(inside->empty_fd, "", /* recursive= */ false, reterr);
        return mount_new("tmpfs", "tmpfs", options, ATTR_KERNEL | MOUNT_ATTR_RDONLY, reterr);
}

/* What is not there needs no mask, and what cannot be opened is masked already. */
static bool needs_none(int code) {
        return code == -ENOENT || code == -EACCES || code == -ENOTDIR;
}

static int mask(OciInside *inside, const char *path, Error *reterr) {
        _cleanup_fd_ int target = path_open_in_root(inside->root_fd, path, O_PATH, 0), fd = -EBADF;
        struct stat st;

        if (needs_none(target))
                return 0;
        if (target < 0 || fstat(target, &st) < 0)
                return error_set_errno(reterr, target < 0 ? target : -errno, "cannot mask '%s'", path);
        fd = S_ISDIR(st.st_mode) ? mount_empty(inside, reterr) : mount_clone(inside->null_fd, "", /* recursive= */ false, reterr);
        int r = fd < 0 ? fd : mount_attach(fd, target, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mask '%s'", path);
        if (S_ISDIR(st.st_mode) && inside->empty_fd < 0)
                inside->empty_fd = TAKE_FD(fd); /* attached, so that it can be cloned */
        return 0;
}

static int make_read_only(const OciInside *inside, const char *path, Error *reterr) {
        _cleanup_fd_ int target = path_open_in_root(inside->root_fd, path, O_PATH, 0), fd = -EBADF;

        if (needs_none(target))
                return 0;
        if (target < 0)
                return error_set_errno(reterr, target, "cannot make '%s' read-only", path);
        fd = mount_clone(target, "", /* recursive= */ true, reterr);
        int r = fd < 0 ? fd : mount_set(fd, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        if (r >= 0)
                r = mount_attach(fd, target, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot make '%s' read-only", path) : 0;
}

int oci_hide_paths(OciInside *inside, Error *reterr) {
        int r = 0;

        for (char **path = inside->spec->readonly_paths; path && *path && r >= 0; path++)
                r = make_read_only(inside, *path, reterr);
        for (char **path = inside->spec->masked_paths; path && *path && r >= 0; path++)
                r = mask(inside, *path, reterr);
        return r;
}
