/* SPDX-License-Identifier: Apache-2.0 */
/* The unified cgroup hierarchy (cgroup v2) through its files. A cgroup's path is what /proc/PID/cgroup says: "/" at the
 * root of what this mount shows. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* Opens the root of the unified hierarchy: /sys/fs/cgroup, or /sys/fs/cgroup/unified on hybrid machines. -ENOENT: there is
 * none. */
int cgroup_open_root(void);

/* Whether there is no other: /sys/fs/cgroup itself is version 2. */
bool cgroup_is_unified(void);

/* Opens a cgroup's directory. */
int cgroup_open(const char *path, Error *reterr);

/* Makes (or finds) the cgroup `name` below the directory and opens it. */
int cgroup_make(int dir_fd, const char *name, Error *reterr);

/* Moves a process into the cgroup. -EACCES where the kernel wants a common ancestor that is ours (cgroups(7)). */
int cgroup_attach(int dir_fd, pid_t pid);

/* The controllers that the cgroup has, as words; owned vector. */
int cgroup_controllers(int dir_fd, char ***ret);

/* Enables every controller that the cgroup has for its children. No process may be in it. */
int cgroup_enable_controllers(int dir_fd);

/* Freezes or thaws all processes (cgroup.freeze, Linux 5.2) and waits until that is so. */
int cgroup_freeze(int dir_fd, bool freeze, Error *reterr);

/* Whether there is a process in the cgroup `name` below the directory, or below it. A missing one is empty. */
bool cgroup_is_populated(int dir_fd, const char *name);

/* Kills what is in the cgroup `name` below the directory, removes its children and then it. 0: it is gone; 1: there was none. */
int cgroup_remove(int dir_fd, const char *name);

/* Removes all cgroups below the directory, deepest first; those of v1, too. -EBUSY: there is a process in one. */
int cgroup_remove_children(int dir_fd);

/* Opens the file that counts a cgroup's OOM kills, -errno where there is none: no memory controller, no such cgroup. It tells
 * of a change by poll(2), POLLPRI. */
int cgroup_open_memory_events(const char *path);

/* How many processes of the cgroup and those below the OOM killer took, or -errno where the file cannot be read (any more). */
int64_t cgroup_oom_kills(int memory_events_fd);

/* All process IDs in the cgroup and below, in the order of the kernel; owned array. */
int cgroup_pids(int dir_fd, pid_t **ret, size_t *ret_n);
