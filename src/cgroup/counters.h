/* SPDX-License-Identifier: Apache-2.0 */
/* What a cgroup has used so far: cpu.stat, memory.current, io.stat, pids.current (cgroup-v2.rst, "Controllers"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct CgroupCounters {
        bool has_cpu, has_memory, has_io, has_pids; /* false: its controller is missing there */
        uint64_t cpu_usec, cpu_system_usec;
        uint64_t memory, memory_max;                /* bytes; UINT64_MAX: no limit */
        uint64_t io_read, io_written;               /* bytes, of all devices */
        uint64_t pids;                              /* tasks */
} CgroupCounters;

/* The sub-cgroup of a unit that a container is alone in. Its parent counts the same, and has controllers that were not handed
 * down. */
#define CGROUP_OF_CONTAINER "container"

/* Reads them all. `root_fd` is the hierarchy's root (cgroup_open_root()), `path` a cgroup as /proc/PID/cgroup has it. -ENOENT:
 * there is no such cgroup (any more). */
int cgroup_counters_read(int root_fd, const char *path, CgroupCounters *ret);
