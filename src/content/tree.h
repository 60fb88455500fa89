/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's or an image's files are made of, and work on them in a sandboxed process that has the user's IDs. */
#pragma once

#include "content/union.h"
#include "image/worker.h"
#include "state/container.h"

typedef struct Tree {
        char *upper;             /* below the data directory; NULL: nothing was written */
        char **layers;           /* diff IDs, lowest first */
        char *copy;              /* below the data directory: all files, of a container of the driver vfs; NULL: layers */
        char *directory;         /* a root file system of the user's own (--rootfs), absolute; NULL: layers */
} Tree;

void tree_done(Tree *tree);
#define _cleanup_tree_ _cleanup_(tree_done)

/* Where the files of a container are. */
int tree_of_container(const Container *container, Tree *ret, Error *reterr);

typedef enum TreeKind {
        TREE_ANY,                /* a container or, where there is none of that name, an image */
        TREE_CONTAINER,
        TREE_IMAGE,
        _TREE_KIND_MAX,
        _TREE_KIND_INVALID = -EINVAL,
} TreeKind;

/* "any", "container", "image". */
TreeKind tree_kind_from_string(const char *name);

/* The same of what the name means. -ENOENT (ERROR_NOT_FOUND): nothing of this kind has it. */
int tree_find(const Store *store, const char *name, TreeKind kind, Tree *ret, Error *reterr);

/* In the worker, whose root is the data directory or tree->directory: all of it as one tree. */
int tree_open(const Tree *tree, int root_fd, Union *ret, Error *reterr);

/* What came of the work, `result` at first: an error says so where the files went meanwhile, and work on some of them is one, too. */
int tree_check_kept(const Store *store, const Tree *tree, int result, Error *reterr);

/* Starts such a worker: its root is the data directory, or `directory` where that is not NULL. */
int tree_work(const Store *store, const UserMap *map, const char *directory,
              int (*function)(void *data, int root_fd, int out_fd, Error *reterr), void *data, int out_fd, Worker *ret, Error *reterr);
