/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a directory's content with owners, modes, times, extended attributes and hard links kept, and holes
 * of sparse files. */
#pragma once

#include "base/error.h"

/* Copies all that is in directory `from_fd` into the existing directory `to_fd`, and gives `to_fd` the owner and mode of
 * `from_fd`. Symlinks are copied, never followed; other file systems mounted below are not entered; device nodes that the
 * caller may not make are left out. */
int copy_directory(int from_fd, int to_fd, Error *reterr);

/* The same over what `to_fd` has already, as an image layer goes over those below it: entries replace others of their name,
 * directories are merged unless they are marked opaque, and a whiteout (a character device 0:0) removes. */
int copy_layer(int from_fd, int to_fd, Error *reterr);

/* Gives the directory behind `fd` and all below it to uid:gid, symlinks themselves included. */
int copy_change_owner(int fd, uid_t uid, gid_t gid, Error *reterr);

/* Whether the directory has no entries. -errno when it cannot be read. */
int copy_directory_is_empty(int fd);
