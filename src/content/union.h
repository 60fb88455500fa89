/* SPDX-License-Identifier: Apache-2.0 */
/* Layers seen as one tree, without mounting them: what overlay would show, read by descriptors.
 *
 * It understands whiteouts and opaque directories as the kernel's overlay writes them in a user namespace (character devices
 * 0:0, the attribute user.overlay.opaque) and as fuse-overlayfs does (also files named .wh.NAME and .wh..wh..opq, and
 * attributes of its own). So it works whatever driver wrote the container's directory, and while it is mounted. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

typedef enum UnionFlags {
        UNION_PLAIN = 1 << 0,     /* names are what they are: no layer, but a directory as it stands there */
        UNION_WHITEOUTS = 1 << 1, /* of a single layer: whiteouts are listed, as character devices 0:0 */
} UnionFlags;

typedef struct Union {
        int *roots;              /* highest first; owned */
        char **ids;              /* what each is: "upper", a diff ID */
        size_t n;
        UnionFlags flags;
} Union;

void union_done(Union *u);
#define _cleanup_union_ _cleanup_(union_done)

/* Adds a layer below those that are there: the directory `path` below `dir_fd`, without following symlinks. */
int union_add(Union *u, int dir_fd, const char *path, const char *id, Error *reterr);

typedef struct UnionEntry {
        char *name;
        struct stat st;          /* of the highest one */
        size_t *layers;          /* highest first; of a directory all that show through */
        size_t n_layers;
} UnionEntry;

typedef struct UnionList {
        UnionEntry *entries;     /* sorted by name, as bytes */
        size_t n;
        bool opaque;             /* with UNION_WHITEOUTS: the directory hides what is below */
} UnionList;

void union_list_done(UnionList *list);
#define _cleanup_union_list_ _cleanup_(union_list_done)

/* What the directory `path` ("": the root) holds in these layers. */
int union_list(const Union *u, const char *path, const size_t *layers, size_t n_layers, UnionList *ret, Error *reterr);

/* All layers, for the root. */
int union_root(const Union *u, UnionEntry *ret, Error *reterr);
void union_entry_done(UnionEntry *entry);
#define _cleanup_union_entry_ _cleanup_(union_entry_done)

/* Opens what is at `path` in one layer; a descriptor or -errno. */
int union_open(const Union *u, size_t layer, const char *path, int flags);
