/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a container's process. */
#pragma once

#include "spec/runtime-spec.h"

/* process.env, with HOME by the container's /etc/passwd where it is not given, and the words of sd_listen_fds(3) for `n_listen` descriptors.
 * To be called in the container's root. *ret is owned. */
int oci_environment(const RuntimeProcess *process, int n_listen, char ***ret, Error *reterr);
