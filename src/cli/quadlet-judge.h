/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod itself will say to the command of a unit file's service: the generator passes values on as they are. */
#pragma once

#include "quadlet/check.h"

/* Adds a warning for each option that the command would refuse, at the line of its key, and for commands that are not there yet.
 * Values that systemd is to expand (% and $) are left to it. 0 or -ENOMEM. */
int quadlet_judge(QuadletCheck *check, Error *reterr);
