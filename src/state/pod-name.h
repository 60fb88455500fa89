/* SPDX-License-Identifier: Apache-2.0 */
/* Names of pods: pod-names/NAME is a symlink that says the ID of pods/ID, as names/NAME does for a container. A pod is there if
 * and only if its name points at its record. No name is a pod's and a container's. */
#pragma once

#include "state/store.h"

/* Takes the name for an ID with one symlink(2). -EEXIST names the holder; a name that points at nothing is anybody's. */
int pod_name_take(const Store *store, const char *name, const char *id, Error *reterr);

/* Lets it go, where it is this ID's. */
void pod_name_drop(const Store *store, const char *name, const char *id);

/* -EEXIST with a message where a pod has the name. For who takes it for a container. */
int pod_name_check(const Store *store, const char *name, Error *reterr);

/* By full name, full ID, or an ID prefix that only one pod has: the ID, owned. -ENOENT "no such pod". */
int pod_name_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr);

/* All IDs that have a name, in no order; a vector (NULL: none). */
int pod_name_list(const Store *store, char ***ret, Error *reterr);
