/* SPDX-License-Identifier: Apache-2.0 */
/* All cgroup hierarchies of the machine (cgroups(7)): those of v1 with their controllers, the unified one, or both. They are
 * looked for where /proc/self/cgroup names them and everybody mounts them, below /sys/fs/cgroup: to read mountinfo costs more
 * than the rest of a start on a machine with many containers. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

typedef struct CgroupHierarchy {
        char *controllers; /* as /proc/self/cgroup has them: "cpu,cpuacct", "name=systemd"; "" is the unified one */
        char *own;         /* the cgroup of this process */
        char *mount;       /* "/sys/fs/cgroup/cpu,cpuacct" */
        int root;          /* of the mount */
        int fd;            /* of the container's cgroup; -EBADF: it has none here */
        bool existed;      /* it was there before us */
        bool unified;
} CgroupHierarchy;

typedef struct CgroupTree {
        CgroupHierarchy *items;
        size_t n;
} CgroupTree;

#define CGROUP_TREE_NULL ((CgroupTree){})

void cgroup_tree_done(CgroupTree *tree);
#define _cleanup_cgroup_tree_ _cleanup_(cgroup_tree_done)

/* Finds the hierarchies. None at all is not an error. */
int cgroup_tree_load(CgroupTree *ret, Error *reterr);

/* The same, with the cgroup `path` opened in each of them; where it is missing stays unset. */
int cgroup_tree_open(const char *path, CgroupTree *ret, Error *reterr);

/* The same for the unified hierarchy and the one of this controller alone, where the cgroup is in one of the two; otherwise all. */
int cgroup_tree_open_some(const char *path, const char *controller, CgroupTree *ret, Error *reterr);

/* The unified hierarchy, or NULL. */
CgroupHierarchy *cgroup_tree_unified(const CgroupTree *tree) _pure_;

/* The v1 hierarchy of a controller, or NULL. */
CgroupHierarchy *cgroup_tree_v1(const CgroupTree *tree, const char *controller) _pure_;

/* Whether controllers live in v1 hierarchies. */
bool cgroup_tree_has_v1(const CgroupTree *tree) _pure_;

/* The hierarchy to ask what processes the container's cgroup has: the unified one, or freezer, or any. NULL: it has none. */
CgroupHierarchy *cgroup_tree_main(const CgroupTree *tree) _pure_;

/* Makes the cgroup `path` in all hierarchies. With `lenient` those which do not let us are left out. What was made before a
 * failure is removed. */
int cgroup_tree_make(CgroupTree *tree, const char *path, bool lenient, Error *reterr);

/* Whether a list of words, separated by commas, spaces or newlines, has this one. */
bool cgroup_words_have(const char *list, const char *word) _pure_;

enum { CGROUP_TEXT_SIZE = 16384 };

/* A small file of a cgroup in one read(2), without the newline at its end. */
int cgroup_read_text(int dir_fd, const char *name, char *text, size_t size);
