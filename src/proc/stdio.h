/* SPDX-License-Identifier: Apache-2.0 */
/* The standard streams, descriptors and working directory of a process that is about to be executed in a container. */
#pragma once

#include "proc/user.h"

/* Puts `stdio` (-EBADF: /dev/null) at 0, 1, 2, or the terminal's own side `console_fd` at all three, in a session of
 * its own. Pipes become the user's: a process may open /dev/stdout, which asks the pipe's owner. */
int stdio_take(const int stdio[3], int console_fd, const ContainerUser *user, Error *reterr);

/* Descriptors of the caller that a process is given besides its standard streams; borrowed. */
typedef struct StdioKept {
        int n_first;         /* socket-activation descriptors: from 3 on so many (sd_listen_fds(3)) */
        const int *fds;      /* others, ascending, none below 3 */
        size_t n_fds;
} StdioKept;

/* Closes all descriptors but 0, 1, 2, those in `kept` and *sync_fd, which may move, and closes on exec. */
int stdio_close_others(const StdioKept *kept, int *sync_fd, Error *reterr);

/* Closes all descriptors but the streams' sources, those in `kept` (which has no first ones), and `own`. Of 0, 1 and 2 those that are not
 * among these become `null_fd`. */
int stdio_close_host(const int stdio[3], const StdioKept *kept, int null_fd, const int *own, size_t n_own, Error *reterr);

/* Changes into the working directory (NULL, "": the root), making it for `user` where it is missing and `make`, and verifies
 * that it is inside the root. */
int stdio_enter_workdir(const char *path, bool make, const ContainerUser *user, Error *reterr);
