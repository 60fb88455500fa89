/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces a container gets, and how it gets into them. */
#pragma once

#include "spec/runtime-spec.h"

enum { OCI_NAMESPACES_MAX = 8 };

typedef struct OciNamespaceJoin {
        int fd;                 /* owned */
        int flag;               /* CLONE_NEWNET, ... */
        const char *path;       /* the spec's */
} OciNamespaceJoin;

typedef struct OciNamespaces {
        int made;               /* CLONE_NEW*: new ones */
        OciNamespaceJoin joins[OCI_NAMESPACES_MAX]; /* by path, the user namespace first */
        size_t n_joins;
        int joined;             /* CLONE_NEW* of those that are not the runtime's own */
} OciNamespaces;

#define OCI_NAMESPACES_NULL ((OciNamespaces){})

void oci_namespaces_done(OciNamespaces *namespaces);
#define _cleanup_oci_namespaces_ _cleanup_(oci_namespaces_done)

/* Works it out and opens the paths. -EINVAL where a path is a namespace of another type. */
int oci_namespaces_plan(const RuntimeSpec *spec, OciNamespaces *ret, Error *reterr);

/* The CLONE_NEW* flags of all namespaces of the spec, made or joined. */
int oci_namespaces_flags(const RuntimeSpec *spec);

/* Whether the container has one of this kind that is not the runtime's own. */
static inline bool oci_namespaces_has(const OciNamespaces *namespaces, int flag) {
        return (namespaces->made | namespaces->joined) & flag;
}

/* Makes a child of the caller in the namespaces, which runs `function` and exits with what it returns. It still has to enter those that
 * oci_namespaces_enter() names: no child is ever seen half made. Returns its pid and *ret_pidfd. */
int oci_namespaces_clone(const OciNamespaces *namespaces, int (*function)(void *data), void *data, int *ret_pidfd, Error *reterr);

/* What is left to do in that child, once its IDs are mapped: joins, and the namespaces that can only be had from inside. */
int oci_namespaces_enter(const OciNamespaces *namespaces, Error *reterr);

/* In a user namespace that was just entered: its root, with none of the caller's groups unless they are to be kept. */
int oci_namespaces_become_root(bool keep_groups, Error *reterr);
