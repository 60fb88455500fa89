/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has used so far. */
#include "engine/stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/hierarchy.h"

enum { NET_DEV_LIMIT = 1024 * 1024, NET_DEV_FIELDS = 9 };

int stats_open(void) {
        return cgroup_open_root();
}

/* "  eth0: BYTES packets errs drop fifo frame compressed multicast BYTES ..." (proc(5)). */
void stats_parse_net(const char *text, uint64_t *ret_in, uint64_t *ret_out) {
        *ret_in = *ret_out = 0;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += strspn(line, "\n ");
                const char *colon = strchr(line, ':'), *end = strchr(line, '\n');

                if (!colon || (end && end < colon) || str_after(line, "lo:"))
                        continue;
                char *at = (char *) colon + 1;
                uint64_t values[NET_DEV_FIELDS] = {};
                for (size_t i = 0; i < NET_DEV_FIELDS; i++)
                        values[i] = strtoull(at, &at, 10);
                *ret_in += values[0];
                *ret_out += values[NET_DEV_FIELDS - 1];
        }
}

/* The host's own network is not the container's to count. */
static bool read_net(const Container *c, ContainerStats *stats) {
        _cleanup_free_ char *path = str_format("/proc/%d/net/dev", c->process.pid), *text = NULL;

        if (str_equal(c->config.network, "host") || !path || file_read(AT_FDCWD, path, NET_DEV_LIMIT, &text, /* ret_size= */ NULL) < 0)
                return false;
        stats_parse_net(text, &stats->net_in, &stats->net_out);
        return true;
}

static uint64_t machine_memory(void) {
        struct sysinfo info;

        return sysinfo(&info) < 0 ? 0 : (uint64_t) info.totalram * info.mem_unit;
}

void stats_read(const Container *c, int cgroup_root_fd, ContainerStats *ret) {
        *ret = (ContainerStats){ .running = c->pidfd >= 0, .read_usec = time_monotonic_usec() };

        if (!ret->running) {
                ret->has_net = true;
                ret->used = (CgroupCounters){ .has_cpu = true, .has_memory = true, .has_io = true, .has_pids = true };
                return;
        }
        ret->age_usec = MAX(time_now_usec() - c->state.started_usec, INT64_C(1));
        if (cgroup_root_fd < 0 || cgroup_counters_read(cgroup_root_fd, c->process.cgroup, &ret->used) < 0)
                ret->used = (CgroupCounters){ .memory_max = UINT64_MAX };
        ret->memory_limit = MIN(ret->used.memory_max, machine_memory());
        ret->has_net = read_net(c, ret);
}
