/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a container may open and make: rules of the runtime-spec for the controller devices of v1, and as a BPF program for v2
 * (cgroup-v2.rst, "Device controller"). For each of reading, writing and making, the last rule that names it decides; what none names is
 * denied. The devices that every container has (config-linux.md, "Default Devices") are allowed after all rules, as runc does it. */
#pragma once

#include <linux/bpf.h>
#include <stdint.h>

#include "cgroup/runtime-tree.h"
#include "spec/runtime-spec.h"

enum { /* the kernel's, of BPF_DEVCG_ACC_* */
        DEVICE_MAKE = 1,
        DEVICE_READ = 2,
        DEVICE_WRITE = 4,
        DEVICE_ALL = 7,
};

typedef struct DeviceRule {
        bool allow;
        char type;            /* 'a': both 'b' and 'c' */
        int64_t major, minor; /* -1: all */
        unsigned access;
} DeviceRule;

/* The rules of the spec, *ret_n_own of them, and those of the default devices after them; owned. */
int device_rules_resolve(const RuntimeResources *resources, DeviceRule **ret, size_t *ret_n, size_t *ret_n_own, Error *reterr);

/* What the files of v1 can say: all are allowed or none is, but for these; owned. A part cannot be taken out of an exception
 * there: such rules are refused (those after the first `n_own` are left out then). */
int device_rules_exceptions(const DeviceRule *rules, size_t n, size_t n_own, bool *ret_allow, DeviceRule **ret, size_t *ret_n, Error *reterr);

/* The program (BPF_PROG_TYPE_CGROUP_DEVICE) that decides as the rules do; owned. */
int device_rules_program(const DeviceRule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n);

/* Has the cgroups that `tree` has open obey them. With `lenient`, as a user or in a user namespace, what the kernel does not let us do is left: no
 * device can be made there anyway. */
int runtime_devices_write(const CgroupTree *tree, const RuntimeResources *resources, bool lenient, Error *reterr);
