/* SPDX-License-Identifier: Apache-2.0 */
/* A user namespace that nobody lives in, kept by a descriptor, to make containers' user namespaces inside it.
 *
 * Theory of operation. newuidmap(1) and newgidmap(1) exist because an ordinary user may not map subordinate IDs. Two setuid
 * programs cost some 3 ms of CPU, the most expensive part of a start. But who has CAP_SETUID in a user namespace may map its
 * IDs into the namespaces inside it. So the helpers are needed once: for a namespace with all of the user's IDs. Nobody needs
 * to stay in it, as a descriptor keeps it alive (ioctl_ns(2)), also one in systemd's descriptor store. A container then is
 * cloned by a process that has joined it, which writes the maps with two write(2)s. Containers are as far from each other
 * as without it: each has a namespace of its own, and no process holds capabilities in the one they share. */
#pragma once

#include <linux/sched.h>

#include "ns/idmap.h"

/* Makes one with this map. A descriptor or -errno; -ENOTSUP for root, who maps IDs directly and whose own ID is not in the
 * map, and for a user without subordinate IDs. */
int userns_pin(const UserMap *map, Error *reterr);

/* clone3(2) of a child of the caller in a new user namespace inside the pinned one: CLONE_NEWUSER and CLONE_PARENT are added
 * to args->flags, args->exit_signal is set to what they need (the child signals SIGCHLD). The child calls `function` and
 * exits with what it returns; it must wait for a word of the caller before it uses an ID, as its maps are written after it
 * was born and before this function returns. `pinned` is the map of the pinned namespace and `map` the child's, both in the
 * host's IDs. The caller has a single thread. Returns the pid; -ENOTSUP, with nothing done, where the pinned namespace does
 * not have the IDs in one piece: then userns_write_maps() does it. */
int userns_clone_inside(int pinned_fd, const UserMap *pinned, const UserMap *map, struct clone_args *args,
                        int (*function)(void *data), void *data, Error *reterr);
