/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's config.json as the OCI runtime-spec 1.3 has it for Linux (config.md, config-linux.md): the members carry the
 * spec's names, and one table (spec/runtime-spec.c) reads and frees all of it. `has_` tells a value that was not given from a
 * zero that was. Arrays and strings are owned. */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "spec/container.h"

/* ---- config.md ---- */

typedef struct RuntimeMount {
        char *destination, *type, *source;
        char **options;
        ContainerIdMapping *uid_mappings, *gid_mappings; /* idmap */
        size_t n_uid_mappings, n_gid_mappings;
} RuntimeMount;

typedef struct RuntimeCapabilities {
        char **bounding, **effective, **inheritable, **permitted, **ambient; /* "CAP_CHOWN" */
} RuntimeCapabilities;

typedef struct RuntimeScheduler {
        char *policy;              /* "SCHED_OTHER" */
        int64_t nice;
        int64_t priority;
        char **flags;              /* "SCHED_FLAG_RESET_ON_FORK" */
        uint64_t runtime, deadline, period; /* nanoseconds */
} RuntimeScheduler;

typedef struct RuntimeUser {
        uint32_t uid, gid;
        uint32_t umask;
        bool has_umask;
        uint32_t *additional_gids;
        size_t n_additional_gids;
        char *username;            /* Windows; ignored */
} RuntimeUser;

typedef struct RuntimeProcess {
        bool terminal;
        uint64_t console_height, console_width; /* consoleSize */
        char *cwd;
        char **env, **args;
        ContainerRlimit *rlimits;
        size_t n_rlimits;
        char *apparmor_profile, *selinux_label;
        RuntimeCapabilities capabilities;
        bool has_capabilities;
        bool no_new_privileges;
        int64_t oom_score_adj;
        bool has_oom_score_adj;
        RuntimeScheduler scheduler;
        bool has_scheduler;
        char *io_priority_class;   /* "IOPRIO_CLASS_BE" */
        int64_t io_priority;
        bool has_io_priority;
        char *exec_initial_affinity, *exec_final_affinity; /* execCPUAffinity: "0-3,7" */
        RuntimeUser user;
} RuntimeProcess;

typedef struct RuntimeHook {
        char *path;
        char **args, **env;
        int64_t timeout;           /* seconds */
        bool has_timeout, has_env; /* an empty `env` is none at all */
} RuntimeHook;

typedef struct RuntimeHookList {
        RuntimeHook *items;
        size_t n;
} RuntimeHookList;

typedef enum RuntimeHookKind {
        HOOK_PRESTART,
        HOOK_CREATE_RUNTIME,
        HOOK_CREATE_CONTAINER,
        HOOK_START_CONTAINER,
        HOOK_POSTSTART,
        HOOK_POSTSTOP,
        _HOOK_MAX,
} RuntimeHookKind;

/* ---- config-linux.md ---- */

typedef struct RuntimeNamespace {
        char *type, *path;         /* path NULL: a new one */
} RuntimeNamespace;

typedef struct RuntimeDevice {
        char *type, *path;         /* "c", "b", "u", "p" */
        int64_t major, minor;
        uint32_t file_mode, uid, gid;
        bool has_major, has_minor, has_file_mode, has_uid, has_gid;
} RuntimeDevice;

typedef struct RuntimeDeviceRule {
        bool allow;
        char *type, *access;       /* "a", "c", "b"; "rwm" */
        int64_t major, minor;
        bool has_major, has_minor; /* without: all */
} RuntimeDeviceRule;

typedef struct RuntimeBlockDevice { /* weightDevice and throttle*Device */
        int64_t major, minor;
        uint32_t weight, leaf_weight;
        bool has_weight, has_leaf_weight;
        uint64_t rate;
} RuntimeBlockDevice;

typedef struct RuntimeHugepageLimit {
        char *page_size;           /* "2MB" */
        uint64_t limit;
} RuntimeHugepageLimit;

typedef struct RuntimeNetworkPriority {
        char *name;
        uint32_t priority;
} RuntimeNetworkPriority;

typedef struct RuntimeRdma {       /* by the key: the device's name */
        char *device;
        uint32_t hca_handles, hca_objects;
        bool has_hca_handles, has_hca_objects;
} RuntimeRdma;

typedef struct RuntimeResources {
        RuntimeDeviceRule *devices;
        size_t n_devices;
        struct {
                int64_t limit, reservation, swap, kernel, kernel_tcp; /* bytes; -1: unlimited */
                uint64_t swappiness;
                bool disable_oom_killer, use_hierarchy, check_before_update;
                bool has_limit, has_reservation, has_swap, has_kernel, has_kernel_tcp, has_swappiness, has_disable_oom_killer;
        } memory;
        struct {
                uint64_t shares, period, realtime_period, burst;
                int64_t quota, realtime_runtime, idle;
                char *cpus, *mems;
                bool has_shares, has_period, has_realtime_period, has_burst, has_quota, has_realtime_runtime, has_idle;
        } cpu;
        struct {
                int64_t limit;
                bool has_limit;
        } pids;
        struct {
                uint32_t weight, leaf_weight;
                bool has_weight, has_leaf_weight;
                RuntimeBlockDevice *weight_devices, *read_bps, *write_bps, *read_iops, *write_iops;
                size_t n_weight_devices, n_read_bps, n_write_bps, n_read_iops, n_write_iops;
        } block_io;
        RuntimeHugepageLimit *hugepage_limits;
        size_t n_hugepage_limits;
        struct {
                uint32_t class_id;
                bool has_class_id;
                RuntimeNetworkPriority *priorities;
                size_t n_priorities;
        } network;
        RuntimeRdma *rdma;
        size_t n_rdma;
        char **unified;            /* pairs "memory.high=1G" */
} RuntimeResources;

typedef struct RuntimeSeccompArg {
        uint32_t index;
        uint64_t value, value_two;
        char *op;
} RuntimeSeccompArg;

typedef struct RuntimeSeccompRule {
        char **names;
        char *action;
        uint32_t errno_ret;
        bool has_errno_ret;
        RuntimeSeccompArg *args;
        size_t n_args;
} RuntimeSeccompRule;

typedef struct RuntimeSeccomp {
        char *default_action;
        uint32_t default_errno_ret;
        bool has_default_errno_ret;
        char **architectures, **flags;
        char *listener_path, *listener_metadata;
        RuntimeSeccompRule *syscalls;
        size_t n_syscalls;
} RuntimeSeccomp;

typedef struct RuntimeTimeOffset {
        int64_t secs;
        uint32_t nanosecs;
        bool given;
} RuntimeTimeOffset;

typedef struct RuntimeNetDevice {  /* by the key: its name on the host */
        char *host_name, *name;    /* name NULL: the same */
} RuntimeNetDevice;

typedef struct RuntimeSpec {
        char *oci_version;
        RuntimeProcess process;
        bool has_process;
        struct {
                char *path;
                bool readonly;
        } root;
        bool has_root;
        char *hostname, *domainname;
        RuntimeMount *mounts;
        size_t n_mounts;
        RuntimeHookList hooks[_HOOK_MAX];
        char **annotations;        /* pairs */

        /* linux */
        RuntimeNamespace *namespaces;
        size_t n_namespaces;
        ContainerIdMapping *uid_mappings, *gid_mappings;
        size_t n_uid_mappings, n_gid_mappings;
        RuntimeTimeOffset time_boottime, time_monotonic; /* timeOffsets */
        RuntimeDevice *devices;
        size_t n_devices;
        RuntimeNetDevice *net_devices;
        size_t n_net_devices;
        char *cgroups_path;
        RuntimeResources resources;
        bool has_intel_rdt, has_vm, has_solaris, has_windows, has_zos, has_freebsd; /* refused by name */
        bool has_memory_policy;
        char *memory_policy_mode, *memory_policy_nodes;
        char **memory_policy_flags;
        char **sysctl;             /* pairs */
        RuntimeSeccomp seccomp;
        bool has_seccomp;
        char *rootfs_propagation;
        char **masked_paths, **readonly_paths;
        char *mount_label;
        char *personality_domain;
        char **personality_flags;
} RuntimeSpec;

#define RUNTIME_SPEC_NULL ((RuntimeSpec){})

/* Of a whole config.json, of a process and of the resources alone. Saving is for our own records: what is above INT64_MAX
 * cannot be (json_fields_save() gives NULL), so a copy of config.json is kept as its text. */
extern const JsonField runtime_spec_fields[], runtime_process_fields[], runtime_resources_fields[];

/* The part of it that stands below "linux" (spec/runtime-spec-linux.c); the offsets are those of RuntimeSpec. */
extern const JsonField runtime_linux_fields[], runtime_id_mapping_fields[];

enum { RUNTIME_SPEC_LIMIT = 8 * 1024 * 1024 }; /* bytes of a config.json */

/* Reads `name` (config.json) in a bundle's directory: any 1.x.y, strictly what the spec defines (a value of a wrong type is
 * -EBADMSG with its path), unknown members passed over as the spec asks. A string that is empty
 * is one that is not there (Go's programs make no difference), but for those in lists and maps. -ENOENT with a message. Links are followed: it is
 * the engine's file. What is in `ret` before is lost; after a failure there is nothing in it. */
int runtime_spec_read(int dir_fd, const char *name, RuntimeSpec *ret, Error *reterr);

/* What the spec says MUST hold and what can be told without the machine: absolute paths, namespaces named once, known
 * words. Refuses by name what sdpod-oci does not have (intelRdt, vm, solaris, windows, ...). */
int runtime_spec_check(const RuntimeSpec *spec, Error *reterr);

/* The process of `exec --process FILE`, and the resources of `update --resources FILE`. "-" is standard input; another file
 * may be a pipe. */
int runtime_process_read(int dir_fd, const char *name, RuntimeProcess *ret, Error *reterr);
int runtime_process_check(const RuntimeProcess *process, Error *reterr);
int runtime_resources_read(int dir_fd, const char *name, RuntimeResources *ret, Error *reterr);
int runtime_resources_check(const RuntimeResources *resources, Error *reterr);

void runtime_spec_done(RuntimeSpec *spec);
void runtime_process_done(RuntimeProcess *process);
void runtime_resources_done(RuntimeResources *resources);
#define _cleanup_runtime_spec_ _cleanup_(runtime_spec_done)
#define _cleanup_runtime_process_ _cleanup_(runtime_process_done)
#define _cleanup_runtime_resources_ _cleanup_(runtime_resources_done)

/* A namespace's entry by its type, or NULL. */
const RuntimeNamespace *runtime_spec_namespace(const RuntimeSpec *spec, const char *type) _pure_;

/* The value of an annotation, or NULL. */
const char *runtime_spec_annotation(const RuntimeSpec *spec, const char *key) _pure_;
