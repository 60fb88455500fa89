/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces: writing their maps, and running a function inside one. */
#pragma once

#include "ns/idmap.h"

/* Writes the maps of the user namespace of process `pid`, which the caller has just cloned and which waits. An ordinary
 * user's ranges go through newuidmap(1) and newgidmap(1), both at once; a single ID, or root's maps, are written
 * directly (setgroups is denied first where the kernel demands it). */
int userns_write_maps(pid_t pid, const UserMap *map, Error *reterr);

/* The same, written directly: by a process with CAP_SETUID in the parent namespace, in whose view the map must be. */
int userns_write_maps_directly(pid_t pid, const UserMap *map, Error *reterr);

/* A user namespace of the user's whole map (ns/pinned.h) in which userns_enter() and userns_run() make theirs from now on, where their map
 * allows it: without newuidmap and newgidmap. The descriptor stays the caller's. */
void userns_set_outer(int userns_fd);

/* Makes the calling process, which must be a single-threaded child made for the purpose, root of a fresh user namespace
 * (and of the further namespaces in `flags`, CLONE_NEWNS and others) with this map. Its mounts are made private. For
 * root's own map (`host`) only the other namespaces are made. */
int userns_enter(const UserMap *map, int flags, Error *reterr);

/* The same with a user namespace that is there, as its root; the flags are of namespaces to make in it. */
int userns_join(int userns_fd, int flags, Error *reterr);

/* Runs `function` in a child that has entered so, and gives its return value (0 or a negative errno) and error. */
int userns_run(const UserMap *map, int flags, int (*function)(void *data, Error *reterr), void *data, Error *reterr);
