/* SPDX-License-Identifier: Apache-2.0 */
/* A container's files as an archive, and what it changed (podman-export(1), podman-diff(1)). */
#pragma once

#include "content/tree.h"

/* Writes all files of the container to `path` (NULL: the standard output, which must not be a terminal). */
int export_container(const Store *store, const char *name, const char *path, Error *reterr);

/* The same for any tree. */
int export_tree(const Store *store, Tree *tree, const char *path, Error *reterr);

/* Prints what container or image `name` changed against the image it stands on, or against `base`. */
int diff_print(const Store *store, const char *name, const char *base, TreeKind kind, bool json, Error *reterr);
