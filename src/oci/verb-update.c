/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci update: other limits for a container that runs. */
#include <fcntl.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "oci/state.h"
#include "oci/verb.h"

typedef struct UpdateOptions {
        char *resources;
        RuntimeResources given;
} UpdateOptions;

/* Bytes, or -1: no limit. */
static int set_bytes(int64_t *field, bool *has, const char *value, Error *reterr) {
        uint64_t bytes;

        if (str_equal(value, "-1"))
                *field = -1;
        else if (parse_bytes(value, &bytes) < 0 || bytes > INT64_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "neither a size such as 64m nor -1");
        else
                *field = (int64_t) bytes;
        *has = true;
        return 0;
}

static int set_number(int64_t *field, bool *has, const char *value, Error *reterr) {
        if (parse_i64(value, field) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number");
        *has = true;
        return 0;
}

static int set_unsigned(uint64_t *field, bool *has, const char *value, Error *reterr) {
        if (parse_u64(value, field) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of 0 or more");
        *has = true;
        return 0;
}

#define RESOURCE_SETTER(name, set_value, field)                                                                          \
        static int set_##name(void *options, const char *value, Error *reterr) {                                         \
                RuntimeResources *r = &((UpdateOptions *) options)->given;                                               \
                                                                                                                         \
                return set_value(&r->field, value, reterr);                                                              \
        }
#define RESOURCE_NUMBER(name, set_value, group, field)                                                                   \
        static int set_##name(void *options, const char *value, Error *reterr) {                                         \
                RuntimeResources *r = &((UpdateOptions *) options)->given;                                               \
                                                                                                                         \
                return set_value(&r->group.field, &r->group.has_##field, value, reterr);                                 \
        }

RESOURCE_NUMBER(memory, set_bytes, memory, limit)
RESOURCE_NUMBER(memory_reservation, set_bytes, memory, reservation)
RESOURCE_NUMBER(memory_swap, set_bytes, memory, swap)
RESOURCE_NUMBER(cpu_shares, set_unsigned, cpu, shares)
RESOURCE_NUMBER(cpu_period, set_unsigned, cpu, period)
RESOURCE_NUMBER(cpu_rt_period, set_unsigned, cpu, realtime_period)
RESOURCE_NUMBER(cpu_burst, set_unsigned, cpu, burst)
RESOURCE_NUMBER(cpu_quota, set_number, cpu, quota)
RESOURCE_NUMBER(cpu_rt_runtime, set_number, cpu, realtime_runtime)
RESOURCE_NUMBER(cpu_idle, set_number, cpu, idle)
RESOURCE_NUMBER(pids_limit, set_number, pids, limit)

static int set_text(char **field, const char *value, Error *reterr) {
        return str_replace(field, value) < 0 ? error_oom(reterr) : 0;
}

RESOURCE_SETTER(cpuset_cpus, set_text, cpu.cpus)
RESOURCE_SETTER(cpuset_mems, set_text, cpu.mems)

static int set_blkio_weight(void *options, const char *value, Error *reterr) {
        RuntimeResources *r = &((UpdateOptions *) options)->given;

        if (parse_u32(value, &r->block_io.weight) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of 0 or more");
        r->block_io.has_weight = true;
        return 0;
}

/* Callers of other runtimes still say it. */
static int warn_kernel_memory(_unused_ void *options, _unused_ const char *value, _unused_ Error *reterr) {
        log_warning("--kernel-memory and --kernel-memory-tcp change nothing: the kernel has no such limits any more");
        return 0;
}

static const char no_intel_rdt[] = "sdpod-oci does not have Intel RDT";

#define SET(option, function, what, text) { option, .kind = OPTION_SET, .set = function, .metavar = what, .help = text }
static const Option rows[] = {
        SET("blkio-weight", set_blkio_weight, "N", "Weight of I/O, 10 to 1000"),
        SET("cpu-burst", set_cpu_burst, "USEC", "CPU time that may be saved up"),
        SET("cpu-idle", set_cpu_idle, "N", "1: only what others leave of the CPU"),
        SET("cpu-period", set_cpu_period, "USEC", "Period of the CPU quota"),
        SET("cpu-quota", set_cpu_quota, "USEC", "CPU time in a period; -1: no limit"),
        SET("cpu-rt-period", set_cpu_rt_period, "USEC", "Period of real-time CPU time"),
        SET("cpu-rt-runtime", set_cpu_rt_runtime, "USEC", "Real-time CPU time in a period"),
        SET("cpu-share", set_cpu_shares, "N", "Relative weight of CPU time, 2 to 262144"),
        SET("cpuset-cpus", set_cpuset_cpus, "LIST", "CPUs to run on, as in 0-3,7"),
        SET("cpuset-mems", set_cpuset_mems, "LIST", "Memory nodes to use, as in 0,1"),
        { "kernel-memory", .kind = OPTION_SET, .set = warn_kernel_memory, .hidden = true, .help = "Nothing: a warning" },
        { "kernel-memory-tcp", .kind = OPTION_SET, .set = warn_kernel_memory, .hidden = true, .help = "Nothing: a warning" },
        { "l3-cache-schema", .kind = OPTION_REFUSED, .refused = no_intel_rdt },
        { "mem-bw-schema", .kind = OPTION_REFUSED, .refused = no_intel_rdt },
        SET("memory", set_memory, "SIZE", "Limit of memory; -1: none"),
        SET("memory-reservation", set_memory_reservation, "SIZE", "Memory that is left to it when others want it; -1: none"),
        SET("memory-swap", set_memory_swap, "SIZE", "Limit of memory and swap together; -1: none"),
        SET("pids-limit", set_pids_limit, "N", "Limit of processes and threads; -1: none"),
        { "resources", 'r', .kind = OPTION_STRING, .offset = offsetof(UpdateOptions, resources), .metavar = "FILE",
          .help = "Take linux.resources from this file (-: standard input), in the place of all other options", .complete = COMPLETE_FILE },
        {},
};
static const Option *const options[] = { rows, NULL };

static int update(Invocation *in, UpdateOptions *o, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ true, &root, &c, reterr);
        if (r < 0)
                return r;
        if (o->resources) {
                runtime_resources_done(&o->given);
                o->given = (RuntimeResources){};
                r = runtime_resources_read(AT_FDCWD, o->resources, &o->given, reterr);
                if (r < 0)
                        return r;
        }
        r = runtime_resources_check(&o->given, reterr);
        if (r < 0)
                return r;
        if (c.pidfd < 0)
                return error_set(reterr, -EINVAL, ERROR_STATE, "cannot update the container '%s': container not running", c.id);
        return runtime_cgroup_update(&c.record.cgroup, &o->given, reterr);
}

static int run(Invocation *in, Error *reterr) {
        UpdateOptions *o = in->options;
        int r = update(in, o, reterr);

        runtime_resources_done(&o->given);
        return r;
}

const Verb verb_update = {
        .name = "update",
        .arguments = "ID",
        .summary = "Change the limits of a container",
        .description = "What is not named stays as it is.",
        .options = options,
        .options_size = sizeof(UpdateOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
