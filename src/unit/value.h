/* SPDX-License-Identifier: Apache-2.0 */
/* What the lines of a key amount to: the last of them, all of them, their words (podman-systemd.unit(5) is silent on
 * it; these are the look-ups that the files in the world were written against). */
#pragma once

#include "unit/file.h"
#include "unit/quote.h"

/* Which lines: those of a key in the type's own group, or of a name in any group. */
typedef struct UnitSelect {
        UnitKey key;
        int group;        /* where `key` is KEY_NONE; negative: none */
        const char *name;
} UnitSelect;

#define UNIT_SELECT(k) ((UnitSelect){ .key = (k) })

/* Walks all lines that count: an empty one takes back what stood before it. Begin with *i = unit_lines_begin(). */
size_t unit_lines_begin(const UnitFile *file, const UnitSelect *select);
const UnitEntry *unit_lines_next(const UnitFile *file, const UnitSelect *select, size_t *i);

/* The last value, one pair of surrounding double quotes removed; NULL where it is not set or empty. */
const char *unit_value_string(const UnitFile *file, UnitKey key, Arena *arena);
const char *unit_value_unquote(const char *value, Arena *arena);

/* The first line that counts, as it is; NULL if there is none. */
const char *unit_value_first_line(const UnitFile *file, UnitKey key);

/* 1/yes/true/on and 0/no/false/off with their short forms, any case (systemd.syntax(7)). -EINVAL otherwise. */
int unit_value_bool(const char *value, bool *ret);

/* Replaces every `what` by `with`; NULL in, NULL out. */
const char *unit_value_replace(Arena *arena, const char *s, const char *what, const char *with);
