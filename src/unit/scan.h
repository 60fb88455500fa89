/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the search directories, and the small hash table that keeps names. Private to set.c. */
#pragma once

#include <limits.h>

#include "unit/set.h"

enum { UNIT_DROP_INS_MAX = 1024 }; /* of one unit */

/* A directory named like "web.container.d"; those of the same name in order of precedence. */
typedef struct UnitDropInDir {
        const char *path;
        Words names;        /* of its .conf files, once somebody asked: "container.d" is asked for by every container */
        bool listed;
        struct UnitDropInDir *next, *last; /* `last` only in the first */
} UnitDropInDir;

/* Strings to pointers; keys are borrowed. `*table` may be NULL: empty. */
typedef struct UnitTable UnitTable;
void *unit_table_get(const UnitTable *table, const char *key);
int unit_table_put(UnitTable **table, const char *key, void *value); /* the key must not be there */
void unit_table_each(const UnitTable *table, void (*call)(void *value));
void unit_table_free(UnitTable *table);

/* Reads one file into the set; `dir` lives as long as the set. */
int unit_set_add(UnitSet *set, int dir_fd, const char *dir, const char *name, UnitType type, bool masked);
