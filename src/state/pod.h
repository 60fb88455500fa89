/* SPDX-License-Identifier: Apache-2.0 */
/* Pods on disk: the record (pods/ID/pod.json) with its name, and a mark for each container that is of it. The mark is there
 * before the container's record and goes after it, so that a pod always knows of all its containers; a mark without a container
 * is what a killed command left and means nothing. */
#pragma once

#include "spec/pod.h"
#include "state/store.h"

typedef struct Pod {
        PodConfig config;
        int dir_fd;  /* pods/ID */
        int lock_fd; /* -EBADF: not locked */
} Pod;

#define POD_NULL ((Pod){ .config = POD_CONFIG_NULL, .dir_fd = -EBADF, .lock_fd = -EBADF })

void pod_done(Pod *pod);
#define _cleanup_pod_ _cleanup_(pod_done)

/* Makes the record under a fresh ID (or config->id when set) and claims the name (one is made up where it is NULL).
 * -EEXIST names the holder. `config` is moved into *ret, which comes locked. */
int pod_create(const Store *store, PodConfig *config, Pod *ret, Error *reterr);

/* By name, ID, or a prefix of the ID; the ID is owned. -ENOENT: there is none. */
int pod_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr);
int pod_load(const Store *store, const char *id, Pod *ret, Error *reterr);
int pod_open(const Store *store, const char *name_or_id, Pod *ret, Error *reterr);

/* Held by who adds a container to the pod, or removes the pod. Comes before a container's lock. -ENOENT: it was removed. */
int pod_lock(Pod *pod, Error *reterr);
void pod_unlock(Pod *pod);

/* All IDs, in no order; a vector (NULL: none). */
int pod_list(const Store *store, char ***ret, Error *reterr);

int pod_save(const Pod *pod, Error *reterr);

/* Whether members have a place in the pod's marks: the IDs of all, those of killed commands too; a vector (NULL: none). */
int pod_members(const Pod *pod, char ***ret, Error *reterr);
int pod_add_member(const Pod *pod, const char *container_id, Error *reterr);

/* Takes a container's mark away; of a pod that is gone there is none. */
void pod_drop_member(const Store *store, const char *pod_id, const char *container_id);

/* Removes name, record and marks. */
int pod_delete(const Store *store, Pod *pod, Error *reterr);

/* Removes what a killed `pod create` or `pod rm` has left: directories that no name points at. */
void pod_collect(const Store *store);
