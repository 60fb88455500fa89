/* SPDX-License-Identifier: Apache-2.0 */
/* linux.netDevices: interfaces of the host that become the container's. */
#pragma once

#include <sys/types.h>

#include "spec/runtime-spec.h"

/* Moves them into the network namespace of the process, with their addresses, under the names they are to have, and sets them up. */
int oci_net_devices_move(const RuntimeSpec *spec, int pidfd, pid_t pid, Error *reterr);
