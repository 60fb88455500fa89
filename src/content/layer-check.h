/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a stored layer still is what it was: its files, their modes, owners, times, links and names, and its record. */
#pragma once

#include "image/worker.h"
#include "state/store.h"

typedef enum LayerCheckFlags {
        LAYER_CHECK_QUICK = 1 << 0, /* only what is there, not what is in it */
} LayerCheckFlags;

typedef struct LayerState {
        bool contents;       /* the tree and the record are whole: what else is wrong can be written anew */
        bool unknown;        /* it has no record: there is nothing to compare with */
        uint64_t size;       /* of its tar stream, with `contents` */
} LayerState;

/* Checks layers/HEX. Returns 0, -EBADMSG with what is damaged, -ENOENT where it went meanwhile, or another error. `state` is
 * filled in the first two cases. */
int layer_check(const Store *store, const UserMap *map, const char *hex, LayerCheckFlags flags, LayerState *state, Error *reterr);
