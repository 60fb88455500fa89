/* SPDX-License-Identifier: Apache-2.0 */
/* Work on files that belong to the user's subordinate IDs: done inside a user namespace where they are mapped. */
#pragma once

#include "ns/idmap.h"

/* Removes `name` in `dir_fd` and all below it. Tried as the user first, and only where that is denied in a namespace. */
int mapped_remove_tree(int dir_fd, const char *name, Error *reterr);

/* Bytes of all files in the tree `name` in `dir_fd`; 0 where there is none. */
int mapped_measure_tree(int dir_fd, const char *name, uint64_t *ret, Error *reterr);

/* Gives one file or directory to IDs of the user's view (ns/idmap.h). */
int mapped_change_owner(const UserMap *base, const char *path, uid_t uid, gid_t gid, Error *reterr);

/* Calls `make` for 0 to n-1 as root of the user's map, in a mount namespace of its own in which the host's mounts are what they
 * were: it returns a detached mount (open_tree(2), fsmount(2)), which comes out as fds[i]. For what a container's root may not
 * reach or make itself. `fds` has room for n. */
int mapped_make_trees(const UserMap *base, int (*make)(void *data, size_t i, Error *reterr), void *data, size_t n, int *fds,
                      Error *reterr);
