/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest lists as `sdpod manifest` makes, changes and pushes them (podman-manifest(1)). */
#pragma once

#include "image/push.h"

typedef struct ListOptions {
        bool all;            /* the whole of a list that is added; the images of a list that is pushed */
        bool amend;          /* create: a list that is there already is fine */
        bool remove;         /* push: the list goes afterwards */
        const char *architecture, *os, *variant, *os_version; /* of the entry; NULL: as the image says */
        char **features, **os_features, **annotations;
} ListOptions;

/* Makes a list, empty but for `images` (NULL-terminated, may be empty). Prints its ID. */
int list_create(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options,
                Error *reterr);

/* Adds images to a list: of the store, or of a registry where the store does not have them. Prints the list's ID. */
int list_add(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options,
             Error *reterr);

/* Changes what the list says of the image with this digest, or takes it out. Prints the list's ID. */
int list_annotate(Stage *stage, const char *name, const char *digest, const ListOptions *options, Error *reterr);
int list_take_out(Stage *stage, const char *name, const char *digest, Error *reterr);

/* Prints a list of the store; what is no list here is asked of its registry. */
int list_inspect(const Store *store, const char *name, const RegistryOptions *registry, Error *reterr);

/* Pushes a list and its images. `destination` as for image_push(). */
int list_push(Stage *stage, const char *name, const char *destination, const PushOptions *push, const ListOptions *options,
              CopyResult *ret, Error *reterr);
