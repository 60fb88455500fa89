/* SPDX-License-Identifier: Apache-2.0 */
/* The tree, and what is said about it. */
#include "compose/node.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

void compose_done(Compose *c) {
        arena_done(&c->arena);
        strv_free(c->dotenv);
}

_printf_(4, 0) static void say(Compose *c, bool error, const Node *at, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL, *line = NULL, *clean = NULL;

        if (vasprintf(&text, format, ap) < 0)
                return;
        line = at && at->file ? str_format("%s:%u: %s", at->file, at->line, text) : strdup(text);
        clean = line ? str_escape_control(line) : NULL;
        if (clean)
                c->report(c->userdata, error, clean);
}

int compose_fail(Compose *c, const Node *at, const char *format, ...) {
        va_list ap;

        c->n_errors++;
        va_start(ap, format);
        say(c, true, at, format, ap);
        va_end(ap);
        return -EINVAL;
}

void compose_warn(Compose *c, const Node *at, const char *format, ...) {
        va_list ap;

        c->n_warnings++;
        va_start(ap, format);
        say(c, false, at, format, ap);
        va_end(ap);
}

Node *node_new(Compose *c, NodeKind kind, const Node *at) {
        Node *node;

        if (c->n_nodes == COMPOSE_NODES_MAX)
                (void) compose_fail(c, at, "more than %d values, with those that aliases stand for", COMPOSE_NODES_MAX);
        if (c->n_nodes++ >= COMPOSE_NODES_MAX)
                return NULL;
        node = arena_alloc(&c->arena, sizeof(*node));
        if (node) {
                node->kind = kind;
                if (at) {
                        node->file = at->file;
                        node->directory = at->directory;
                        node->line = at->line;
                }
        }
        return node;
}

static void *grow(Compose *c, void *items, size_t n, size_t *room, size_t size) {
        if (n < *room)
                return items;
        size_t more = *room ? *room * 2 : 4;
        void *grown = arena_alloc(&c->arena, more * size);
        if (!grown)
                return NULL;
        if (n > 0)
                memcpy(grown, items, n * size);
        *room = more;
        return grown;
}

int node_append(Compose *c, Node *list, Node *item) {
        void *items = item ? grow(c, list->items, list->n, &list->room, sizeof(*list->items)) : NULL;

        if (!items)
                return -ENOMEM;
        list->items = items;
        list->items[list->n++] = item;
        return 0;
}

Pair *node_pair(const Node *map, const char *key) {
        for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
                if (str_equal(map->pairs[i].key, key))
                        return map->pairs + i;
        return NULL;
}

int node_set(Compose *c, Node *map, const char *key, unsigned line, Node *value) {
        Pair *pair = node_pair(map, key);

        if (!value)
                return -ENOMEM;
        if (!pair) {
                void *pairs = grow(c, map->pairs, map->n, &map->room, sizeof(*map->pairs));

                if (!pairs)
                        return -ENOMEM;
                map->pairs = pairs;
                pair = map->pairs + map->n++;
                *pair = (Pair){ .key = key };
        }
        pair->value = value;
        pair->line = line;
        return 0;
}

void node_remove(Node *map, const char *key) {
        Pair *pair = node_pair(map, key);

        if (!pair)
                return;
        memmove(pair, pair + 1, (size_t) (map->pairs + map->n - (pair + 1)) * sizeof(*pair));
        map->n--;
}

Node *node_copy(Compose *c, const Node *from) {
        Node *to = node_new(c, from->kind, from);
        int r = 0;

        if (!to)
                return NULL;
        to->merge = from->merge;
        to->text = from->text;
        to->plain = from->plain;
        for (size_t i = 0; r >= 0 && i < from->n; i++)
                r = from->kind == NODE_LIST ? node_append(c, to, node_copy(c, from->items[i]))
                                            : node_set(c, to, from->pairs[i].key, from->pairs[i].line, node_copy(c, from->pairs[i].value));
        return r < 0 ? NULL : to;
}

Node *node_get(const Node *map, const char *key) {
        Pair *pair = node_pair(map, key);

        return pair ? pair->value : NULL;
}

const char *node_text(const Node *node) {
        return node && node->kind == NODE_SCALAR ? node->text : NULL;
}

const char *node_get_text(const Node *map, const char *key) {
        return node_text(node_get(map, key));
}
