/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what nothing uses: the parts of `image prune`, `container prune`, `volume prune` and `system prune`. */
#pragma once

#include <stdint.h>

#include "state/store.h"

typedef struct Pruned {
        char **names;        /* of what went: IDs, or names of volumes */
        uint64_t bytes;      /* that this set free */
        bool failed;         /* something could not be removed; the reason was printed */
} Pruned;

void pruned_done(Pruned *pruned);
#define _cleanup_pruned_ _cleanup_(pruned_done)

/* Prints `text` and asks: 1 yes, 0 no. No answer at all is -EIO, or a script would take it for done. */
int prune_ask(const char *text, const char *what, Error *reterr);

/* Images without a name that no container uses; with `all` those with names, too. */
int prune_images(const Store *store, bool all, char *const *filters, Pruned *ret, Error *reterr);

/* Containers that neither run nor are paused. */
int prune_containers(const Store *store, char *const *filters, Pruned *ret, Error *reterr);

/* Pods that have ended, with their containers; what killed commands left of pods, too. The names are IDs. */
int prune_pods(const Store *store, Pruned *ret, Error *reterr);

/* Networks that no container is in, but the default one. */
int prune_networks(const Store *store, char *const *filters, Pruned *ret, Error *reterr);

/* Volumes that no container names. */
int prune_volumes(const Store *store, char *const *filters, Pruned *ret, Error *reterr);
