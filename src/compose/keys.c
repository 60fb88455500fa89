/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of keys, and what their values are. */
#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "compose/project.h"
#include "unit/value.h"

const char *compose_want_text(Compose *c, const Node *node, const char *what) {
        const char *text = node_text(node);

        if (!text)
                (void) compose_fail(c, node, "%s: a word is wanted", what);
        return text;
}

int compose_bool(Compose *c, const Node *node, const char *what, bool *ret) {
        const char *text = compose_want_text(c, node, what);

        if (!text)
                return -EINVAL;
        return unit_value_bool(text, ret) < 0 ? compose_fail(c, node, "%s: '%s' is neither true nor false", what, text) : 0;
}

const char *compose_bytes(Compose *c, const Node *node, const char *what) {
        const char *text = compose_want_text(c, node, what);
        size_t n = text ? strlen(text) : 0;

        if (!text)
                return NULL;
        if (n == 0 || !(isdigit((unsigned char) *text) || (*text == '-' && isdigit((unsigned char) text[1])))) {
                (void) compose_fail(c, node, "%s: '%s' is not a size such as 512m", what, text);
                return NULL;
        }
        bool unit = n > 2 && tolower((unsigned char) text[n - 1]) == 'b' && isalpha((unsigned char) text[n - 2]);
        return arena_copy_n(&c->arena, text, unit ? n - 1 : n);
}

int compose_words(Compose *c, const Node *node, const char *what, char ***ret) {
        if (node->kind == NODE_SCALAR)
                return strv_append(ret, node->text);
        if (node->kind == NODE_NULL)
                return 0;
        if (node->kind != NODE_LIST)
                return compose_fail(c, node, "%s: a word or a list of words is wanted", what);
        for (size_t i = 0; i < node->n; i++) {
                const char *text = compose_want_text(c, node->items[i], what);

                if (!text)
                        return -EINVAL;
                if (strv_append(ret, text) < 0)
                        return -ENOMEM;
        }
        return 0;
}

const char *compose_path(Compose *c, const Node *at, const char *path) {
        const char *home = compose_variable(c, "HOME");

        if (*path == '/')
                return path;
        if (*path == '~' && (path[1] == '/' || !path[1])) {
                if (home)
                        return arena_format(&c->arena, "%s%s", home, path + 1);
                (void) compose_fail(c, at, "'%s': $HOME is not set", path);
                return NULL;
        }
        while (str_after(path, "./"))
                path += 2 + strspn(path + 2, "/");
        if (str_equal(path, ".") || !*path)
                return arena_copy(&c->arena, at->directory);
        return arena_format(&c->arena, "%s/%s", at->directory, path);
}

int project_say(Project *p, UnitWriter *w, const Node *at, UnitKey key, const char *value) {
        if (!value)
                return -ENOMEM;
        return unit_write_key(w, key, value) ? 0 : compose_fail(p->c, at, "%s= of a unit file cannot say '%s'", unit_key_to_string(key), value);
}

int service_say(Service *s, const Node *at, UnitKey key, const char *value) {
        return project_say(s->p, &s->w, at, key, value);
}

int service_argument(Service *s, const char *name, const char *value) {
        const char *word = arena_format(&s->p->c->arena, "%s%s%s", name, value ? "=" : "", value ?: "");

        if (!word)
                return -ENOMEM;
        unit_write_argument(&s->w, word);
        return 0;
}

static int say_one(Service *s, const ComposeKey *row, const Node *at, const char *value) {
        return row->argument ? service_argument(s, row->argument, value) : service_say(s, at, row->key, value);
}

static int say_pairs(Service *s, const ComposeKey *row, Node *node) {
        Node *map = compose_as_map(s->p->c, node);
        int r = map ? 0 : -EINVAL;

        for (size_t i = 0; r >= 0 && i < map->n; i++) {
                const Node *value = map->pairs[i].value;
                const char *text = value->kind == NODE_NULL ? "" : compose_want_text(s->p->c, value, row->name);
                const char *pair = text ? arena_format(&s->p->c->arena, "%s=%s", map->pairs[i].key, text) : NULL;

                r = !text ? -EINVAL : !pair ? -ENOMEM : say_one(s, row, value, pair);
        }
        return r;
}

static int convert_plain(Service *s, const ComposeKey *row, Node *node) {
        _cleanup_strv_ char **words = NULL;
        const char *text;
        bool on = false;
        int r = 0;

        if (node->kind == NODE_NULL)
                return 0;
        switch (row->form) {
        case KEY_OF_TEXT:
        case KEY_OF_BYTES:
                text = row->form == KEY_OF_TEXT ? compose_want_text(s->p->c, node, row->name) : compose_bytes(s->p->c, node, row->name);
                return text ? say_one(s, row, node, text) : -EINVAL;
        case KEY_OF_BOOL:
                r = compose_bool(s->p->c, node, row->name, &on);
                if (r < 0 || !on)
                        return r;
                return row->argument ? service_argument(s, row->argument, NULL) : service_say(s, node, row->key, "true");
        case KEY_OF_LIST:
                r = compose_words(s->p->c, node, row->name, &words);
                for (char **word = words; r >= 0 && word && *word; word++)
                        r = say_one(s, row, node, *word);
                return r;
        case KEY_OF_PAIRS:
                return say_pairs(s, row, node);
        }
        return -EINVAL;
}

static const char *nearest(const ComposeKey *rows, size_t n_rows, const char *name) {
        const char *near = NULL;
        size_t best = 3;

        for (size_t i = 0; i < n_rows; i++) {
                size_t distance = str_distance(name, rows[i].name, best - 1);

                if (distance < best) {
                        best = distance;
                        near = rows[i].name;
                }
        }
        return near;
}

static const ComposeKey *find_row(Compose *c, const Node *map, const Pair *pair, const ComposeKey *rows, size_t n_rows, const char *path, int *ret) {
        Node at = *map;

        at.file = pair->value->file;
        at.line = pair->line;
        *ret = 0;
        if (str_after(pair->key, "x-"))
                return NULL;
        for (size_t i = 0; i < n_rows; i++)
                if (str_equal(rows[i].name, pair->key)) {
                        if (rows[i].refused)
                                *ret = compose_fail(c, &at, "%s%s%s: %s", path, *path ? "." : "", pair->key, rows[i].refused);
                        else if (rows[i].passed_over)
                                compose_warn(c, &at, "%s%s%s is left out: %s", path, *path ? "." : "", pair->key, rows[i].passed_over);
                        return rows[i].refused || rows[i].passed_over ? NULL : rows + i;
                }
        const char *near = nearest(rows, n_rows, pair->key);
        *ret = compose_fail(c, &at, "%s%s%s: there is no such key%s%s%s", path, *path ? "." : "", pair->key, near ? "; did you mean '" : "", near ?: "",
                            near ? "'?" : "");
        return NULL;
}

static int go_over(Compose *c, Service *s, const Node *map, const ComposeKey *rows, size_t n_rows, const char *path) {
        int fault = 0;

        if (map->kind == NODE_NULL)
                return 0;
        if (map->kind != NODE_MAP)
                return compose_fail(c, map, "%s: a map is wanted", path);
        for (size_t i = 0; i < map->n; i++) {
                int r;
                const ComposeKey *row = find_row(c, map, map->pairs + i, rows, n_rows, path, &r);

                if (row && s && !row->elsewhere)
                        r = row->convert ? row->convert(s, map->pairs[i].value) : convert_plain(s, row, map->pairs[i].value);
                if (r == -ENOMEM)
                        return r;
                fault = r < 0 ? r : fault;
        }
        return fault;
}

int compose_keys(Service *s, const Node *map, const ComposeKey *rows, size_t n_rows, const char *path) {
        return go_over(s->p->c, s, map, rows, n_rows, path);
}

int compose_check_keys(Compose *c, const Node *map, const ComposeKey *rows, size_t n_rows, const char *path) {
        return go_over(c, NULL, map, rows, n_rows, path);
}
