/* SPDX-License-Identifier: Apache-2.0 */
/* Who has as many connections through the router as one may have: the kernel says it (nfnetlink_log), and the log is told. */
#pragma once

#include "engine/router-state.h"

/* A socket that is readable when somebody has; -errno: the kernel does not tell. */
int router_quota_open(const RouterState *state);

/* Reads what there is, and writes it to the log. */
void router_quota_hear(const RouterState *state, int fd);
