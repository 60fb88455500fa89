/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of sdpod-net once it serves. */
#pragma once

/* Installs the filter. `name` in `dir_fd` is the one file outside the empty root that may be opened; NULL: none. Needs
 * no_new_privs. Returns 0 or -errno. */
int seccomp_filter_install(int dir_fd, const char *name);
