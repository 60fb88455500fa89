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
 * map. To a user without subordinate IDs it saves nothing, but it is one namespace around several containers. */
int userns_pin(const UserMap *map, Error *reterr);

/* The same by a process that may write the map itself: userns_write_maps_directly(). */
int userns_pin_directly(const UserMap *map, Error *reterr);

/* The map as text, by which two namespaces are known to be the same. Owned; NULL when out of memory. */
char *userns_pin_text(const UserMap *map);

/* Whether the descriptor is a user namespace that this user has made (ioctl_ns(2)): 0, -EINVAL or -EPERM. */
int userns_pin_check(int fd, uid_t owner);

/* clone3(2) of a child of the caller in a new user namespace inside another one, which is pinned or somebody's: CLONE_NEWUSER
 * is added to args->flags, args->exit_signal is set (SIGCHLD comes to the parent). With CLONE_PARENT in args->flags it is the
 * caller's child; without, it is left by the process in between to the nearest subreaper (prctl(2)), such as systemd. It calls
 * `function` and exits with what it returns; it must wait for a word before it uses an ID, as its maps are written after it
 * was born: `mapped` can give it this word at once, in the process in between, which shares the caller's memory (NULL: the
 * caller will). `view` is the child's map as seen from that namespace (user_map_to_view()). The caller has a single thread.
 * Returns the pid, or -errno: then there is no child. */
int userns_clone_inside(int pinned_fd, const UserMap *view, struct clone_args *args, int (*function)(void *data),
                        void (*mapped)(void *data), void *data, Error *reterr);
