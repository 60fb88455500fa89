/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of systemd that a container of sdpod-oci is in: of the system's manager, or of the user's. Its limits are properties, so that
 * systemd keeps them, and are written into the files as well, since the properties do not have all. */
#pragma once

#include "cgroup/bus.h"
#include "cgroup/runtime-cgroup.h"

/* From "slice:prefix:name" (or nothing) to the unit and its slice. */
int runtime_systemd_plan(RuntimeCgroup *cgroup, const char *wanted, const char *id, Error *reterr);

/* Starts the scope with process `pid` in it, and fills in `path`. */
int runtime_systemd_start(RuntimeCgroup *cgroup, const RuntimeSpec *spec, pid_t pid, Error *reterr);

/* Changes the properties. */
int runtime_systemd_update(const RuntimeCgroup *cgroup, const RuntimeResources *resources, Error *reterr);

/* Ends the unit, if it is still there. */
void runtime_systemd_stop(const RuntimeCgroup *cgroup);

/* ---- properties by annotation (runtime-variant.c) ---- */

/* Writes "org.systemd.property.NAME" with a value in the text form of GVariant ("uint64 5", "'text'", "['a', 'b']", "true"). What ends in
 * "Sec" is seconds, and becomes systemd's "USec". -EINVAL: not such a name, or value. */
int runtime_variant_put(BusBody *body, const char *name, const char *value);
