/* SPDX-License-Identifier: Apache-2.0 */
/* What a container needs of the host, looked at before it is made. */
#pragma once

#include "spec/container.h"

/* A directory among the devices becomes all devices in it. */
int create_expand_devices(ContainerConfig *config, Error *reterr);

/* Whether sources of bind mounts, devices and the seccomp profile are there, and devices can be had as was asked. What changes
 * later is met at the start, where it is looked at again. */
int create_check_host(const ContainerConfig *config, Error *reterr);
