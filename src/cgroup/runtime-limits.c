/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the runtime-spec as files of cgroups. */
#include "cgroup/runtime-limits.h"

bool runtime_resources_are_given(const RuntimeResources *r) {
        return r->memory.has_limit || r->memory.has_reservation || r->memory.has_swap || r->memory.has_swappiness ||
               (r->memory.has_disable_oom_killer && r->memory.disable_oom_killer) || r->cpu.has_shares || r->cpu.has_period ||
               r->cpu.has_realtime_period || r->cpu.has_burst || r->cpu.has_quota || r->cpu.has_realtime_runtime || r->cpu.has_idle ||
               r->cpu.cpus || r->cpu.mems || (r->pids.has_limit && r->pids.limit > 0) || r->block_io.has_weight ||
               r->block_io.has_leaf_weight || r->block_io.n_weight_devices || r->block_io.n_read_bps || r->block_io.n_write_bps ||
               r->block_io.n_read_iops || r->block_io.n_write_iops || r->n_hugepage_limits || r->network.has_class_id ||
               r->network.n_priorities || r->n_rdma || r->unified;
}

int runtime_limits_write(const CgroupTree *tree, const RuntimeResources *resources, bool rootless, Error *reterr) {
        (void) tree;
        (void) rootless;
        if (runtime_resources_are_given(resources))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set limits: sdpod-oci does not do that yet");
        return 0;
}
