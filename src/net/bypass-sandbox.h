/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod-bypass may still do once it listens to the container.
 *
 * Theory of operation. To read an address from a process of the container, and to take a descriptor from it, the kernel asks for the right to
 * trace it (ptrace(2), PTRACE_MODE_ATTACH). The program enters the container's user namespace and keeps of all capabilities CAP_SYS_PTRACE,
 * and CAP_DAC_READ_SEARCH to list descriptors of other users' processes there: so its power ends at this container. To the user's own
 * processes and the other containers, over which it has none, it is a stranger, as it is in another user namespace than they. It stays in the
 * host's network namespace, and sees no files but /proc, through one descriptor: its root is an empty directory of its own. Last comes
 * seccomp. CAP_NET_BIND_SERVICE is there to be used for processes that have it (net/bypass-connect.c).
 *
 * There is no Landlock: it forbids a process under it to trace one that is not (landlock(7), "Ptrace restrictions"), which is what this
 * one is for. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Enters the user namespace (-EBADF: no), gives up files and capabilities. */
int bypass_sandbox_enter(int userns_fd, Error *reterr);

/* Makes these capabilities effective besides, of those that were kept for a moment's use (CAP_NET_BIND_SERVICE): 0 or -errno. */
int bypass_sandbox_raise(uint32_t capabilities);

/* The system calls. */
int bypass_sandbox_lock(int proc_fd, Error *reterr);
