/* SPDX-License-Identifier: Apache-2.0 */
/* Which file args[0] means. Engines know what went wrong from the words (reference: docs/ENGINES.md): they are runc's. */
#pragma once

#include <sys/stat.h>

#include "spec/runtime-spec.h"

/* Goes to the working directory (process.cwd) and finds args[0] there or in $PATH, with the user's rights over files, and the caller's
 * own again afterwards, but for the groups, which stay: the process's, or the caller's with `keep_groups`. The runtime's own program, `own`, is refused. To be called as root in the container's root. */
int oci_program_prepare(const RuntimeProcess *process, bool keep_groups, const struct statx *own, char **ret, Error *reterr);

/* What is executed now, by the host's /proc: for the former. */
int oci_program_identify(int proc_fd, struct statx *ret, Error *reterr);

/* The error for a program that cannot be used as it is. Returns `code`. */
int oci_program_explain(int code, const char *name, Error *reterr);

/* The error for a failed execve() of one that is there: "no such file" is its interpreter then. Returns `code`. */
int oci_program_explain_exec(int code, const char *path, Error *reterr);
