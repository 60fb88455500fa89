/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container: the user's, and the small files that sdpod writes for it. */
#pragma once

#include "config.h"
#include "proc/plan.h"
#include "state/container.h"
#include "storage/volume.h"

/* --init: what is run, and where the container has it. */
#define INIT_PROGRAM "/usr/bin/catatonit"
#define INIT_IN_CONTAINER "/run/podman-init"

/* The one program of a pod's infra container, and where it is there. */
#define INFRA_PROGRAM SDPOD_LIBEXECDIR "/sdpod-infra"
#define INFRA_IN_CONTAINER "/sdpod-infra"

/* Appends a tmpfs with what the image has at `destination`, unless something is mounted there. `data`: its mount options. */
int plan_free_tmpfs(const ContainerConfig *config, const char *destination, const char *data, ProcPlan *plan, Error *reterr);

/* Appends all mounts to the plan in the order in which they are made (a parent before what lies below it). The volumes are held
 * until the container has started. */
int plan_mounts(const Store *store, Container *container, const UserMap *base, ProcPlan *plan, VolumeHolds *holds, Error *reterr);
