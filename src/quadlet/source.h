/* SPDX-License-Identifier: Apache-2.0 */
/* What a person hands in: unit files, directories of them with the files that they need, and *.quadlets files with several
 * units in one. All of it is read into memory, within limits, before anything is decided. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "unit/keys.h"

enum {
        QUADLET_ITEMS_MAX = 4096,
        QUADLET_ASSET_MAX = 16 * 1024 * 1024,
        QUADLET_TOTAL_MAX = 256 * 1024 * 1024,
        QUADLET_NAME_MAX = 200,
};

/* One file to be. */
typedef struct QuadletItem {
        char *name;        /* without directories */
        char *source;      /* where it came from, as messages say it */
        char *dir;         /* the directory of that, resolved */
        uint32_t line;     /* how many lines of the source stand before its first */
        char *data;
        size_t size;
        mode_t mode;
        UnitType type;     /* negative: a file beside the units */
} QuadletItem;

typedef struct QuadletItems {
        QuadletItem *items;
        size_t n, total;
        char *application; /* of a directory or a .quadlets file; NULL: none */
} QuadletItems;

/* Reads what the paths name: unit files, .quadlets files, directories (not those below) and, beside a unit, any other files. Links
 * inside a directory are refused: who wrote it may have meant a file of the reader's. */
int quadlet_items_read(char *const *paths, QuadletItems *ret, Error *reterr);

/* Adds the units of a .quadlets text: parts with lines "---" between, each with a comment "# FileName=NAME". */
int quadlet_items_split(QuadletItems *items, const char *source, const char *dir, const char *data, size_t size, Error *reterr);

/* Adds one item (copies); two of one name are refused, naming both. */
int quadlet_items_add(QuadletItems *items, const QuadletItem *item, Error *reterr);

QuadletItem *quadlet_items_find(const QuadletItems *items, const char *name) _pure_;
void quadlet_items_done(QuadletItems *items);
#define _cleanup_quadlet_items_ _cleanup_(quadlet_items_done)

/* Whether a file may be called so, as a unit or beside one; with the reason. */
int quadlet_name_check(const char *name, UnitType type, Error *reterr);
