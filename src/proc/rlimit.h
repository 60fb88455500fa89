/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits put into force (getrlimit(2)). Inside a user namespace nobody can raise a hard limit above what sdpod
 * itself was given, so that is checked, and said, before any is set. */
#pragma once

#include "spec/container.h"

enum { RLIMIT_PLAN_MAX = 16 };

/* Plain data, so that the init can use it without an allocation. */
typedef struct RlimitPlan {
        struct RlimitPlanItem {
                int resource;
                uint64_t soft, hard;
        } items[RLIMIT_PLAN_MAX];
        size_t n_items;
} RlimitPlan;

/* Works out what a container gets: its own items and, as Podman does, for open files and processes all that the hard
 * limit allows (at most 1048576 and 4194304) where they were not named. A hard limit above the present one is refused
 * with a message that names it, unless the caller may raise it. */
int rlimit_plan(const ContainerRlimit *items, size_t n_items, RlimitPlan *ret, Error *reterr);

/* Sets them on this process. 0, or -errno with the resource in *ret_failed. No allocation. */
int rlimit_apply(const RlimitPlan *plan, int *ret_failed);
