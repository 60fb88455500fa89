/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that are made outside of the container: overlays above directories and images, file systems that running containers have
 * already, and all sources of a container whose root may not go where the user may. */
#pragma once

#include "proc/plan.h"
#include "state/container.h"

/* containers/ID/overlay/N/upper and work: what a container writes into mount number N, until its next start. */
#define OVERLAYS_DIRECTORY "overlay"

/* Makes these two directories empty; their paths are below the data directory, owned. */
int mount_trees_make_upper(const Store *store, Container *container, size_t number, char **ret_upper, char **ret_work, Error *reterr);

/* A detached copy of the mount at `path` of a running container, as it is seen from inside. */
int mount_trees_clone(const Container *container, const char *path, Error *reterr);

/* A detached copy of what a running container that can be entered from here has mounted for the volume, whatever it may do
 * with it itself: neither read-only nor noexec. -ENOENT without an error where none runs that has it. */
int mount_trees_share(const Store *store, const char *volume, Error *reterr);

/* Gives all mounts of the plan that need it their tree_fd. */
int mount_trees_make(const Store *store, const UserMap *base, ProcPlan *plan, Error *reterr);
