/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a person or an administrator wrote, and where they lie. */
#pragma once

#include "base/error.h"

enum { CONFIG_FILE_LIMIT = 1024 * 1024 };

/* Reads a regular file (a symlink to one is followed: dotfiles are often that), never blocking. Owned, NUL-terminated; a NUL
 * inside is refused. -ENOENT without a message; else a message with the path. */
int config_file_read(const char *path, char **ret, Error *reterr);

/* Directories of the user, each joined with `rest`; owned. NULL: out of memory, or there is no such directory (then errno is
 * ENOENT). $XDG_CONFIG_HOME or ~/.config; $XDG_RUNTIME_DIR or /run/containers/UID; the home directory. */
char *config_home_path(const char *rest);
char *config_runtime_path(const char *rest);
char *config_user_path(const char *rest);

/* The names in a directory that end with `suffix`, sorted; NULL where there is none, or no directory. */
int config_list(const char *dir, const char *suffix, char ***ret, Error *reterr);
