/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and devices. */
#pragma once

#include "spec/container.h"

/* A number of CPUs ("1.5") into quota and period. */
int parse_cpus(ContainerConfig *config, const char *value, Error *reterr);

/* A list such as "0-3,7" (cpuset(7), "List format"); written as given. */
int parse_cpu_list(const char *value, char **ret, Error *reterr);

/* Bytes, or -1 for no limit. */
int parse_memory_swap(ContainerConfig *config, const char *value, Error *reterr);

/* -1 or 0: unlimited, kept as -1. */
int parse_pids_limit(ContainerConfig *config, const char *value, Error *reterr);

/* NAME=SOFT[:HARD] of getrlimit(2) in lower case, -1 for unlimited; or "host": those of this process. */
int parse_ulimit(ContainerConfig *config, const char *value, Error *reterr);

/* NAME=VALUE of a kernel parameter that belongs to the ipc or net namespace; others are refused. */
int parse_sysctl(ContainerConfig *config, const char *value, Error *reterr);
bool parse_sysctl_is_ipc(const char *sysctl) _pure_;

/* SOURCE[:DESTINATION][:PERMISSIONS], PERMISSIONS of "rwm". */
int parse_device(ContainerConfig *config, const char *value, Error *reterr);
