/* SPDX-License-Identifier: Apache-2.0 */
/* Why the container's user may not go where the host's files are mounted. */
#pragma once

#include "proc/plan.h"
#include "proc/user.h"

/* In the container, as its root: where `path` lies in a mount of the host's, adds a hint that says who owns it, in here and out
 * there, who the user is out there, and what helps. Returns `code`. */
int denied_hint(const ProcPlan *plan, const char *path, const ContainerUser *user, int code, Error *reterr);
