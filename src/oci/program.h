/* SPDX-License-Identifier: Apache-2.0 */
/* Which file args[0] means. Engines know what went wrong from the words (reference: docs/ENGINES.md): they are runc's. */
#pragma once

#include "spec/runtime-spec.h"

/* Goes to the working directory (process.cwd) and finds args[0] there or in $PATH, with the user's rights over files, and the caller's
 * own again afterwards. The runtime's own program is refused. To be called as root in the container's root; `proc_fd` is the host's
 * /proc. */
int oci_program_prepare(const RuntimeProcess *process, int proc_fd, char **ret, Error *reterr);

/* The error for a failed execve(). Returns `code`. */
int oci_program_explain(int code, const char *name, Error *reterr);
