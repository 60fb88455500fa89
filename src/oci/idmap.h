/* SPDX-License-Identifier: Apache-2.0 */
/* ID-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP): made by the runtime, as root of a user namespace may not. */
#pragma once

#include "oci/mount-options.h"
#include "oci/namespaces.h"

static inline bool oci_idmap_is_asked(const RuntimeMount *mount, const OciMountOptions *options) {
        return options->idmap || mount->n_uid_mappings > 0 || mount->n_gid_mappings > 0;
}

/* Maps the IDs of a detached mount by its own mappings, or by the container's user namespace: that of the process behind the pidfd,
 * whose maps are written. */
int oci_idmap_mount(int tree_fd, const RuntimeMount *mount, const OciMountOptions *options, const OciNamespaces *namespaces, int pidfd,
                    pid_t pid, Error *reterr);
