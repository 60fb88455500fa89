/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a command's first word means, and why it could not be executed. */
#pragma once

#include "base/error.h"

enum { SD_LISTEN_FDS_MAX = 64 };

/* Looks `name` up in `path` (colon-separated; NULL: the default) as execvp(3) does, in the present root and as the present
 * user. A name with a slash is itself. -ENOENT: ERROR_COMMAND_NOT_FOUND. *ret is owned. */
int exec_path_find(const char *name, const char *path, char **ret, Error *reterr);

/* The error for a failed execve() of `name`: 127 for what is not there, 126 for what cannot be executed. Returns `code`. */
int exec_path_explain(int code, const char *name, Error *reterr);
