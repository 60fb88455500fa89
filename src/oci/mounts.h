/* SPDX-License-Identifier: Apache-2.0 */
/* What the starter makes of a mount before the init is there, and what all mounts have in common. */
#pragma once

#include "oci/mount-options.h"
#include "spec/runtime-spec.h"

bool oci_mount_is_bind(const RuntimeMount *mount, const OciMountOptions *options);

/* Where the source lies in the root file system: a path below that (borrowed); NULL where it does not. What is mounted there by then is
 * part of it. */
const char *oci_mount_source_in_root(const RuntimeMount *mount, const char *bundle, const char *root);

/* A detached copy of a bind mount's source, which is found from the working directory: the bundle. */
int oci_mount_clone_source(const RuntimeMount *mount, const OciMountOptions *options, Error *reterr);

/* Gives a detached mount its attributes and its propagation. */
int oci_mount_finish(int mount_fd, const OciMountOptions *options, Error *reterr);
