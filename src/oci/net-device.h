/* SPDX-License-Identifier: Apache-2.0 */
/* linux.netDevices: interfaces of the host that become the container's. */
#pragma once

#include <sys/types.h>

#include "oci/namespaces.h"

/* Moves them into the network namespace of the container, whose init is the process behind the pidfd, with their addresses, under the names they are to have, and sets them up. */
int oci_net_devices_move(const RuntimeSpec *spec, const OciNamespaces *namespaces, int pidfd, pid_t pid, Error *reterr);
