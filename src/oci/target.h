/* SPDX-License-Identifier: Apache-2.0 */
/* Places inside a container's root for something to be mounted or made there: found by the kernel, held by descriptors. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* Opens (O_PATH) `path` inside the root, making what is missing: directories, and at the end a directory or an empty file
 * (`as_file`). Symlinks resolve inside the root, also those that lead to what is not there yet. -ENOTDIR or -EISDIR where something of
 * the other kind is there. */
int oci_target_open(int root_fd, const char *path, bool as_file, Error *reterr);

/* The same for /proc, /sys and the like, on the way to which no symlink may be, so that nothing can stand in for them. */
int oci_target_open_plain(int root_fd, const char *path, Error *reterr);

/* Opens the directory in which `path` lies, making it where missing; *ret_name is the last component, borrowed from `path`. */
int oci_target_parent(int root_fd, const char *path, const char **ret_name, Error *reterr);
