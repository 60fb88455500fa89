/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that a container was asked for. */
#pragma once

#include "proc/plan.h"
#include "state/container.h"
#include "storage/volume.h"

/* Reads, makes or locks the volumes of the container (storage/volume.h). */
int plan_hold_volumes(const Store *store, const ContainerConfig *config, VolumeHolds *holds, Error *reterr);

/* Appends mount number `index` of the container to the plan. `holds` has its volumes. */
int plan_user_mount(const Store *store, Container *container, size_t index, const UserMap *base, const VolumeHolds *holds, ProcPlan *plan,
                    Error *reterr);

/* Opens plan->source as the user sees it. */
int plan_open_source(MountPlan *plan, Error *reterr);
