/* SPDX-License-Identifier: Apache-2.0 */
/* syncfs(2) beside other work, in a child: one for all layers that are complete when it starts. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

typedef struct PullSync {
        pid_t pid;  /* 0: none under way */
        int pipe_fd; /* readable when it is done */
} PullSync;

#define PULL_SYNC_NULL ((PullSync){ .pipe_fd = -EBADF })

int pull_sync_start(int dir_fd, PullSync *ret, Error *reterr);

/* Waits for its end: 0, or why the disk did not take it. */
int pull_sync_finish(PullSync *sync, Error *reterr);

/* Lets it be: nobody waits for a disk. */
void pull_sync_done(PullSync *sync);
