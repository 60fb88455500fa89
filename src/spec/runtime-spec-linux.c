/* SPDX-License-Identifier: Apache-2.0 */
/* What config.json has below "linux" (the OCI runtime-spec's config-linux.md), as tables. */
#include "spec/runtime-spec.h"

static const JsonField namespace_fields[] = {
        JSON_FIELD(RuntimeNamespace, type, "type", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeNamespace, path, "path", JSON_FIELD_STRING),
        {},
};

static const JsonField time_offset_fields[] = {
        JSON_FIELD(RuntimeTimeOffset, secs, "secs", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeTimeOffset, nanosecs, "nanosecs", JSON_FIELD_UINT32),
        {},
};

static const JsonField time_offsets_fields[] = {
        JSON_FIELD_OBJECT_GIVEN(RuntimeSpec, time_boottime, time_boottime.given, "boottime", time_offset_fields),
        JSON_FIELD_OBJECT_GIVEN(RuntimeSpec, time_monotonic, time_monotonic.given, "monotonic", time_offset_fields),
        {},
};

static const JsonField device_fields[] = {
        JSON_FIELD(RuntimeDevice, path, "path", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeDevice, type, "type", JSON_FIELD_STRING),
        JSON_FIELD_GIVEN(RuntimeDevice, major, has_major, "major", JSON_FIELD_INT64),
        JSON_FIELD_GIVEN(RuntimeDevice, minor, has_minor, "minor", JSON_FIELD_INT64),
        JSON_FIELD_GIVEN(RuntimeDevice, file_mode, has_file_mode, "fileMode", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeDevice, uid, has_uid, "uid", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeDevice, gid, has_gid, "gid", JSON_FIELD_UINT32),
        {},
};

static const JsonField net_device_fields[] = {
        JSON_FIELD(RuntimeNetDevice, name, "name", JSON_FIELD_STRING),
        {},
};

static const JsonField device_rule_fields[] = {
        JSON_FIELD(RuntimeDeviceRule, allow, "allow", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeDeviceRule, type, "type", JSON_FIELD_STRING),
        JSON_FIELD_GIVEN(RuntimeDeviceRule, major, has_major, "major", JSON_FIELD_INT64),
        JSON_FIELD_GIVEN(RuntimeDeviceRule, minor, has_minor, "minor", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeDeviceRule, access, "access", JSON_FIELD_STRING),
        {},
};

#define MEMORY(member, name, type) JSON_FIELD_GIVEN(RuntimeResources, memory.member, memory.has_##member, name, type)
static const JsonField memory_fields[] = {
        MEMORY(limit, "limit", JSON_FIELD_INT64),
        MEMORY(reservation, "reservation", JSON_FIELD_INT64),
        MEMORY(swap, "swap", JSON_FIELD_INT64),
        MEMORY(kernel, "kernel", JSON_FIELD_INT64),
        MEMORY(kernel_tcp, "kernelTCP", JSON_FIELD_INT64),
        MEMORY(swappiness, "swappiness", JSON_FIELD_UNSIGNED),
        MEMORY(disable_oom_killer, "disableOOMKiller", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeResources, memory.use_hierarchy, "useHierarchy", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeResources, memory.check_before_update, "checkBeforeUpdate", JSON_FIELD_BOOL),
        {},
};

#define CPU(member, name, type) JSON_FIELD_GIVEN(RuntimeResources, cpu.member, cpu.has_##member, name, type)
static const JsonField cpu_fields[] = {
        CPU(shares, "shares", JSON_FIELD_UNSIGNED),
        CPU(quota, "quota", JSON_FIELD_INT64),
        CPU(burst, "burst", JSON_FIELD_UNSIGNED),
        CPU(period, "period", JSON_FIELD_UNSIGNED),
        CPU(realtime_runtime, "realtimeRuntime", JSON_FIELD_INT64),
        CPU(realtime_period, "realtimePeriod", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeResources, cpu.cpus, "cpus", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeResources, cpu.mems, "mems", JSON_FIELD_STRING),
        CPU(idle, "idle", JSON_FIELD_INT64),
        {},
};

static const JsonField pids_fields[] = {
        JSON_FIELD_GIVEN(RuntimeResources, pids.limit, pids.has_limit, "limit", JSON_FIELD_INT64),
        {},
};

static const JsonField weight_device_fields[] = {
        JSON_FIELD(RuntimeBlockDevice, major, "major", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeBlockDevice, minor, "minor", JSON_FIELD_INT64),
        JSON_FIELD_GIVEN(RuntimeBlockDevice, weight, has_weight, "weight", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeBlockDevice, leaf_weight, has_leaf_weight, "leafWeight", JSON_FIELD_UINT32),
        {},
};

static const JsonField throttle_fields[] = {
        JSON_FIELD(RuntimeBlockDevice, major, "major", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeBlockDevice, minor, "minor", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeBlockDevice, rate, "rate", JSON_FIELD_UNSIGNED),
        {},
};

#define THROTTLE(member, name) \
        JSON_FIELD_ARRAY_OF(RuntimeResources, block_io.member, block_io.n_##member, name, throttle_fields)
static const JsonField block_io_fields[] = {
        JSON_FIELD_GIVEN(RuntimeResources, block_io.weight, block_io.has_weight, "weight", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeResources, block_io.leaf_weight, block_io.has_leaf_weight, "leafWeight", JSON_FIELD_UINT32),
        JSON_FIELD_ARRAY_OF(RuntimeResources, block_io.weight_devices, block_io.n_weight_devices, "weightDevice", weight_device_fields),
        THROTTLE(read_bps, "throttleReadBpsDevice"),
        THROTTLE(write_bps, "throttleWriteBpsDevice"),
        THROTTLE(read_iops, "throttleReadIOPSDevice"),
        THROTTLE(write_iops, "throttleWriteIOPSDevice"),
        {},
};

static const JsonField hugepage_fields[] = {
        JSON_FIELD(RuntimeHugepageLimit, page_size, "pageSize", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeHugepageLimit, limit, "limit", JSON_FIELD_UNSIGNED),
        {},
};

static const JsonField priority_fields[] = {
        JSON_FIELD(RuntimeNetworkPriority, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeNetworkPriority, priority, "priority", JSON_FIELD_UINT32),
        {},
};

static const JsonField network_fields[] = {
        JSON_FIELD_GIVEN(RuntimeResources, network.class_id, network.has_class_id, "classID", JSON_FIELD_UINT32),
        JSON_FIELD_ARRAY_OF(RuntimeResources, network.priorities, network.n_priorities, "priorities", priority_fields),
        {},
};

static const JsonField rdma_fields[] = {
        JSON_FIELD_GIVEN(RuntimeRdma, hca_handles, has_hca_handles, "hcaHandles", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeRdma, hca_objects, has_hca_objects, "hcaObjects", JSON_FIELD_UINT32),
        {},
};

const JsonField runtime_resources_fields[] = {
        JSON_FIELD_ARRAY_OF(RuntimeResources, devices, n_devices, "devices", device_rule_fields),
        JSON_FIELD_OBJECT_FLAT("memory", memory_fields),
        JSON_FIELD_OBJECT_FLAT("cpu", cpu_fields),
        JSON_FIELD_OBJECT_FLAT("pids", pids_fields),
        JSON_FIELD_OBJECT_FLAT("blockIO", block_io_fields),
        JSON_FIELD_ARRAY_OF(RuntimeResources, hugepage_limits, n_hugepage_limits, "hugepageLimits", hugepage_fields),
        JSON_FIELD_OBJECT_FLAT("network", network_fields),
        JSON_FIELD_MAP_OF(RuntimeResources, rdma, n_rdma, RuntimeRdma, device, "rdma", rdma_fields),
        JSON_FIELD(RuntimeResources, unified, "unified", JSON_FIELD_PAIRS),
        {},
};

static const JsonField seccomp_arg_fields[] = {
        JSON_FIELD(RuntimeSeccompArg, index, "index", JSON_FIELD_UINT32),
        JSON_FIELD(RuntimeSeccompArg, value, "value", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeSeccompArg, value_two, "valueTwo", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeSeccompArg, op, "op", JSON_FIELD_STRING),
        {},
};

static const JsonField seccomp_rule_fields[] = {
        JSON_FIELD(RuntimeSeccompRule, names, "names", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeSeccompRule, action, "action", JSON_FIELD_STRING),
        JSON_FIELD_GIVEN(RuntimeSeccompRule, errno_ret, has_errno_ret, "errnoRet", JSON_FIELD_UINT32),
        JSON_FIELD_ARRAY_OF(RuntimeSeccompRule, args, n_args, "args", seccomp_arg_fields),
        {},
};

static const JsonField seccomp_fields[] = {
        JSON_FIELD(RuntimeSeccomp, default_action, "defaultAction", JSON_FIELD_STRING),
        JSON_FIELD_GIVEN(RuntimeSeccomp, default_errno_ret, has_default_errno_ret, "defaultErrnoRet", JSON_FIELD_UINT32),
        JSON_FIELD(RuntimeSeccomp, architectures, "architectures", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeSeccomp, flags, "flags", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeSeccomp, listener_path, "listenerPath", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSeccomp, listener_metadata, "listenerMetadata", JSON_FIELD_STRING),
        JSON_FIELD_ARRAY_OF(RuntimeSeccomp, syscalls, n_syscalls, "syscalls", seccomp_rule_fields),
        {},
};

static const JsonField memory_policy_fields[] = {
        JSON_FIELD(RuntimeSpec, memory_policy_mode, "mode", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, memory_policy_nodes, "nodes", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, memory_policy_flags, "flags", JSON_FIELD_STRV),
        {},
};

static const JsonField personality_fields[] = {
        JSON_FIELD(RuntimeSpec, personality_domain, "domain", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, personality_flags, "flags", JSON_FIELD_STRV),
        {},
};

const JsonField runtime_linux_fields[] = {
        JSON_FIELD_ARRAY_OF(RuntimeSpec, uid_mappings, n_uid_mappings, "uidMappings", runtime_id_mapping_fields),
        JSON_FIELD_ARRAY_OF(RuntimeSpec, gid_mappings, n_gid_mappings, "gidMappings", runtime_id_mapping_fields),
        JSON_FIELD(RuntimeSpec, sysctl, "sysctl", JSON_FIELD_PAIRS),
        JSON_FIELD_OBJECT_OF(RuntimeSpec, resources, "resources", runtime_resources_fields),
        JSON_FIELD(RuntimeSpec, cgroups_path, "cgroupsPath", JSON_FIELD_STRING),
        JSON_FIELD_ARRAY_OF(RuntimeSpec, namespaces, n_namespaces, "namespaces", namespace_fields),
        JSON_FIELD_ARRAY_OF(RuntimeSpec, devices, n_devices, "devices", device_fields),
        JSON_FIELD_MAP_OF(RuntimeSpec, net_devices, n_net_devices, RuntimeNetDevice, host_name, "netDevices", net_device_fields),
        JSON_FIELD_OBJECT_GIVEN(RuntimeSpec, seccomp, has_seccomp, "seccomp", seccomp_fields),
        JSON_FIELD(RuntimeSpec, rootfs_propagation, "rootfsPropagation", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, masked_paths, "maskedPaths", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeSpec, readonly_paths, "readonlyPaths", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeSpec, mount_label, "mountLabel", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, has_intel_rdt, "intelRdt", JSON_FIELD_PRESENT),
        { .name = "memoryPolicy", .type = JSON_FIELD_OBJECT, .fields = memory_policy_fields,
          .present_offset = offsetof(RuntimeSpec, has_memory_policy) },
        JSON_FIELD_OBJECT_FLAT("personality", personality_fields),
        JSON_FIELD_OBJECT_FLAT("timeOffsets", time_offsets_fields),
        {},
};
