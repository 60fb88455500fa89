/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's layers become its root file system: which driver, which directories. */
#pragma once

#include "ns/idmap.h"
#include "state/container.h"

typedef enum StorageDriver {
        STORAGE_OVERLAY, /* the kernel's overlayfs, mounted inside the container's own mount namespace (Linux 5.11) */
        STORAGE_FUSE,    /* the fuse-overlayfs program */
        STORAGE_VFS,     /* neither: each container has a copy of all layers */
        _STORAGE_DRIVER_MAX,
} StorageDriver;

const char *storage_driver_to_string(StorageDriver driver) _pure_;

/* The driver of this user: the one that was named ("overlay", "fuse-overlayfs", "vfs"), or the first that works here. What works
 * is tried once a boot and noted in the runtime directory; *ret_reason (owned, may be NULL) says why, for `info`. */
int storage_driver_choose(const Store *store, const char *wanted, StorageDriver *ret, char **ret_reason, Error *reterr);

/* The driver that this container's files need: one that was started with vfs stays with it, and one that has an upper directory
 * cannot become one. `wanted` as above. */
int storage_driver_for_container(const Store *store, const Container *container, const char *wanted, StorageDriver *ret, Error *reterr);

/* Whether the container has a copy of its own of all layers. */
bool rootfs_is_vfs(const Container *container);

/* Copies the layers (rootfs_lower_paths()) into containers/ID/vfs, where that is not done yet. */
int rootfs_vfs_make(const Store *store, Container *container, char *const *lower, const UserMap *base, Error *reterr);

/* Makes containers/ID/upper and work where missing. */
int rootfs_make_directories(Container *container, const Store *store, Error *reterr);

/* Paths of the layers below the data directory, highest first; the last one is ours and holds mount points. Owned. */
int rootfs_lower_paths(const Store *store, char *const *diff_ids, char ***ret, Error *reterr);

/* Starts fuse-overlayfs in a namespace of the user's own map, with files shown as `map` wants them, and gives a detached
 * mount of it. The process ends by itself when the last mount of it goes. `base` is the user's map. A FUSE file system answers
 * only processes of the user namespace it was mounted in and of those below (fuse(4)): *userns_fd is that namespace, and
 * the container's must be made inside it. Where it is one already (not -EBADF), with that map, the program runs there. */
int rootfs_fuse_mount(const Store *store, const Container *container, char *const *lower, const UserMap *base, const UserMap *map,
                      int *ret_tree_fd, int *userns_fd, Error *reterr);

/* Workspaces of overlays outside the container itself (engine/mounts.h), one for each mount namespace; below containers/ID. */
#define ROOTFS_WORK_MOUNTS "work-mounts"

/* For container_delete(): removes upper and work, whoever owns the files. `data` is not used. */
int rootfs_remove(int dir_fd, void *data, Error *reterr);
