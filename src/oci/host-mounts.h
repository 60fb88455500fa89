/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container that has no mount namespace of its own. They are made in the runtime's (config-linux.md, namespaces), below
 * the root file system's place, and no kernel takes them away when the container goes: `delete` does. */
#pragma once

#include "oci/state.h"
#include "spec/runtime-spec.h"

/* Notes in the record what is mounted at the root file system's place before anything is made there. Nothing for a container with a mount
 * namespace, its own or one by path. */
int oci_host_mounts_plan(const RuntimeSpec *spec, OciRecord *record, Error *reterr);

/* Notes which mount the container's root is, once it is there. */
void oci_host_mounts_note(OciRecord *record);

/* Takes away what is noted, with all that is mounted in it, and nothing else: where another mount is at that place by now, it stays. */
int oci_host_mounts_remove(const OciRecord *record, Error *reterr);
