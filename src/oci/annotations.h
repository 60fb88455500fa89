/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations by which engines and their users ask something of the runtime that config.json has no place for: crun's names
 * (crun(1), "Extensions to OCI"). */
#pragma once

#include "spec/runtime-spec.h"

/* Refuses by name what crun has and we have not; warns of a "run.oci." that nobody knows. */
int oci_annotations_check(const RuntimeSpec *spec, Error *reterr);

/* "run.oci.keep_original_groups": the process has the caller's groups, and those of config.json are not set. */
bool oci_keeps_groups(const RuntimeSpec *spec);

/* The values of "run.oci.pidfd_receiver", "run.oci.seccomp.receiver": sockets; "run.oci.systemd.force_cgroup_v1": where a mount of type
 * cgroup shows systemd's v1 hierarchy alone. NULL where there is none. */
const char *oci_pidfd_receiver(const RuntimeSpec *spec);
const char *oci_seccomp_receiver(const RuntimeSpec *spec);
const char *oci_systemd_v1_place(const RuntimeSpec *spec);
