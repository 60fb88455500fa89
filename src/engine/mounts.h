/* SPDX-License-Identifier: Apache-2.0 */
/* The files of containers and images, mounted below the runtime directory in this process's mount namespace: as the machine's
 * root, or in a session of `sdpod unshare` (engine/unshare.h). */
#pragma once

#include "image/store.h"
#include "state/container.h"
#include "storage/volume.h"

/* ERROR_DENIED for an ordinary user outside a session. `command`: "mount". */
int mounts_check(const char *command, Error *reterr);

/* Where a container or image is mounted; *ret (owned) is NULL where it is not. */
int mounts_find(const Store *store, const char *id, char **ret, Error *reterr);

/* Mounts it where that is not done yet. A container that runs: the very root file system that it has; one that does not: the layers
 * and what it wrote, writable. An image: its layers, read-only. *ret: the path, owned. */
int mounts_container(const Store *store, Container *container, char **ret, Error *reterr);
int mounts_image(const Store *store, const ImageInfo *image, char **ret, Error *reterr);

/* A volume that is a directory is there already; for others the file system is mounted over it, the one of a container that runs where
 * there is one. *ret: the path, owned. */
int mounts_volume(const Store *store, const Volume *volume, char **ret, Error *reterr);
int mounts_remove_volume(const Store *store, const Volume *volume, Error *reterr);

/* Unmounts, though somebody may still work there: then the files stay theirs until they leave. 1, or 0 where it was not mounted. */
int mounts_remove(const Store *store, const char *id, Error *reterr);
