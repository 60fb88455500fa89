/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that somebody else may have shaped: resolved by the kernel below a directory's descriptor with openat2(2), never
 * as strings. Linux 5.14 is the least version sdpod runs on, so there is no fallback. */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/macro.h"

/* Opens `path` as a chroot to `root_fd` would see it: `..` and absolute symlinks stay inside (RESOLVE_IN_ROOT), and
 * magic links are refused. `flags` are open(2)'s (O_CLOEXEC is added). Returns a descriptor or -errno. */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/* Opens `path` below `dir_fd` without following any symlink at all (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). */
int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/* Makes all directories of `path` inside `root_fd` (existing ones and symlinks to directories inside are walked) and
 * returns an O_PATH descriptor of the last. New ones get `mode` and, unless (uid_t) -1, the owner. */
int path_mkdirs_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid);

/* Makes `path` and its parents on the host, by string, for directories that are ours (XDG base directories). */
int path_mkdirs(const char *path, mode_t mode);

/* Opens (makes where missing) the directory `name` in `dir_fd`, without following a symlink. */
int path_open_or_make_dir(int dir_fd, const char *name, mode_t mode);

/* Whether `name` in `dir_fd` is, without following it if it is a symlink, what a stat(2) has told of: not gone, and no other by now. */
bool path_leads_to(int dir_fd, const char *name, const struct stat *st);

/* Removes `name` in `dir_fd` and all below it, without following symlinks and without crossing into another mount, in
 * bounded memory and descriptors whatever the depth. A missing one is not an error, nor is what another
 * command removes of it meanwhile. Directories that deny access are opened up first. */
int path_remove_tree(int dir_fd, const char *name);

/* A path as it reads after removing "//", "/./" and resolving ".." as text, for comparing and showing, never for
 * opening. Absolute paths only: NULL with errno EINVAL otherwise. Owned. */
char *path_simplify(const char *path);

/* The last component, borrowed. */
const char *path_basename(const char *path) _pure_;

/* Where the user's systemd manager has its runtime files: /run for root, $XDG_RUNTIME_DIR, or /run/user/UID where that is not set. Owned;
 * NULL when out of memory. */
char *path_user_runtime(void);
