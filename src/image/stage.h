/* SPDX-License-Identifier: Apache-2.0 */
/* Unfinished work: a directory data/.tmp-image-* whose owner holds a lock on the file "lock" in it. What is finished is
 * renamed out of it; the rest goes with it. The next command that writes images collects those without an owner. */
#pragma once

#include "ns/idmap.h"
#include "state/store.h"

typedef struct Stage {
        const Store *store;  /* borrowed */
        UserMap map;         /* the user's default one: its files belong to mapped IDs */
        char name[40];       /* in the data directory; "": none */
        bool has_leftovers;  /* of dead owners, inside */
        int fd, lock_fd;
} Stage;

#define STAGE_NULL ((Stage){ .fd = -EBADF, .lock_fd = -EBADF })

/* Collects what dead owners left, and makes a new one. Takes images.lock for a moment. */
int stage_open(const Store *store, Stage *ret, Error *reterr);

/* Removes it with all that is still inside. */
void stage_done(Stage *stage);
#define _cleanup_stage_ _cleanup_(stage_done)

/* Bytes that may be written to the store's file system: what is free without the reserve of limits.h. */
int stage_free_space(const Stage *stage, uint64_t *ret, Error *reterr);

/* Removes a tree in which files belong to mapped IDs: as the user where that does, else as root of a user namespace. */
int stage_remove_tree(const UserMap *map, int dir_fd, const char *name, Error *reterr);
