/* SPDX-License-Identifier: Apache-2.0 */
/* A tree becomes a tar stream, in one order and form only, so that the same tree always has the same digest. */
#pragma once

#include "content/union.h"
#include "ns/idmap.h"

typedef struct PackOptions {
        bool layer;          /* a layer of an image: whiteouts become .wh. entries (image-spec, layer.md); the union is one layer
                              * with UNION_WHITEOUTS */
        const char *as;      /* the name that the root gets in the archive, with an entry of its own; NULL: its contents only */
        const UserMap *map;  /* owners are the host's, and become those that the user's containers have; NULL: they stay */
} PackOptions;

/* Writes all of the union to `out_fd`. Sockets are left out, as tar has none. */
int pack_union(const Union *u, const PackOptions *options, int out_fd, Error *reterr);

/* Writes one file, which is no directory and is opened for reading (a file) or with O_PATH (others), called `as`. */
int pack_file(int fd, const char *as, const UserMap *map, int out_fd, Error *reterr);
