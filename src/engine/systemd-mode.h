/* SPDX-License-Identifier: Apache-2.0 */
/* --systemd: what a systemd inside a container expects to find (systemd's CONTAINER_INTERFACE document; podman-run(1)). */
#pragma once

#include "proc/plan.h"

/* At creation, when the command is known and config->id is set: decides config->systemd_mode and what follows for the record, the
 * environment and (unless `stop_signal_given`) the signal that ends it in order. */
int systemd_mode_choose(ContainerConfig *config, bool stop_signal_given, Error *reterr);

/* At a start: the file systems in memory, where nothing else is mounted, and a cgroup that it may divide. */
int systemd_mode_plan(const ContainerConfig *config, ProcPlan *plan, Error *reterr);
