/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has used so far: its cgroup's counters, and the bytes that went through its network interfaces. */
#pragma once

#include "cgroup/counters.h"
#include "state/container.h"

typedef struct ContainerStats {
        bool running, has_net;
        CgroupCounters used;           /* nothing but "has" being false where it has no cgroup of its own */
        uint64_t net_in, net_out;      /* bytes; loopback not counted */
        int64_t read_usec;             /* when, on the monotonic clock */
        int64_t age_usec;              /* since its start */
        uint64_t memory_limit;         /* its own or the machine's, whichever is less */
} ContainerStats;

/* Opens what stats_read() reads from; -errno where there are no cgroups, which it takes, too. */
int stats_open(void);

/* Reads them; known zeros of a container that does not run. `cgroup_root_fd` is of stats_open(). */
void stats_read(const Container *container, int cgroup_root_fd, ContainerStats *ret);

/* Bytes in and out of all interfaces but the loopback, from the text of /proc/PID/net/dev; exposed for its test. */
void stats_parse_net(const char *text, uint64_t *ret_in, uint64_t *ret_out);
