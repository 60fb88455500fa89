/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the runtime-spec (config-linux.md, "Control groups") as files of the cgroups of v1 and v2. */
#pragma once

#include "cgroup/runtime-tree.h"
#include "spec/runtime-spec.h"

/* Whether any limit is asked. Device rules are none: the process of a user makes no devices. */
bool runtime_resources_are_given(const RuntimeResources *resources) _pure_;

/* Writes what is given. -EOPNOTSUPP, with the controller's name: it is not there. */
int runtime_limits_write(const CgroupTree *tree, const RuntimeResources *resources, bool rootless, Error *reterr);

/* Whether the cgroup is frozen, by either freezer. */
bool cgroup_tree_is_frozen(const CgroupTree *tree);
