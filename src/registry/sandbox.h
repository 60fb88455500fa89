/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that speaks to servers may still do.
 *
 * Left are: internet sockets and the routing one that getaddrinfo(3) asks for addresses (so no way to D-Bus, systemd, an agent);
 * threads, which libcurl resolves names in; reading files, of which Landlock leaves those of name resolution and the
 * certificates that the machine trusts; writing to descriptors that it is given. It cannot execute or signal anything, map code,
 * make a process, listen. Modules of nsswitch.conf that are not inside libc are not loaded: files and DNS answer. */
#pragma once

#include "base/error.h"

/* In the child: nothing of the parent's stays but these (base/io.h, fd_keep()) and the standard error. 0 or -errno. */
int fetcher_keep_fds(int *const *fds, size_t n);

/* Gives up the rest for good: core dumps, being traced, memory, files, system calls. Descriptors that are open stay. */
int fetcher_sandbox(Error *reterr);
