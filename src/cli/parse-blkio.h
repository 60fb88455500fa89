/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of block devices, and files of the cgroup. */
#pragma once

#include "spec/container.h"

/* 10 to 1000. */
int parse_blkio_weight(ContainerConfig *config, const char *value, Error *reterr);

/* DEVICE:WEIGHT, DEVICE:SIZE and DEVICE:NUMBER, appended to the array; the same device once more replaces what it had. */
int parse_device_weight(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr);
int parse_device_bps(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr);
int parse_device_iops(const char *value, ContainerDeviceLimit **limits, size_t *n_limits, Error *reterr);

/* FILE=VALUE, of a controller's files or cgroup.max.*. */
int parse_cgroup_conf(ContainerConfig *config, const char *value, Error *reterr);
