/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of a container is once it executes: limits, IDs, capabilities, filter. The same for the init and for `exec`. */
#pragma once

#include <stdint.h>

#include "proc/seccomp.h"
#include "spec/runtime-spec.h"

typedef struct OciCaps {
        uint64_t bounding, effective, inheritable, permitted, ambient; /* one bit a capability */
} OciCaps;

/* The sets by their names, without those that nobody knows. */
OciCaps oci_caps_plan(const RuntimeProcess *process);

/* Warns of each name that nobody knows, once: what cannot be granted is no error (config.md, "capabilities"). */
void oci_caps_warn(const RuntimeProcess *process);

/* Raises this process's own hard limits to what the process is to have, while it may: a child in a user namespace may not. */
int oci_rlimits_raise(const RuntimeProcess *process, Error *reterr);

/* ---- in the process itself ---- */

/* What takes the rights that it has as yet and no word of the container's: OOM score is not among it. `spec` is the container's. */
int oci_identity_prepare(const RuntimeSpec *spec, const RuntimeProcess *process, Error *reterr);

typedef struct OciLabels {
        bool selinux, apparmor;
} OciLabels;

/* Which modules the kernel has; to be asked on the host, as a container's /sys need not tell. */
OciLabels oci_identity_labels(void);

/* The labels of AppArmor and SELinux that the next execve() puts it under. Where the kernel has no such module there is nothing to
 * keep, and nothing is done. `proc_fd`: a procfs that shows this process. */
int oci_identity_label(const RuntimeProcess *process, OciLabels labels, int proc_fd, Error *reterr);

typedef struct OciIdentity {
        const RuntimeProcess *process;
        const OciCaps *caps;
        const SeccompFilter *filter;
        int listener_socket;         /* where the filter's listener goes, with these words; -EBADF: it has none */
        const char *listener_message;
        bool keep_groups;            /* the caller's, instead of the process's own */
        bool die_with_parent;
} OciIdentity;

/* Puts all of it into force, in the order of proc/credentials.h. After it only execve() is left. */
int oci_identity_apply(const OciIdentity *identity, Error *reterr);
