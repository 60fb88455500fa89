/* SPDX-License-Identifier: Apache-2.0 */
/* A command at a terminal that can be left while what it supervises runs on.
 *
 * Theory of operation: a container's init is the child of who records its end, and dies with it. So where keys to detach by
 * may be typed, the command becomes two processes before anything is started. The one behind does all the work, at the same
 * terminal and in the same process group. The one in front is what the shell waits for: it passes signals on, takes over the
 * exit status, and on a detach ends alone. Until then the death of one is the death of the other. */
#pragma once

#include "base/error.h"

typedef struct Front {
        int tell_fd; /* of the process behind; -EBADF: there is no front */
} Front;

#define FRONT_NULL ((Front){ .tell_fd = -EBADF })

void front_done(Front *front);
#define _cleanup_front_ _cleanup_(front_done)

/* Whether somebody can type keys: standard input is a terminal. */
bool front_is_wanted(bool terminal, bool open_stdin, const char *detach_keys);

/* Returns in the process behind; the one in front never returns. */
int front_make(Front *ret, Error *reterr);

/* The process behind leaves the terminal and its session, its standard streams become /dev/null, and the one in front ends with
 * 0. */
int front_leave(Front *front, Error *reterr);
