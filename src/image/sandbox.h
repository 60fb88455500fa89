/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that reads a stranger's archive may still do.
 *
 * Theory of operation. A worker is a child that keeps three descriptors and nothing else: the archive, the directory it
 * fills, the socket for its result. In order: it enters a user namespace with the user's whole ID map (root keeps the
 * host's), and mount, network, IPC, UTS and cgroup namespaces of its own; makes the directory its root, with nothing else
 * mounted; gives up every capability that unpacking does not need, and no_new_privs; takes limits on memory, files and
 * descriptors; and installs a list of the system calls that are left, all on descriptors and below its root. It ends with
 * its parent. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct SandboxLimits {
        uint64_t file_size; /* bytes of one file, RLIMIT_FSIZE */
        uint64_t files;     /* descriptors, RLIMIT_NOFILE; 0: a few */
} SandboxLimits;

/* In a child that is in its mount namespace and is privileged there: makes the current directory the root. The child must
 * have gone there before it entered the namespace: a descriptor from outside names a mount outside. */
int sandbox_change_root(Error *reterr);

/* Drops the rest for good. From here on only reading, writing and making files is possible. */
int sandbox_lock(const SandboxLimits *limits, Error *reterr);
