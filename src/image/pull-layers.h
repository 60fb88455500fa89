/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of an image come from a registry into the store.
 *
 * Theory of operation. A layer's bytes go from the fetcher (registry/client.h) through a pipe to a worker of the nursery, which
 * hashes them on both sides while it unpacks into the stage; this process never sees them. Several do so at once. What is complete
 * waits for the next syncfs(2), which a child does meanwhile, one at a time for all that wait (pull-sync.h); then these layers
 * are renamed into layers/, and stay there even if the image never comes: the next pull has them. A layer that another command is
 * fetching is waited for (pull-lock.h). Each layer goes from state to state:
 *
 *   TODO -> RUNNING -> STAGED -> SYNCING -> STORED        fetched here
 *   TODO -> WAITING -> STORED, or TODO again              fetched by somebody else
 *   TODO -> STORED                                        it was here already
 *   SAME                                                  the image has it twice */
#pragma once

#include "image/commit.h"
#include "image/progress.h"
#include "registry/client.h"

typedef struct PullLayers PullLayers;

/* All is borrowed until pull_layers_free(): the image's layers have their diff IDs, and `manifest` describes their blobs. */
int pull_layers_new(Stage *stage, RegistryClient *client, Progress *progress, const NewImage *image, const Manifest *manifest,
                    PullLayers **ret, Error *reterr);
PullLayers *pull_layers_free(PullLayers *layers); /* the locks of the layers go with it */
DEFINE_CLEANUP(PullLayers, pull_layers_free)
#define _cleanup_pull_layers_ _cleanup_(pull_layers_freep)

/* Fetches what is missing: afterwards each layer is complete in the stage or in the store. After a fault, too, what was complete
 * is in the store. Can be called again where a layer vanished. */
int pull_layers_run(PullLayers *layers, Error *reterr);

