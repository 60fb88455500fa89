/* SPDX-License-Identifier: Apache-2.0 */
/* The exit code of somebody else's container.
 *
 * The exit of the run that goes on when the watch begins is what counts, also when a restart policy brings the container back
 * at once or --rm takes it away: the record is watched from before the end, and read in the moment it is written. */
#pragma once

#include "state/container.h"

typedef struct ExitWatch {
        const Store *store;
        Container *container;
        int fd;          /* readable when the record changed */
        int64_t started; /* of the run */
        bool ended;
        int code;
} ExitWatch;

#define EXIT_WATCH_NULL ((ExitWatch){ .fd = -EBADF })

void exit_watch_done(ExitWatch *watch);
#define _cleanup_exit_watch_ _cleanup_(exit_watch_done)

/* Begins; the container is borrowed, not locked, and refreshed. One that never ran has ended with 0. */
int exit_watch_begin(const Store *store, Container *container, ExitWatch *ret, Error *reterr);

/* After `fd` became readable: looks whether the run has ended (`ended`, `code`). -ENOENT: the container was removed. */
int exit_watch_look(ExitWatch *watch, Error *reterr);

/* Waits for the end. */
int exit_watch_wait(ExitWatch *watch, int *ret_code, Error *reterr);
