/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits as cgroup v2 files and as systemd's unit properties. The two say the same (systemd.resource-control(5)). */
#pragma once

#include "spec/container.h"

enum { LIMITS_PIDS_DEFAULT = 2048 }; /* what Podman sets where nothing was asked */

/* What a limit is called on either side, in the numbers that both take. UINT64_MAX: unlimited. */
typedef struct LimitSettings {
        bool has_memory_max, has_swap_max, has_memory_low, has_cpu_quota, has_cpu_weight, has_tasks_max;
        uint64_t memory_max, swap_max, memory_low; /* bytes */
        uint64_t cpu_quota_usec, cpu_period_usec;  /* quota per period */
        uint64_t cpu_weight;                       /* 1..10000 */
        uint64_t tasks_max;
        const char *cpuset_cpus, *cpuset_mems;     /* NULL: not set; borrowed */
        const ContainerResources *resources;       /* block devices and cgroup_conf are taken from here; borrowed, may be NULL */
        bool asked;                                /* anything but the default */
} LimitSettings;

/* Works the settings out. `with_default`: the default number of processes too. */
int limits_resolve(const ContainerResources *resources, bool with_default, LimitSettings *ret, Error *reterr);

/* Refuses where a limit was asked whose controller the cgroup does not have: a limit is never ignored. `controllers` is a
 * vector of words, see cgroup_controllers(). The default number of processes is dropped where there is no pids controller. */
int limits_check(LimitSettings *settings, char *const *controllers, Error *reterr);

/* A weight of cgroup v1 (10..1000) as io.weight and IOWeight= have it (1..10000). */
uint64_t limits_io_weight(uint64_t blkio_weight) _pure_;

/* Writes limits of block devices, of which systemd does not tell where the kernel refuses them, and what --cgroup-conf asks for,
 * for which systemd has no properties. limits_write() does it, too. */
int limits_write_rest(const LimitSettings *settings, int cgroup_fd, Error *reterr);

/* Writes them into a cgroup's files. */
int limits_write(const LimitSettings *settings, int cgroup_fd, Error *reterr);
