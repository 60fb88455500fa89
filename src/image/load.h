/* SPDX-License-Identifier: Apache-2.0 */
/* Images out of files: an OCI layout (a directory, or an archive of one), what `docker save` writes, or a directory of dir:. */
#pragma once

#include "image/stage.h"
#include "image/transport.h"

typedef struct Loaded {
        char *name;      /* a full name; NULL: the image has none */
        char *id;        /* hex */
} Loaded;

typedef struct LoadResult {
        Loaded *images;
        size_t n_images;
} LoadResult;

void load_result_done(LoadResult *result);
#define _cleanup_load_result_ _cleanup_(load_result_done)

/* Loads every image that `path` (NULL: the standard input) holds, and `architecture` (NULL: the host's) where an index
 * offers several. Nothing of an image that is refused stays; those before it do. */
int image_load(Stage *stage, const char *path, const char *architecture, LoadResult *ret, Error *reterr);

/* The same for a transport with a path (podman-pull(1)): the image that it names, or the only one that is there; from a
 * docker-archive all of them. A `transport` with TRANSPORT_DOCKER or TRANSPORT_STORAGE is not for here. */
int image_load_from(Stage *stage, const Transport *transport, const char *architecture, LoadResult *ret, Error *reterr);

typedef struct ImportOptions {
        char **changes;  /* instructions of a Containerfile: "CMD [\"sh\"]" */
        char *message;   /* the comment of the history entry; NULL: none */
        char *name;      /* as the user wrote it; NULL: none */
        char *architecture, *os, *variant; /* NULL: the host's */
} ImportOptions;

/* Makes an image of one layer from a root file system's tar archive. */
int image_import(Stage *stage, const char *path, const ImportOptions *options, LoadResult *ret, Error *reterr);

/* Adds to the result. 0 or -ENOMEM. */
int load_result_add(LoadResult *result, const char *name, const char *id);
