/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in a unit file. */
#include "unit/value.h"

#include <string.h>
#include <strings.h>

static bool selected(const UnitEntry *e, const UnitSelect *select) {
        if (e->kind != ENTRY_KEY)
                return false;
        if (select->key != KEY_NONE)
                return e->key == select->key;
        return e->group == select->group && strcmp(e->name, select->name) == 0;
}

size_t unit_lines_begin(const UnitFile *file, const UnitSelect *select) {
        size_t begin = 0;

        if (select->key != KEY_NONE ? !unit_file_has(file, select->key) : select->group < 0)
                return file->n_entries;
        for (size_t i = 0; i < file->n_entries; i++)
                if (selected(file->entries + i, select) && !*file->entries[i].value)
                        begin = i + 1;
        return begin;
}

const UnitEntry *unit_lines_next(const UnitFile *file, const UnitSelect *select, size_t *i) {
        while (*i < file->n_entries) {
                const UnitEntry *e = file->entries + (*i)++;

                if (selected(e, select))
                        return e;
        }
        return NULL;
}

const char *unit_value_unquote(const char *value, Arena *arena) {
        size_t n = strlen(value);

        return n >= 2 && value[0] == '"' && value[n - 1] == '"' ? arena_copy_n(arena, value + 1, n - 2) : value;
}

const char *unit_value_string(const UnitFile *file, UnitKey key, Arena *arena) {
        const UnitEntry *e = unit_file_last(file, key);
        const char *value = e ? unit_value_unquote(e->value, arena) : NULL;

        return value && *value ? value : NULL;
}

const char *unit_value_first_line(const UnitFile *file, UnitKey key) {
        UnitSelect select = UNIT_SELECT(key);
        size_t i = unit_lines_begin(file, &select);
        const UnitEntry *e = unit_lines_next(file, &select, &i);

        return e ? e->value : NULL;
}

int unit_value_bool(const char *value, bool *ret) {
        static const char *const words[][5] = { { "0", "no", "n", "false", "f" }, { "1", "yes", "y", "true", "t" } };

        for (size_t truth = 0; truth < 2; truth++)
                for (size_t i = 0; i < ELEMENTSOF(words[0]); i++)
                        if (strcasecmp(value, words[truth][i]) == 0) {
                                *ret = truth == 1;
                                return 0;
                        }
        if (strcasecmp(value, "on") != 0 && strcasecmp(value, "off") != 0)
                return -EINVAL;
        *ret = strcasecmp(value, "on") == 0;
        return 0;
}

const char *unit_value_replace(Arena *arena, const char *s, const char *what, const char *with) {
        size_t n_what = strlen(what), n_with, n = 0;
        const char *p, *q;

        if (!s || !with)
                return NULL;
        if (!strstr(s, what))
                return s;
        n_with = strlen(with);
        for (p = s; (q = strstr(p, what)); p = q + n_what)
                n += (size_t) (q - p) + n_with;
        char *copy = arena_alloc(arena, n + strlen(p) + 1), *out = copy;
        if (!copy)
                return NULL;
        for (p = s; (q = strstr(p, what)); p = q + n_what) {
                out = mempcpy(out, p, (size_t) (q - p));
                out = mempcpy(out, with, n_with);
        }
        memcpy(out, p, strlen(p) + 1);
        return copy;
}
