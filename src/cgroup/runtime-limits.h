/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the runtime-spec (config-linux.md, "Control groups") as files of the cgroups of v1 and v2. */
#pragma once

#include "cgroup/runtime-tree.h"
#include "spec/runtime-spec.h"

/* Whether any limit is asked. Device rules are none: the process of a user makes no devices. */
bool runtime_resources_are_given(const RuntimeResources *resources) _pure_;

/* Writes what is given, into the cgroups that `tree` has open. -EOPNOTSUPP, with the controller's name: it is not there. With `undo`
 * what was written is put back on a failure. */
int runtime_limits_write(const CgroupTree *tree, const RuntimeResources *resources, bool undo, Error *reterr);

/* Whether the cgroup is frozen, by either freezer. */
bool cgroup_tree_is_frozen(const CgroupTree *tree);

/* ---- conversions from what v1 has, and so the spec, to v2 ---- */

/* cpu.shares (2..262144) as cpu.weight (1..10000). The middle (1024) becomes the middle (100): the formula that runc and crun have since
 * 2025. */
uint64_t runtime_cpu_weight(uint64_t shares) _pure_;

/* Memory and swap together, as memory.swap.max counts: swap alone. -1: unlimited. `memory` is 0 where there is none. */
int runtime_swap(int64_t memory, int64_t memory_and_swap, int64_t *ret, Error *reterr);
