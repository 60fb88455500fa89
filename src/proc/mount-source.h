/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount is made of, found again in another mount namespace. */
#pragma once

#include "proc/plan.h"

/* Opens plan->source, or plan->subpath below it, in this process's mount namespace, which must be the object that the starter saw
 * (plan->source_fd): its own descriptor belongs to another namespace and cannot be cloned from. An O_PATH descriptor. */
int mount_source_open(const MountPlan *plan, Error *reterr);

/* A detached copy of the mount there, with what is mounted below it where the plan says so. */
int mount_source_clone(const MountPlan *plan, Error *reterr);
