/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod-net may still do once it listens to the container: sockets, its tap, one file.
 *
 * Theory of operation, in this order:
 *   1. a user and a mount namespace of its own, mapped to the user alone; the root is an empty tmpfs with etc/resolv.conf,
 *      the old root is gone; no capability in any set, nor in the bounding one;
 *   2. no_new_privs, not dumpable, no core files, no new processes, bounded memory and files;
 *   3. Landlock, where the kernel has it: no file system access but reading in the root and the resolver's directory, no
 *      abstract sockets, no signals to others;
 *   4. seccomp: an allow-list by arguments. Everything else is EPERM, not death: an unforeseen call of a newer C library
 *      must not take the container's network away, and an attacker gains nothing from being told no. */
#pragma once

#include "net/dns-source.h"

/* Address space: buffers of connections above all, of which little is ever filled. */
#define SANDBOX_MEMORY (4ULL * 1024 * 1024 * 1024)

/* Steps 1 and 2, and the DNS source's copy. Fails closed. */
int sandbox_enter(DnsSource *dns, Error *reterr);

/* Steps 3 and 4, after the last preparation. The DNS source must be sealed. */
int sandbox_lock(const DnsSource *dns, Error *reterr);
