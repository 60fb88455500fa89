/* SPDX-License-Identifier: Apache-2.0 */
/* Several files of one directory that change together: all of them, or none, also when the process is killed in between.
 *
 * The new files are made in a hidden directory inside (generators pass over such names), a plan is written there, the names are
 * exchanged, and with the removal of the plan all of it counts. Who finds a plan later (each change begins with a look) goes back
 * by it. The directory is locked meanwhile. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "unit/buffer.h"

typedef struct QuadletChange {
        char *path;      /* of the directory */
        int dir_fd;      /* locked */
        int stage_fd;    /* unset until something is staged */
        char stage[24];
        Text plan;
        size_t n_put;
        bool applied;
} QuadletChange;

#define QUADLET_CHANGE_NULL ((QuadletChange){ .dir_fd = -EBADF, .stage_fd = -EBADF })

/* Makes the directory where it is missing, waits for its lock, and undoes what a killed process has left half done. */
int quadlet_change_begin(const char *path, QuadletChange *ret, Error *reterr);

/* A file that is to be there, in the place of one of that name where `replace`; otherwise -EEXIST when applied. */
int quadlet_change_put(QuadletChange *change, const char *name, const void *data, size_t size, mode_t mode, bool replace, Error *reterr);

/* A file that is to go. One that is not there is no error. */
int quadlet_change_take(QuadletChange *change, const char *name, Error *reterr);

/* Carries it out; on failure nothing has changed. */
int quadlet_change_apply(QuadletChange *change, Error *reterr);

/* Makes it count. Without it, quadlet_change_done() goes back. */
void quadlet_change_keep(QuadletChange *change);

void quadlet_change_done(QuadletChange *change);
#define _cleanup_quadlet_change_ _cleanup_(quadlet_change_done)
