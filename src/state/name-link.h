/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers and of pods: names/NAME, or pod-names/NAME, is a symlink that says the ID of a record. A container or pod is
 * there if and only if its name leads to its record; a name that leads nowhere is a leftover, and anybody's. No name is a
 * container's and a pod's. */
#pragma once

#include "spec/container.h"
#include "state/store.h"

typedef enum NameKind {
        NAME_CONTAINER,
        NAME_POD,
        _NAME_KIND_MAX,
} NameKind;

/* The ID that the name says, whether there is a record or not; -ENOENT, or -EBADMSG where it says none. */
int name_link_read(const Store *store, NameKind kind, const char *name, char ret_id[static CONTAINER_ID_LENGTH + 1]);

/* The same, but a leftover is -ENOENT. */
int name_link_find(const Store *store, NameKind kind, const char *name, char ret_id[static CONTAINER_ID_LENGTH + 1]);

/* Takes the name for an ID with one symlink(2). -EEXIST names the holder. 0 where the ID has it already. */
int name_link_take(const Store *store, NameKind kind, const char *name, const char *id, Error *reterr);

/* Lets it go, where it is this ID's. */
void name_link_drop(const Store *store, NameKind kind, const char *name, const char *id);

/* All IDs that have a name, each once (a rename that was killed leaves a record two names), sorted; a vector (NULL: none). */
int name_link_list(const Store *store, NameKind kind, char ***ret, Error *reterr);

/* Takes an ID over (NULL: out of memory) into a vector that doubles: strv_append() counts what is there each time. */
int ids_append(char ***ids, size_t *n, size_t *room, char *id);

/* For qsort(3) and bsearch(3). */
int ids_compare(const void *a, const void *b);

/* Lets go of all names that lead to `id` but this one: what a rename that was killed has left. Under the lock of what has the ID. */
void name_link_drop_others(const Store *store, NameKind kind, const char *name, const char *id);
