/* SPDX-License-Identifier: Apache-2.0 */
/* Images go: names first, then, with the last of them, the image and the layers that nothing else uses. */
#pragma once

#include "image/store.h"

/* A container that was made from an image or mounts it, or a volume that is made of it. */
typedef struct ImageUse {
        char *container_id;  /* or the volume's name */
        char *image_id;      /* hex; NULL: made from a directory */
        char **layers;       /* diff IDs */
} ImageUse;

void image_use_free_many(ImageUse *uses, size_t n);

typedef enum ImageRemoveFlags {
        IMAGE_REMOVE_FORCE = 1 << 0, /* also by ID when it has several names, and while containers use it: they keep
                                      * their layers, which go with the next removal after them */
        IMAGE_REMOVE_ALL_NAMES = 1 << 1, /* by ID when it has several names, but not while containers use it */
} ImageRemoveFlags;

typedef struct ImageRemoval {
        char **untagged;     /* full names */
        char *id;            /* of the image */
        bool deleted;        /* else it is still there under other names */
} ImageRemoval;

void image_removal_done(ImageRemoval *removal);
#define _cleanup_image_removal_ _cleanup_(image_removal_done)

/* Reads what all containers and volumes of the store use; image_use_free_many() frees it. */
typedef int (*ImageUsesRead)(const Store *store, ImageUse **ret, size_t *ret_n, Error *reterr);

/* Podman's rules: a name that is not the only one is taken away; the only name goes with the image; an ID goes where the
 * image has at most one name. -EBUSY (ERROR_IN_USE) where a container uses it, or an ID with several names was given.
 * Layers and blobs that nothing refers to any more are removed, also those that a killed command left. Who makes a container looks
 * after its record has its name whether the image is still in the index, and here the records are read after the index was written: so
 * of the two one sees the other, and no container loses its layers. */
int image_store_remove(const Store *store, const char *reference, ImageUsesRead read_uses, ImageRemoveFlags flags, ImageRemoval *ret,
                       Error *reterr);

/* Removes layers and blobs that no image, container or pull needs, and what killed commands left. */
int image_store_sweep(const Store *store, ImageUsesRead read_uses, Error *reterr);
