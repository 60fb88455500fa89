/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of a bundle: its filter, and the agent that a filter may ask. */
#pragma once

#include "proc/seccomp.h"
#include "spec/runtime-spec.h"

/* The filter of a spec that was checked; an empty one where it has none. What was compiled is kept in .cache below `root_fd`, the directory
 * of the records (-EBADF: it is not), and found there by its content. */
int oci_seccomp_prepare(const RuntimeSpec *spec, int root_fd, SeccompFilter *ret, Error *reterr);

/* Connects to listenerPath where the filter has a listener; *ret_fd is -EBADF where it has none. To be called before anything is
 * made: an agent that is not there is an error. */
int oci_seccomp_connect(const RuntimeSpec *spec, const SeccompFilter *filter, int *ret_fd, Error *reterr);

/* The container process state that goes to the agent with the listener (config-linux.md): for seccomp_filter_load_listener().
 * `pid` is the process that loads the filter, `container_pid` the container's init, both as the runtime sees them. Owned; NULL: out of memory. */
char *oci_seccomp_state(const RuntimeSpec *spec, const char *id, const char *bundle, const char *status, pid_t pid, pid_t container_pid);
