/* SPDX-License-Identifier: Apache-2.0 */
/* What a compose file says, as a tree that knows where each part stands (YAML 1.2, and the keys `<<` of YAML 1.1). */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "unit/buffer.h"

typedef enum NodeKind {
        NODE_NULL,
        NODE_SCALAR,
        NODE_LIST,
        NODE_MAP,
} NodeKind;

/* What a tag asks of merging (compose-spec, 13-merge). */
typedef enum NodeMerge {
        MERGE_NORMAL,
        MERGE_RESET,
        MERGE_OVERRIDE,
} NodeMerge;

typedef struct Node {
        NodeKind kind;
        NodeMerge merge;
        const char *text;       /* of a scalar */
        bool plain;             /* written without quotes: true, 5 and null are no strings */
        const char *file;
        const char *directory;  /* of the file: what relative paths are relative to in an extended service */
        unsigned line;
        struct Pair *pairs;     /* of a map, in order */
        struct Node **items;    /* of a list */
        size_t n, room;
} Node;

typedef struct Pair {
        const char *key;
        Node *value;
        unsigned line;
        bool used;              /* somebody has looked at it */
} Pair;

enum {
        COMPOSE_FILE_MAX = 1024 * 1024,
        COMPOSE_DEPTH_MAX = 64,
        COMPOSE_NODES_MAX = 100000, /* with what aliases stand for */
};

/* All that is made of the files: one arena, and what was said. */
typedef struct Compose {
        Arena arena;
        size_t n_nodes;
        unsigned n_errors, n_warnings;
        void (*report)(void *userdata, bool error, const char *text);
        void *userdata;
        char *const *environment;   /* process, then .env */
        char **dotenv;              /* owned */
} Compose;

void compose_done(Compose *compose);

/* Reports a fault ("FILE:LINE: text"). Returns -EINVAL. */
int compose_fail(Compose *compose, const Node *at, const char *format, ...) _printf_(3, 4);
void compose_warn(Compose *compose, const Node *at, const char *format, ...) _printf_(3, 4);

/* NULL when out of memory, or when there are too many (it is reported). */
Node *node_new(Compose *compose, NodeKind kind, const Node *at);
int node_append(Compose *compose, Node *list, Node *item);
int node_set(Compose *compose, Node *map, const char *key, unsigned line, Node *value); /* replaces */
void node_remove(Node *map, const char *key);
Node *node_copy(Compose *compose, const Node *node);

/* NULL where it is not there, or not a map. */
Pair *node_pair(const Node *map, const char *key);
Node *node_get(const Node *map, const char *key);

/* The text of a scalar; NULL for all else. */
const char *node_text(const Node *node);
const char *node_get_text(const Node *map, const char *key);

/* Reads one file into a tree. Relative paths are left as they are. 0, or -EINVAL after reporting. */
int compose_load(Compose *compose, const char *path, Node **ret);
int compose_load_text(Compose *compose, const char *text, size_t size, const char *name, const char *directory, Node **ret);

/* Replaces $NAME and ${NAME...} in all scalars of the tree (compose-spec, 12-interpolation). */
int compose_interpolate(Compose *compose, Node *node);

/* Variables of a file with lines NAME=VALUE, as docker compose has them; what is there already stays. -ENOENT: no such file. */
int compose_read_dotenv(Compose *compose, const char *path);

/* The value of a variable; NULL. */
const char *compose_variable(const Compose *compose, const char *name);

/* Merges `over` into `base` as docker compose merges files (compose-spec, 13-merge). */
int compose_merge(Compose *compose, Node *base, const Node *over);

/* Carries out `extends` of all services. */
int compose_extend(Compose *compose, Node *project);

/* A list of "KEY=VALUE" as a map; a map as it is. Another kind is reported: NULL. */
Node *compose_as_map(Compose *compose, Node *node);
