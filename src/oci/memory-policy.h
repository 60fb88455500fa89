/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy: on which nodes of a NUMA machine a process's memory lies (set_mempolicy(2)). */
#pragma once

#include "spec/runtime-spec.h"

/* Puts it into force on this process; it lasts over an execve(). */
int oci_memory_policy_set(const RuntimeSpec *spec, Error *reterr);

/* The i-th mode and the i-th flag that are known, NULL at the end: for `features`. */
const char *oci_memory_policy_mode(size_t i) _pure_;
const char *oci_memory_policy_flag(size_t i) _pure_;
