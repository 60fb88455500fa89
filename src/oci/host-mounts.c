/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts in the runtime's own mount namespace. */
#include "oci/host-mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U /* Linux 6.8; before it, an ID may come again */
#endif

enum { STACKED_MAX = 16 };

/* The mount that a directory is in: its ID; *ret_is_root where the directory is where it is mounted. */
static int mount_of(int fd, uint64_t *ret, bool *ret_is_root) {
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &st) < 0)
                return -errno;
        *ret = st.stx_mnt_id;
        *ret_is_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
        return 0;
}

static int open_place(const OciRecord *record) {
        int fd = open(record->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int oci_host_mounts_plan(const RuntimeSpec *spec, OciRecord *record, Error *reterr) {
        bool is_root;

        if (runtime_spec_namespace(spec, "mount"))
                return 0;
        _cleanup_fd_ int fd = open_place(record);
        int r = fd < 0 ? fd : mount_of(fd, &record->mount_below, &is_root);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open the root file system '%s'", record->rootfs);
        record->has_host_mounts = true;
        return 0;
}

void oci_host_mounts_note(OciRecord *record) {
        bool is_root = false;
        uint64_t id = 0;

        if (!record->has_host_mounts)
                return;
        _cleanup_fd_ int fd = open_place(record);
        if (fd >= 0 && mount_of(fd, &id, &is_root) >= 0 && is_root && id != record->mount_below)
                record->root_mount = id;
}

int oci_host_mounts_remove(const OciRecord *record, Error *reterr) {
        /* a create that was killed has noted no mount of its own: then it is what lies on the one that was there before */
        for (int i = 0; record->has_host_mounts && i < STACKED_MAX; i++) {
                _cleanup_fd_ int fd = open_place(record);
                char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
                bool is_root;
                uint64_t id;

                if (fd == -ENOENT || fd == -ENOTDIR)
                        return 0;
                int r = fd < 0 ? fd : mount_of(fd, &id, &is_root);
                if (r >= 0 && (!is_root || id == record->mount_below || (record->root_mount != 0 && id != record->root_mount)))
                        return 0;
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                if (r >= 0 && umount2(path, MNT_DETACH) < 0)
                        r = -errno;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot unmount the container's root file system '%s'", record->rootfs);
        }
        return 0;
}
