/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace around all containers of a user (ns/pinned.h), which the monitor keeps: with it a container's own
 * is made without newuidmap and newgidmap. It only saves time; nothing here can fail. */
#pragma once

#include "proc/plan.h"

typedef struct SharedUserns {
        int socket; /* of the monitor that was asked; -EBADF: there is none */
        char *text; /* of the user's map */
} SharedUserns;

#define SHARED_USERNS_NULL ((SharedUserns){ .socket = -EBADF })

void shared_userns_done(SharedUserns *shared);
#define _cleanup_shared_userns_ _cleanup_(shared_userns_done)

/* Asks for it, so that the answer comes while the plan is made. */
void shared_userns_ask(const UserMap *base, SharedUserns *ret);

/* Puts it into the plan, where the plan has none: what the monitor has, or a new one, which the monitor gets. */
void shared_userns_take(SharedUserns *shared, const UserMap *base, ProcPlan *plan);

/* The namespace itself, to enter it: what the monitor has, or a new one, which the monitor gets. A descriptor; -EBADF or another
 * -errno where there is none. */
int shared_userns_open(const UserMap *base);

/* The same for the user's own map. */
int shared_userns_open_default(void);
