/* SPDX-License-Identifier: Apache-2.0 */
/* ID-mapped mounts. */
#include "oci/idmap.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/io.h"
#include "ns/handle.h"
#include "ns/pinned.h"

/* The kernel takes a map by a user namespace that has it. */
static int open_namespace(const RuntimeMount *mount, const OciNamespaces *namespaces, int pidfd, pid_t pid, Error *reterr) {
        const UserMap map = {
                .uid = { .ranges = mount->uid_mappings, .n = mount->n_uid_mappings },
                .gid = { .ranges = mount->gid_mappings, .n = mount->n_gid_mappings },
        };

        if ((mount->n_uid_mappings > 0) != (mount->n_gid_mappings > 0))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "uidMappings and gidMappings go together");
        if (mount->n_uid_mappings > 0)
                return userns_pin_directly(&map, reterr);
        if (!oci_namespaces_has(namespaces, CLONE_NEWUSER))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "idmap needs mappings, or a user namespace that has them");
        return ns_open_of_process(pidfd, pid, "user", reterr);
}

int oci_idmap_mount(int tree_fd, const RuntimeMount *mount, const OciMountOptions *options, const OciNamespaces *namespaces, int pidfd,
                    pid_t pid, Error *reterr) {
        _cleanup_fd_ int fd = open_namespace(mount, namespaces, pidfd, pid, reterr);
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) fd };

        if (fd < 0)
                return fd;
        if (mount_setattr(tree_fd, "", AT_EMPTY_PATH | (options->idmap_below ? AT_RECURSIVE : 0), &attr, sizeof(attr)) == 0)
                return 0;
        int r = error_set_errno(reterr, -errno, "cannot map its IDs");
        return r == -EINVAL ? error_with_hint(reterr, r, "not every file system can (mount_setattr(2), ID-mapped mounts)") : r;
}
