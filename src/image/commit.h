/* SPDX-License-Identifier: Apache-2.0 */
/* An image comes into the store: its layers are unpacked into a stage, and all of it becomes visible at once. */
#pragma once

#include "image/layout.h"
#include "image/sha256.h"
#include "image/source.h"

#define IMAGE_LAYER_RECORD "tar.zst" /* in a layer's directory, see record.h */

typedef struct NewLayer {
        SourceFile file;          /* the tar stream, perhaps compressed */
        char *digest;             /* what the manifest says of it; NULL: nothing (docker-archive) */
        char *diff_id;            /* what the config says; NULL: nothing yet (import) */
} NewLayer;

/* An image on its way in. */
typedef struct NewImage {
        char *manifest, *config;  /* the bytes; a NULL manifest is made from the layers */
        size_t manifest_size, config_size;
        char manifest_digest[DIGEST_LENGTH + 1], config_digest[DIGEST_LENGTH + 1];
        char *manifest_type;      /* media type; NULL: OCI */
        char *index_digest;       /* of the index that it was chosen from; NULL: of none */
        char **names;             /* full names; NULL: none */
        NewLayer *layers;         /* lowest first */
        size_t n_layers;
} NewImage;

void new_image_done(NewImage *image);
#define _cleanup_new_image_ _cleanup_(new_image_done)

NewLayer *new_image_add_layer(NewImage *image); /* NULL: out of memory */

/* Unpacks the layers that are not here yet, several at once, and checks digests, sizes and diff IDs. A layer without a
 * diff ID gets the one that was found. */
int new_image_unpack(NewImage *image, Stage *stage, Error *reterr);

/* Makes layers, blobs and names durable and visible, under images.lock. -EAGAIN: another command removed a layer that
 * this image was going to share; unpack again. */
int new_image_commit(NewImage *image, Stage *stage, Error *reterr);
