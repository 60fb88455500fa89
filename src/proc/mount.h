/* SPDX-License-Identifier: Apache-2.0 */
/* The mount API by descriptors (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2), Linux 5.2 to 5.12): a mount is
 * made detached, given its attributes, and then put onto a descriptor of its target, which nobody can exchange. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct MountOption {
        const char *key;
        const char *value; /* NULL: a flag without value */
} MountOption;

/* Makes a file system of type `type`, which /proc/mounts shows as `source`, with options (ended by a NULL key; NULL: none) and mount attributes MOUNT_ATTR_*.
 * Returns a descriptor of the detached mount. The kernel's own words are in the message where it said some. */
int mount_new(const char *type, const char *source, const MountOption *options, uint64_t attributes, Error *reterr);

/* The same with options as mount(8) writes them ("size=1m,mode=700"; NULL: none). */
int mount_new_words(const char *type, const char *words, uint64_t attributes, Error *reterr);

/* Makes an overlay of the directories behind these descriptors, the highest first, which must be of this mount namespace; with
 * `upper_fd` and `work_fd` -EBADF it is read-only, and takes at least two. Returns a descriptor of the detached mount. */
int mount_new_overlay(const int *lower_fds, size_t n, int upper_fd, int work_fd, Error *reterr);

/* A detached copy of the mount at `path` below `dir_fd` (AT_FDCWD: the process's view; path "" with a descriptor: that
 * very object), with what is mounted below it when `recursive`. */
int mount_clone(int dir_fd, const char *path, bool recursive, Error *reterr);

/* Sets attributes (MOUNT_ATTR_RDONLY, ...) on a mount, and on all below it when `recursive`. `propagation` is 0 or one of
 * MS_PRIVATE, MS_SLAVE, MS_SHARED. */
int mount_set(int mount_fd, uint64_t attributes, uint64_t propagation, bool recursive, Error *reterr);

/* Clears attributes of a mount; -EPERM for those that it got from a user namespace above (mount_namespaces(7), locked). */
int mount_unset(int mount_fd, uint64_t attributes, Error *reterr);

/* Puts a detached mount onto the object behind `target_fd`. */
int mount_attach(int mount_fd, int target_fd, Error *reterr);
