/* SPDX-License-Identifier: Apache-2.0 */
/* What the plan takes over from the host for the process: users, and the time zone. */
#pragma once

#include "proc/plan.h"

/* --hostuser: looks the users up on this machine; ERROR_NOT_FOUND. And the caller's own name, for who keeps their ID. */
int plan_host_users(const ContainerConfig *config, ProcPlan *plan, Error *reterr);

/* --tz: a mount of this machine's file over /etc/localtime, where nobody has mounted anything. */
int plan_timezone(const ContainerConfig *config, ProcPlan *plan, Error *reterr);
