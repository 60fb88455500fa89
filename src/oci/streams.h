/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors, the signals and the session of a process that is about to be executed in a container. */
#pragma once

#include "spec/runtime-spec.h"

/* Closes all but 0, 1, 2, the `n_kept` from 3 on, and those in `fds` (-EBADF ones are passed over), which close on exec. Whatever the
 * caller's own caller left open is gone before a path of the container is looked up (CVE-2024-21626). */
int oci_streams_close(int n_kept, const int *fds, size_t n_fds, Error *reterr);

/* A session of its own, with the terminal as 0, 1, 2 and its controlling one where there is one. Pipes become the user's: a process may
 * open /dev/stdout, which asks the pipe's owner. */
int oci_streams_take(int console_fd, const RuntimeUser *user, Error *reterr);

/* Goes to the working directory, and verifies that it is inside the root. -EACCES: perhaps as the user. */
int oci_streams_enter(const char *cwd, Error *reterr);

/* Default dispositions and an empty mask. */
void oci_streams_reset_signals(void);
