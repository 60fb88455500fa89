/* SPDX-License-Identifier: Apache-2.0 */
/* Several files, and services that extend others (compose-spec, 13-merge and 05-services, extends). */
#include <limits.h>
#include <stdlib.h>

#include "base/str.h"
#include "compose/node.h"

typedef enum How {
        HOW_DEEP,     /* maps key by key, lists one after the other, all else replaced */
        HOW_REPLACE,
        HOW_MAP,      /* a list of KEY=VALUE is a map */
        HOW_NAMES,    /* a list of names is a map without values */
        HOW_TARGET,   /* a list in which one target comes once: volumes, devices, secrets, configs */
} How;

/* Of a service, by its path below it. */
static const struct {
        const char *path;
        How how;
} rules[] = {
        { "command", HOW_REPLACE },          { "entrypoint", HOW_REPLACE },        { "healthcheck.test", HOW_REPLACE },
        { "environment", HOW_MAP },          { "labels", HOW_MAP },                { "annotations", HOW_MAP },
        { "sysctls", HOW_MAP },              { "extra_hosts", HOW_MAP },           { "build.args", HOW_MAP },
        { "build.labels", HOW_MAP },         { "build.extra_hosts", HOW_MAP },     { "deploy.labels", HOW_MAP },
        { "depends_on", HOW_NAMES },         { "networks", HOW_NAMES },            { "volumes", HOW_TARGET },
        { "devices", HOW_TARGET },           { "secrets", HOW_TARGET },            { "configs", HOW_TARGET },
};

static How how_of(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (str_equal(rules[i].path, path))
                        return rules[i].how;
        return HOW_DEEP;
}

Node *compose_as_map(Compose *c, Node *node) {
        Node *map;

        if (node->kind == NODE_MAP || node->kind == NODE_NULL)
                return node;
        if (node->kind != NODE_LIST) {
                (void) compose_fail(c, node, "neither a map nor a list");
                return NULL;
        }
        map = node_new(c, NODE_MAP, node);
        for (size_t i = 0; map && i < node->n; i++) {
                const Node *item = node->items[i];
                size_t n = item->kind == NODE_SCALAR ? strcspn(item->text, "=") : 0;
                const char *key = n > 0 ? arena_copy_n(&c->arena, item->text, n) : NULL;
                Node *value = key ? node_new(c, item->text[n] ? NODE_SCALAR : NODE_NULL, item) : NULL;

                if (item->kind != NODE_SCALAR || n == 0) {
                        (void) compose_fail(c, item, "not KEY=VALUE");
                        return NULL;
                }
                if (value && value->kind == NODE_SCALAR)
                        value->text = item->text + n + 1;
                if (node_set(c, map, key, item->line, value) < 0)
                        return NULL;
        }
        return map;
}

static Node *names_as_map(Compose *c, Node *node) {
        Node *map = node->kind == NODE_LIST ? node_new(c, NODE_MAP, node) : node;

        for (size_t i = 0; map && node->kind == NODE_LIST && i < node->n; i++) {
                const Node *item = node->items[i];

                if (item->kind != NODE_SCALAR) {
                        (void) compose_fail(c, item, "not a name");
                        return NULL;
                }
                if (node_set(c, map, item->text, item->line, node_new(c, NODE_NULL, item)) < 0)
                        return NULL;
        }
        return map;
}

/* What stands for the same thing: the place in the container, or the name. */
static const char *target_of(Compose *c, const Node *item) {
        const char *text = node_text(item), *colon, *end;

        if (!text)
                return node_get_text(item, "target") ?: node_get_text(item, "source");
        colon = strchr(text, ':');
        if (!colon)
                return text;
        end = strchr(colon + 1, ':');
        return arena_copy_n(&c->arena, colon + 1, end ? (size_t) (end - colon - 1) : strlen(colon + 1));
}

static bool same_scalar(const Node *a, const Node *b) {
        return a->kind == NODE_SCALAR && b->kind == NODE_SCALAR && str_equal(a->text, b->text);
}

static int merge_lists(Compose *c, Node *base, const Node *over, bool by_target) {
        for (size_t i = 0; i < over->n; i++) {
                const char *target = by_target ? target_of(c, over->items[i]) : NULL;
                size_t k = 0;

                while (k < base->n && !same_scalar(base->items[k], over->items[i]) && !(target && str_equal(target_of(c, base->items[k]), target)))
                        k++;
                Node *copy = node_copy(c, over->items[i]);
                if (!copy)
                        return -ENOMEM;
                if (k < base->n)
                        base->items[k] = copy;
                else if (node_append(c, base, copy) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int merge_nodes(Compose *c, Node *base, const Node *over, const char *path);

static int merge_pair(Compose *c, Node *base, const Pair *pair, const char *path) {
        Node *value = pair->value, *old = node_get(base, pair->key);
        const char *below = arena_format(&c->arena, "%s%s%s", path, *path ? "." : "", pair->key);

        if (!below)
                return -ENOMEM;
        if (value->merge == MERGE_RESET) {
                node_remove(base, pair->key);
                return 0;
        }
        if (!old || value->merge == MERGE_OVERRIDE || old->kind == NODE_NULL)
                return node_set(c, base, pair->key, pair->line, node_copy(c, value));
        if (value->kind == NODE_NULL) /* said again, without anything new */
                return 0;
        const char *in_service = str_after(below, "services.");
        in_service = in_service ? strchr(in_service, '.') : NULL;
        How how = in_service ? how_of(in_service + 1) : HOW_DEEP;
        if (how == HOW_MAP || how == HOW_NAMES) {
                old = how == HOW_MAP ? compose_as_map(c, old) : names_as_map(c, old);
                value = how == HOW_MAP ? compose_as_map(c, value) : names_as_map(c, value);
                if (!old || !value || node_set(c, base, pair->key, pair->line, old) < 0)
                        return -EINVAL;
        }
        if (how == HOW_TARGET && old->kind == NODE_LIST && value->kind == NODE_LIST)
                return merge_lists(c, old, value, /* by_target= */ true);
        if (how == HOW_REPLACE || old->kind != value->kind || value->kind == NODE_SCALAR)
                return node_set(c, base, pair->key, pair->line, node_copy(c, value));
        return merge_nodes(c, old, value, below);
}

static int merge_nodes(Compose *c, Node *base, const Node *over, const char *path) {
        int r = 0;

        if (base->kind == NODE_LIST)
                return merge_lists(c, base, over, /* by_target= */ false);
        for (size_t i = 0; r >= 0 && i < over->n; i++)
                r = merge_pair(c, base, over->pairs + i, path);
        return r;
}

int compose_merge(Compose *c, Node *base, const Node *over) {
        return merge_nodes(c, base, over, "");
}

/* ---- extends ---- */

enum { EXTENDS_MAX = 16 };

static int extend_service(Compose *c, Node *project, const char *name, unsigned depth);

/* The service of another file, or of this one, itself extended. */
static int find_extended(Compose *c, Node *project, const Node *extends, unsigned depth, Node **ret) {
        const char *service = node_text(extends) ?: node_get_text(extends, "service"), *file = node_get_text(extends, "file");
        Node *other = project;
        int r = 0;

        if (!service)
                return compose_fail(c, extends, "'extends' takes the name of a service");
        for (size_t i = 0; extends->kind == NODE_MAP && i < extends->n; i++)
                if (!str_equal(extends->pairs[i].key, "service") && !str_equal(extends->pairs[i].key, "file"))
                        return compose_fail(c, extends->pairs[i].value, "'extends' has no key '%s'", extends->pairs[i].key);
        if (file) {
                const char *path = *file == '/' ? file : arena_format(&c->arena, "%s/%s", extends->directory, file);

                r = path ? compose_load(c, path, &other) : -ENOMEM;
                if (r >= 0)
                        r = compose_interpolate(c, other);
        }
        if (r >= 0 && !node_get(node_get(other, "services"), service))
                r = compose_fail(c, extends, "there is no service '%s' to extend", service);
        if (r >= 0)
                r = extend_service(c, other, service, depth + 1);
        *ret = r < 0 ? NULL : node_get(node_get(other, "services"), service);
        return r;
}

static int extend_service(Compose *c, Node *project, const char *name, unsigned depth) {
        Node *services = node_get(project, "services"), *service = node_get(services, name), *extends = node_get(service, "extends"), *from = NULL, *base, *over;

        if (!extends)
                return 0;
        if (depth > EXTENDS_MAX)
                return compose_fail(c, extends, "services extend each other in a circle");
        int r = find_extended(c, project, extends, depth, &from);
        if (r < 0 || !from)
                return r < 0 ? r : -ENOMEM;
        node_remove(service, "extends");
        /* merged as two files with this one service would be */
        base = node_new(c, NODE_MAP, service);
        over = node_new(c, NODE_MAP, service);
        Node *base_services = node_new(c, NODE_MAP, service), *over_services = node_new(c, NODE_MAP, service);
        if (!base || !over || !base_services || !over_services || node_set(c, base_services, name, service->line, node_copy(c, from)) < 0 ||
            node_set(c, over_services, name, service->line, service) < 0 || node_set(c, base, "services", 0, base_services) < 0 ||
            node_set(c, over, "services", 0, over_services) < 0)
                return -ENOMEM;
        r = compose_merge(c, base, over);
        return r < 0 ? r : node_set(c, services, name, service->line, node_get(base_services, name));
}

int compose_extend(Compose *c, Node *project) {
        Node *services = node_get(project, "services");
        int r = 0;

        for (size_t i = 0; r >= 0 && services && services->kind == NODE_MAP && i < services->n; i++)
                r = extend_service(c, project, services->pairs[i].key, 0);
        return r;
}
