/* SPDX-License-Identifier: Apache-2.0 */
/* process.execCPUAffinity: on which CPUs a process of `exec` runs before and after it is in the container's cgroup. */
#pragma once

#include "base/error.h"

/* Sets it on this process by a list "0-3,7". */
int oci_cpu_affinity_set(const char *list, Error *reterr);

/* All that the cgroup lets: whoever started the runtime on one CPU did not mean the container. What is not allowed changes nothing. */
void oci_cpu_affinity_reset(void);

/* A list of numbers, "0-3,7", as bits; -EINVAL for one that is none or has a number from `n_bits` on. */
int oci_parse_bits(const char *list, unsigned long *bits, size_t n_bits);
