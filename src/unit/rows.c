/* SPDX-License-Identifier: Apache-2.0 */
/* From the rows of a type's table to flags. */
#include <ctype.h>
#include <string.h>

#include "unit/convert.h"

static void add_prefixed(Convert *c, const UnitRow *row, const char *value) {
        convert_add_two(c, row->flag, row->prefix ? arena_format(c->arena, "%s%s", row->prefix, value) : value);
}

static int add_last(Convert *c, const UnitRow *row) {
        const UnitEntry *e = unit_file_last(&c->unit->file, row->key);
        const char *value = e ? unit_value_unquote(e->value, c->arena) : NULL;

        if (!value || (!*value && row->kind != KIND_JOINED_EMPTY))
                return 0;
        if (row->kind == KIND_STRING)
                add_prefixed(c, row, value);
        else
                convert_add(c, arena_format(c->arena, "%s=%s", row->flag, value));
        return 0;
}

static int add_lines(Convert *c, const UnitRow *row) {
        UnitSelect select = UNIT_SELECT(row->key);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select); (e = unit_lines_next(&c->unit->file, &select, &i));)
                convert_add_two(c, row->flag, e->value);
        return 0;
}

static char *lower(Convert *c, const char *word) {
        char *copy = arena_copy(c->arena, word);

        for (char *p = copy; p && *p; p++)
                *p = (char) tolower((unsigned char) *p);
        return copy;
}

/* "-" in front: it may be missing when the service starts (systemd.exec(5), EnvironmentFile=). */
static const char *env_file(Convert *c, const char *word) {
        return *word == '-' ? arena_format(c->arena, "-%s", convert_path(c, word + 1, /* exec= */ true) ?: "")
                            : convert_path(c, word, /* exec= */ true);
}

static int add_words(Convert *c, const UnitRow *row) {
        bool plain = row->kind == KIND_WORDS || row->kind == KIND_WORDS_LOWER || row->kind == KIND_WORD_PATHS;
        _cleanup_words_ Words words = {};
        int r = convert_words(c, row->key, plain ? UNIT_SPLIT_PLAIN : UNIT_SPLIT_ESCAPES, &words);

        for (size_t i = 0; i < words.n && r >= 0; i++) {
                const char *word = words.items[i];

                if (!*word)
                        continue;
                if (row->kind == KIND_WORDS_LOWER)
                        word = lower(c, word);
                else if (row->key == KEY_EnvironmentFile)
                        word = env_file(c, word);
                else if (row->kind == KIND_PATHS || row->kind == KIND_WORD_PATHS)
                        word = convert_path(c, word, /* exec= */ true);
                add_prefixed(c, row, word);
        }
        return r;
}

typedef struct Pair {
        const char *word;
        size_t n_key, nr;
} Pair;

/* By key; of the same key, the last one first. */
static int compare_pairs(const void *a, const void *b) {
        const Pair *p = a, *q = b;
        int order = memcmp(p->word, q->word, MIN(p->n_key, q->n_key));

        if (order != 0 || p->n_key != q->n_key)
                return order != 0 ? order : p->n_key < q->n_key ? -1 : 1;
        return p->nr > q->nr ? -1 : p->nr < q->nr ? 1 : 0;
}

static int add_pairs(Convert *c, const UnitRow *row) {
        _cleanup_words_ Words words = {};
        int r = convert_words(c, row->key, UNIT_SPLIT_ESCAPES, &words);

        if (r < 0 || words.n == 0)
                return r;
        Pair *pairs = arena_alloc(c->arena, words.n * sizeof(*pairs));
        if (!pairs)
                return -ENOMEM;
        for (size_t i = 0; i < words.n; i++)
                pairs[i] = (Pair){ .word = words.items[i], .n_key = strcspn(words.items[i], "="), .nr = i };
        if (words.n > 1)
                qsort(pairs, words.n, sizeof(*pairs), compare_pairs);
        for (size_t i = 0; i < words.n; i++) {
                bool again = i > 0 && pairs[i].n_key == pairs[i - 1].n_key &&
                             memcmp(pairs[i].word, pairs[i - 1].word, pairs[i].n_key) == 0;

                if (!again && pairs[i].n_key > 0)
                        convert_add_two(c, row->flag, pairs[i].word);
        }
        return 0;
}

static int add_bool(Convert *c, const UnitRow *row) {
        bool on = false, off = true; /* both as they are: not set */
        int r = convert_bool(c, row->key, &on);

        if (r >= 0)
                r = convert_bool(c, row->key, &off);
        if (r < 0 || on != off)
                return r;
        if (row->kind == KIND_BOOL)
                convert_add(c, on ? row->flag : arena_format(c->arena, "%s=false", row->flag));
        else if (on) {
                convert_add(c, row->flag);
                if (row->prefix)
                        convert_add(c, row->prefix);
        }
        return 0;
}

static int add_row(Convert *c, const UnitRow *row) {
        switch (row->kind) {
        case KIND_ELSEWHERE:
                return 0;
        case KIND_STRING:
        case KIND_JOINED:
        case KIND_JOINED_EMPTY:
                return add_last(c, row);
        case KIND_LINES:
                return add_lines(c, row);
        case KIND_WORDS:
        case KIND_WORDS_LOWER:
        case KIND_WORD_PATHS:
        case KIND_ARGS:
        case KIND_PATHS:
                return add_words(c, row);
        case KIND_PAIRS:
                return add_pairs(c, row);
        case KIND_BOOL:
        case KIND_SWITCH:
                return add_bool(c, row);
        case KIND_CALL:
        case KIND_ALWAYS:
                return row->call(c);
        }
        return 0;
}

int convert_add_rows(Convert *c) {
        const UnitTypeInfo *info = unit_type_info(c->unit->type);
        int failed = 0;

        for (size_t i = 0; i < info->n_rows && failed != -ENOMEM && c->unit->n_faults < UNIT_FAULTS_MAX; i++) {
                const UnitRow *row = info->rows + i;
                bool wanted = row->kind == KIND_ALWAYS || unit_file_has(&c->unit->file, row->key);
                int r = wanted ? add_row(c, row) : 0;

                if (r < 0) /* the other rows may have faults, too: a person wants to hear of all of them at once */
                        failed = r;
        }
        return failed;
}
