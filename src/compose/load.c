/* SPDX-License-Identifier: Apache-2.0 */
/* From YAML to a tree: libyaml's events, with a limit to everything. */
#include <fcntl.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/file.h"
#include "base/str.h"
#include "compose/node.h"

typedef struct Anchor {
        const char *name;
        Node *node;             /* NULL while it is being read: an alias inside of itself */
} Anchor;

typedef struct Loader {
        Compose *c;
        yaml_parser_t parser;
        Node at;                /* for what is made: file, directory */
        Anchor *anchors;        /* malloc'd */
        size_t n_anchors;
        unsigned depth;
} Loader;

static int next_event(Loader *l, yaml_event_t *event) {
        if (!yaml_parser_parse(&l->parser, event)) {
                l->at.line = (unsigned) l->parser.problem_mark.line + 1;
                return l->parser.error == YAML_MEMORY_ERROR ? -ENOMEM
                                                            : compose_fail(l->c, &l->at, "not valid YAML: %s", l->parser.problem ?: "it cannot be read");
        }
        l->at.line = (unsigned) event->start_mark.line + 1;
        return 0;
}

static int add_anchor(Loader *l, const yaml_char_t *name, size_t *ret) {
        Anchor *anchors = reallocarray(l->anchors, l->n_anchors + 1, sizeof(*anchors));

        if (!anchors)
                return -ENOMEM;
        l->anchors = anchors;
        anchors[l->n_anchors] = (Anchor){ .name = arena_copy(&l->c->arena, (const char *) name) };
        *ret = l->n_anchors++;
        return anchors[*ret].name ? 0 : -ENOMEM;
}

static int check_tag(Loader *l, const yaml_char_t *tag, Node *node) {
        static const char *const known[] = { "str", "int", "float", "bool", "null", "map", "seq" };
        const char *text = (const char *) tag, *rest = text ? str_after(text, "tag:yaml.org,2002:") : NULL;

        if (!text || str_equal(text, "!"))
                return 0;
        for (size_t i = 0; rest && i < ELEMENTSOF(known); i++)
                if (str_equal(rest, known[i])) {
                        node->plain = node->plain && !str_equal(rest, "str");
                        return 0;
                }
        if (str_equal(text, "!reset") || str_equal(text, "!override")) {
                node->merge = str_equal(text, "!reset") ? MERGE_RESET : MERGE_OVERRIDE;
                return 0;
        }
        return compose_fail(l->c, node, "the tag '%s' has no meaning here", text);
}

static bool is_null(const Node *node) {
        return node->plain && (!*node->text || str_equal(node->text, "~") || str_equal(node->text, "null") || str_equal(node->text, "Null") ||
                               str_equal(node->text, "NULL"));
}

static int read_node(Loader *l, yaml_event_t *event, Node **ret);

static int read_list(Loader *l, Node *node) {
        for (;;) {
                yaml_event_t event;
                Node *item = NULL;
                int r = next_event(l, &event);

                if (r < 0)
                        return r;
                bool end = event.type == YAML_SEQUENCE_END_EVENT;
                if (!end)
                        r = read_node(l, &event, &item);
                yaml_event_delete(&event);
                if (r >= 0 && !end)
                        r = node_append(l->c, node, item);
                if (r < 0 || end)
                        return r;
        }
}

/* `<<`: keys of the map itself go before, and among several maps the first one's. */
static int merge_keys(Loader *l, Node *map, const Node *from) {
        int r = 0;

        if (from->kind == NODE_LIST) {
                for (size_t i = 0; r >= 0 && i < from->n; i++)
                        r = merge_keys(l, map, from->items[i]);
                return r;
        }
        if (from->kind != NODE_MAP)
                return compose_fail(l->c, from, "'<<' takes a map, or a list of maps");
        for (size_t i = 0; r >= 0 && i < from->n; i++)
                if (!node_pair(map, from->pairs[i].key))
                        r = node_set(l->c, map, from->pairs[i].key, from->pairs[i].line, node_copy(l->c, from->pairs[i].value));
        return r;
}

static int read_pair(Loader *l, Node *node, const yaml_event_t *key_event, Node **merged) {
        yaml_event_t event;
        Node *value = NULL, key = l->at;

        if (key_event->type != YAML_SCALAR_EVENT)
                return compose_fail(l->c, &l->at, "a key must be a word");
        const char *name = arena_copy(&l->c->arena, (const char *) key_event->data.scalar.value);
        if (!name)
                return -ENOMEM;
        if (strlen(name) != key_event->data.scalar.length)
                return compose_fail(l->c, &key, "a NUL byte in a key");
        if (node_pair(node, name))
                return compose_fail(l->c, &key, "'%s' is there twice", name);
        int r = next_event(l, &event);
        if (r < 0)
                return r;
        r = read_node(l, &event, &value);
        yaml_event_delete(&event);
        if (r < 0)
                return r;
        if (!str_equal(name, "<<") || key_event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
                return node_set(l->c, node, name, key.line, value);
        if (*merged)
                return compose_fail(l->c, &key, "'<<' is there twice");
        *merged = value;
        return 0;
}

static int read_map(Loader *l, Node *node) {
        Node *merged = NULL;

        for (;;) {
                yaml_event_t event;
                int r = next_event(l, &event);

                if (r < 0)
                        return r;
                bool end = event.type == YAML_MAPPING_END_EVENT;
                if (!end)
                        r = read_pair(l, node, &event, &merged);
                yaml_event_delete(&event);
                if (r < 0)
                        return r;
                if (end)
                        return merged ? merge_keys(l, node, merged) : 0;
        }
}

static int read_alias(Loader *l, const yaml_char_t *name, Node **ret) {
        for (size_t i = l->n_anchors; i-- > 0;)
                if (str_equal(l->anchors[i].name, (const char *) name)) {
                        if (!l->anchors[i].node)
                                return compose_fail(l->c, &l->at, "the alias '*%s' stands inside of what it means", (const char *) name);
                        *ret = node_copy(l->c, l->anchors[i].node);
                        return *ret ? 0 : l->c->n_nodes > COMPOSE_NODES_MAX ? -EINVAL : -ENOMEM;
                }
        return compose_fail(l->c, &l->at, "the alias '*%s' is of no anchor", (const char *) name);
}

static int read_scalar(Loader *l, const yaml_event_t *event, Node *node) {
        node->text = arena_copy_n(&l->c->arena, (const char *) event->data.scalar.value, event->data.scalar.length);
        if (!node->text)
                return -ENOMEM;
        if (strlen(node->text) != event->data.scalar.length)
                return compose_fail(l->c, node, "a NUL byte");
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        int r = check_tag(l, event->data.scalar.tag, node);
        if (r >= 0 && is_null(node))
                node->kind = NODE_NULL;
        return r;
}

static int read_node(Loader *l, yaml_event_t *event, Node **ret) {
        const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT ? event->data.scalar.anchor
                                  : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                  : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor : NULL;
        size_t index = 0;
        Node *node;
        int r = 0;

        if (event->type == YAML_ALIAS_EVENT)
                return read_alias(l, event->data.alias.anchor, ret);
        if (l->depth >= COMPOSE_DEPTH_MAX)
                return compose_fail(l->c, &l->at, "nested more than %d levels deep", COMPOSE_DEPTH_MAX);
        node = node_new(l->c, event->type == YAML_SCALAR_EVENT ? NODE_SCALAR : event->type == YAML_SEQUENCE_START_EVENT ? NODE_LIST : NODE_MAP, &l->at);
        if (!node)
                return l->c->n_nodes > COMPOSE_NODES_MAX ? -EINVAL : -ENOMEM;
        if (anchor)
                r = add_anchor(l, anchor, &index);
        if (r < 0)
                return r;
        l->depth++;
        if (event->type == YAML_SCALAR_EVENT)
                r = read_scalar(l, event, node);
        else if (event->type == YAML_SEQUENCE_START_EVENT) {
                r = check_tag(l, event->data.sequence_start.tag, node);
                r = r < 0 ? r : read_list(l, node);
        } else if (event->type == YAML_MAPPING_START_EVENT) {
                r = check_tag(l, event->data.mapping_start.tag, node);
                r = r < 0 ? r : read_map(l, node);
        } else
                r = compose_fail(l->c, &l->at, "not valid YAML");
        l->depth--;
        if (anchor && r >= 0)
                l->anchors[index].node = node;
        *ret = node;
        return r;
}

static int read_document(Loader *l, Node **ret) {
        bool done = false;
        int r = 0;

        while (r >= 0 && !done) {
                yaml_event_t event;

                r = next_event(l, &event);
                if (r < 0)
                        return r;
                switch (event.type) {
                case YAML_STREAM_START_EVENT:
                case YAML_DOCUMENT_END_EVENT:
                        break;
                case YAML_DOCUMENT_START_EVENT:
                        if (*ret)
                                r = compose_fail(l->c, &l->at, "a second document in the file");
                        break;
                case YAML_STREAM_END_EVENT:
                        done = true;
                        break;
                default:
                        r = read_node(l, &event, ret);
                }
                yaml_event_delete(&event);
        }
        return r;
}

int compose_load_text(Compose *c, const char *text, size_t size, const char *name, const char *directory, Node **ret) {
        Loader l = { .c = c, .at = { .file = arena_copy(&c->arena, name), .directory = arena_copy(&c->arena, directory), .line = 1 } };

        *ret = NULL;
        if (!l.at.file || !l.at.directory || !yaml_parser_initialize(&l.parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&l.parser, (const unsigned char *) text, size);
        int r = read_document(&l, ret);
        yaml_parser_delete(&l.parser);
        free(l.anchors);
        if (r >= 0 && (!*ret || (*ret)->kind != NODE_MAP))
                r = compose_fail(c, &l.at, "not a compose file: it is no map with 'services'");
        return r;
}

int compose_load(Compose *c, const char *path, Node **ret) {
        _cleanup_free_ char *text = NULL, *real = realpath(path, NULL);
        size_t size = 0;
        Node at = { .file = path };
        int r = real ? file_read(AT_FDCWD, real, COMPOSE_FILE_MAX, &text, &size) : -errno;

        if (r == -EFBIG)
                return compose_fail(c, NULL, "%s: cannot be read: more than %d bytes", at.file, COMPOSE_FILE_MAX);
        if (r < 0)
                return compose_fail(c, NULL, "%s: cannot be read: %s", at.file, strerror(-r));
        char *slash = strrchr(real, '/');
        *slash = '\0';
        return compose_load_text(c, text, size, path, slash > real ? real : "/", ret);
}
