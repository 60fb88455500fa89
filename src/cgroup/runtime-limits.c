/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the runtime-spec as files of cgroups. */
#include "cgroup/runtime-limits.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "cgroup/runtime-writer.h"

bool runtime_resources_are_given(const RuntimeResources *r) {
        return (r->memory.has_limit && r->memory.limit != 0) || (r->memory.has_reservation && r->memory.reservation != 0) ||
               (r->memory.has_swap && r->memory.swap != 0) || r->memory.has_swappiness || r->memory.disable_oom_killer || r->cpu.shares ||
               r->cpu.period || r->cpu.realtime_period || r->cpu.burst || r->cpu.quota || r->cpu.realtime_runtime || r->cpu.idle ||
               !str_empty(r->cpu.cpus) || !str_empty(r->cpu.mems) || (r->pids.has_limit && r->pids.limit > 0) || r->block_io.weight ||
               r->block_io.leaf_weight || r->block_io.n_weight_devices || r->block_io.n_read_bps || r->block_io.n_write_bps ||
               r->block_io.n_read_iops || r->block_io.n_write_iops || r->n_hugepage_limits || r->network.class_id ||
               r->network.n_priorities || r->n_rdma || r->unified;
}

/* ---- memory ---- */

/* The kernel would end a process to get below the limit; who asks for `checkBeforeUpdate` would rather have it refused (the
 * texts are runc's). */
static int check_usage(int fd, const RuntimeResources *r, Error *reterr) {
        char text[32];
        uint64_t usage;

        if (!r->memory.check_before_update)
                return 0;
        int read = cgroup_read_text(fd, "memory.current", text, sizeof(text));
        if (read < 0 || (read = parse_u64(text, &usage)) < 0)
                return error_set_errno(reterr, read, "cannot read 'memory.current'");
        if (r->memory.limit > 0 && (uint64_t) r->memory.limit < usage)
                return error_set(reterr, -EBUSY, ERROR_IN_USE, "rejecting memory limit %lld < usage %llu", (long long) r->memory.limit,
                                 (unsigned long long) usage);
        if (r->memory.swap > 0 && (uint64_t) r->memory.swap < usage)
                return error_set(reterr, -EBUSY, ERROR_IN_USE, "rejecting memory+swap limit %lld < usage %llu", (long long) r->memory.swap,
                                 (unsigned long long) usage);
        return 0;
}

/* Swap counts memory, too: who changes it alone changes it beside the limit that is there. */
static int write_swap_v2(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        int64_t memory = r->memory.limit, swap;
        char text[32];

        if (r->memory.swap > 0 && memory == 0 && cgroup_read_text(fd, "memory.max", text, sizeof(text)) >= 0)
                (void) parse_i64(text, &memory);
        int code = runtime_swap(memory, r->memory.swap, &swap, reterr);
        if (code < 0 || (r->memory.swap == 0 && r->memory.limit != -1))
                return code;
        /* without swap accounting there is no swap to limit */
        if (swap <= 0 && cgroup_read_text(fd, "memory.swap.max", text, sizeof(text)) == -ENOENT)
                return 0;
        return cgroup_writer_add(w, fd, "memory.swap.max", swap, /* v2= */ true, reterr);
}

static int write_memory_v2(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        if (r->memory.swappiness)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set memory.swappiness: cgroup v2 does not have it");
        if (r->memory.disable_oom_killer)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set memory.disableOOMKiller: cgroup v2 does not have it");
        int code = check_usage(fd, r, reterr);
        if (code >= 0)
                code = write_swap_v2(w, fd, r, reterr);
        if (code >= 0 && r->memory.limit != 0)
                code = cgroup_writer_add(w, fd, "memory.max", r->memory.limit, /* v2= */ true, reterr);
        if (code >= 0 && r->memory.reservation != 0)
                code = cgroup_writer_add(w, fd, "memory.low", r->memory.reservation, /* v2= */ true, reterr);
        return code;
}

/* A limit that the kernel does not have any more (kmem.tcp went with 6.13, kmem with 6.1) is left out, as the peers do: the spec calls
 * them "not recommended". */
static int write_kernel_memory(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        static const char file[] = "memory.kmem.tcp.limit_in_bytes";
        char text[64];

        if (r->memory.kernel_tcp == 0 || cgroup_read_text(fd, file, text, sizeof(text)) < 0)
                return 0;
        return cgroup_writer_add(w, fd, file, r->memory.kernel_tcp, /* v2= */ false, reterr);
}

static int write_memory_v1(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        /* no limit on memory and one on memory and swap cannot be: the second goes with the first */
        int64_t swap = r->memory.limit == -1 && r->memory.swap == 0 ? -1 : r->memory.swap;
        char text[64];
        int code = 0;

        if (r->memory.limit > 0 && swap > 0 && swap < r->memory.limit)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "memory+swap limit should be >= memory limit");
        if (r->memory.has_swappiness && r->memory.swappiness > 100 && r->memory.swappiness != UINT64_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid memory swappiness value: %llu (valid range is 0-100)",
                                 (unsigned long long) r->memory.swappiness);
        if (r->memory.limit != 0)
                code = cgroup_writer_add(w, fd, "memory.limit_in_bytes", r->memory.limit, /* v2= */ false, reterr);
        if (code >= 0 && swap != 0 && (swap != -1 || cgroup_read_text(fd, "memory.memsw.limit_in_bytes", text, sizeof(text)) >= 0))
                code = cgroup_writer_add(w, fd, "memory.memsw.limit_in_bytes", swap, /* v2= */ false, reterr);
        if (code >= 0 && r->memory.reservation != 0)
                code = cgroup_writer_add(w, fd, "memory.soft_limit_in_bytes", r->memory.reservation, /* v2= */ false, reterr);
        if (code >= 0)
                code = write_kernel_memory(w, fd, r, reterr);
        if (code >= 0 && r->memory.has_disable_oom_killer)
                code = cgroup_writer_add_text(w, fd, "memory.oom_control", r->memory.disable_oom_killer ? "1" : "0", reterr);
        if (code >= 0 && r->memory.has_swappiness && r->memory.swappiness != UINT64_MAX)
                code = cgroup_writer_add(w, fd, "memory.swappiness", (int64_t) r->memory.swappiness, /* v2= */ false, reterr);
        return code;
}

static int write_memory(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        bool v2;
        int fd;

        if (r->memory.limit == 0 && r->memory.swap == 0 && r->memory.reservation == 0 && !r->memory.has_swappiness &&
            !r->memory.has_disable_oom_killer && !r->memory.kernel_tcp)
                return 0;
        /* no limits need no controller */
        if (r->memory.limit <= 0 && r->memory.swap <= 0 && r->memory.reservation <= 0 && !r->memory.swappiness &&
            !r->memory.disable_oom_killer && !cgroup_writer_has(w, "memory"))
                return 0;
        int code = cgroup_writer_find(w, "memory", "a memory limit", &fd, &v2, reterr);
        if (code < 0)
                return code;
        code = v2 ? write_memory_v2(w, fd, r, reterr) : write_memory_v1(w, fd, r, reterr);
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

/* ---- CPU ---- */

/* cpu.max has both; what is not given stays. */
static int write_cpu_max(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        char text[64] = "max 100000", quota[24], period[24];

        if (r->cpu.quota == 0 && r->cpu.period == 0)
                return 0;
        (void) cgroup_read_text(fd, "cpu.max", text, sizeof(text));
        char *space = strchr(text, ' ');
        if (r->cpu.quota > 0)
                (void) snprintf(quota, sizeof(quota), "%lld", (long long) r->cpu.quota);
        else
                (void) snprintf(quota, sizeof(quota), "%.*s", r->cpu.quota < 0 ? 3 : (int) strcspn(text, " "), r->cpu.quota < 0 ? "max" : text);
        if (r->cpu.period > 0)
                (void) snprintf(period, sizeof(period), "%llu", (unsigned long long) r->cpu.period);
        else
                (void) snprintf(period, sizeof(period), "%s", space ? space + 1 : "100000");
        (void) snprintf(text, sizeof(text), "%s %s", quota, period);
        return cgroup_writer_add_text(w, fd, "cpu.max", text, reterr);
}

static int write_cpu_v2(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        int code = 0;

        if (r->cpu.realtime_period || r->cpu.realtime_runtime)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set realtime limits of the CPU: cgroup v2 does not have them");
        if (r->cpu.has_idle)
                code = cgroup_writer_add(w, fd, "cpu.idle", r->cpu.idle, /* v2= */ true, reterr);
        if (code >= 0 && r->cpu.shares && r->cpu.idle == 0) /* an idle cgroup has no weight */
                code = cgroup_writer_add(w, fd, "cpu.weight", (int64_t) runtime_cpu_weight(r->cpu.shares), /* v2= */ true, reterr);
        if (code >= 0)
                code = write_cpu_max(w, fd, r, reterr);
        if (code >= 0 && r->cpu.has_burst)
                code = cgroup_writer_add(w, fd, "cpu.max.burst", (int64_t) r->cpu.burst, /* v2= */ true, reterr);
        return code;
}

static int write_cpu_v1(CgroupWriter *w, int fd, const RuntimeResources *r, Error *reterr) {
        const struct {
                const char *file;
                bool wanted;
                int64_t value;
        } rows[] = {
                { "cpu.idle", r->cpu.has_idle, r->cpu.idle },
                { "cpu.shares", r->cpu.shares > 0 && r->cpu.idle == 0, (int64_t) MIN(MAX(r->cpu.shares, 2UL), 262144UL) },
                { "cpu.rt_period_us", r->cpu.realtime_period > 0, (int64_t) r->cpu.realtime_period },
                { "cpu.rt_runtime_us", r->cpu.realtime_runtime != 0, r->cpu.realtime_runtime },
                { "cpu.cfs_period_us", r->cpu.period > 0, (int64_t) r->cpu.period },
                { "cpu.cfs_burst_us", r->cpu.has_burst, (int64_t) r->cpu.burst },
                { "cpu.cfs_quota_us", r->cpu.quota != 0, r->cpu.quota },
        };
        int code = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows) && code >= 0; i++)
                if (rows[i].wanted)
                        code = cgroup_writer_add(w, fd, rows[i].file, rows[i].value, /* v2= */ false, reterr);
        return code;
}

static int write_cpu(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        bool v2;
        int fd;

        if (!r->cpu.shares && !r->cpu.period && !r->cpu.quota && !r->cpu.has_burst && !r->cpu.has_idle && !r->cpu.realtime_period &&
            !r->cpu.realtime_runtime)
                return 0;
        if (!r->cpu.shares && !r->cpu.period && r->cpu.quota <= 0 && !r->cpu.burst && !r->cpu.idle && !r->cpu.realtime_period &&
            !r->cpu.realtime_runtime && !cgroup_writer_has(w, "cpu"))
                return 0;
        int code = cgroup_writer_find(w, "cpu", "a CPU limit", &fd, &v2, reterr);
        if (code < 0)
                return code;
        code = v2 ? write_cpu_v2(w, fd, r, reterr) : write_cpu_v1(w, fd, r, reterr);
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

static int write_cpuset(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        bool v2;
        int fd;

        if (str_empty(r->cpu.cpus) && str_empty(r->cpu.mems))
                return 0;
        int code = cgroup_writer_find(w, "cpuset", "a set of CPUs", &fd, &v2, reterr);
        if (code >= 0 && !str_empty(r->cpu.cpus))
                code = cgroup_writer_add_text(w, fd, "cpuset.cpus", r->cpu.cpus, reterr);
        if (code >= 0 && !str_empty(r->cpu.mems))
                code = cgroup_writer_add_text(w, fd, "cpuset.mems", r->cpu.mems, reterr);
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

static int write_pids(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        bool v2;
        int fd;

        if (!r->pids.has_limit || (r->pids.limit <= 0 && !cgroup_writer_has(w, "pids")))
                return 0;
        int code = cgroup_writer_find(w, "pids", "a limit on processes", &fd, &v2, reterr);
        if (code >= 0)
                code = cgroup_writer_add(w, fd, "pids.max", r->pids.limit > 0 ? r->pids.limit : -1, /* v2= */ true, reterr);
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

/* ---- huge pages, network, RDMA ---- */

static bool is_page_size(const char *size) {
        size_t digits = strspn(size ?: "", "0123456789");

        return digits > 0 && *size != '0' && strchr("KMG", size[digits]) && size[digits] && str_equal(size + digits + 1, "B");
}

static int write_hugetlb(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        int code = 0, fd;
        bool v2;

        if (r->n_hugepage_limits == 0)
                return 0;
        code = cgroup_writer_find(w, "hugetlb", "a limit on huge pages", &fd, &v2, reterr);
        for (size_t i = 0; i < r->n_hugepage_limits && code >= 0; i++) {
                const RuntimeHugepageLimit *l = r->hugepage_limits + i;
                char file[64], value[24], old[64];

                if (!is_page_size(l->page_size))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot limit huge pages of size '%s': not a size such as '2MB'",
                                         l->page_size ?: "");
                (void) snprintf(value, sizeof(value), "%llu", (unsigned long long) MIN(l->limit, (uint64_t) INT64_MAX));
                (void) snprintf(file, sizeof(file), "hugetlb.%.20s.%s", l->page_size, v2 ? "max" : "limit_in_bytes");
                code = cgroup_writer_add_text(w, fd, file, value, reterr);
                /* what is reserved is as good as taken; kernels before 5.7 do not count it */
                (void) snprintf(file, sizeof(file), "hugetlb.%.20s.rsvd.%s", l->page_size, v2 ? "max" : "limit_in_bytes");
                if (code >= 0 && cgroup_read_text(fd, file, old, sizeof(old)) >= 0)
                        code = cgroup_writer_add_text(w, fd, file, value, reterr);
        }
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

static int write_network(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        int code = 0, fd;
        bool v2;

        if (r->network.class_id) {
                code = cgroup_writer_find(w, "net_cls", "the class ID of packets", &fd, &v2, reterr);
                if (code >= 0)
                        code = cgroup_writer_add(w, fd, "net_cls.classid", (int64_t) r->network.class_id, v2, reterr);
        }
        if (code >= 0 && r->network.n_priorities > 0)
                code = cgroup_writer_find(w, "net_prio", "the priority of packets", &fd, &v2, reterr);
        for (size_t i = 0; i < r->network.n_priorities && code >= 0; i++) {
                _cleanup_free_ char *text = str_format("%s %u", r->network.priorities[i].name ?: "", (unsigned) r->network.priorities[i].priority);

                code = text ? cgroup_writer_add_text(w, fd, "net_prio.ifpriomap", text, reterr) : error_oom(reterr);
        }
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

static int write_rdma(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        int code = 0, fd;
        bool v2;

        if (r->n_rdma > 0)
                code = cgroup_writer_find(w, "rdma", "a limit on RDMA", &fd, &v2, reterr);
        for (size_t i = 0; i < r->n_rdma && code >= 0; i++) {
                char handles[40] = "", objects[40] = "";

                if (r->rdma[i].has_hca_handles)
                        (void) snprintf(handles, sizeof(handles), " hca_handle=%u", (unsigned) r->rdma[i].hca_handles);
                if (r->rdma[i].has_hca_objects)
                        (void) snprintf(objects, sizeof(objects), " hca_object=%u", (unsigned) r->rdma[i].hca_objects);
                _cleanup_free_ char *text = str_format("%s%s%s", r->rdma[i].device ?: "", handles, objects);
                code = text ? cgroup_writer_add_text(w, fd, "rdma.max", text, reterr) : error_oom(reterr);
        }
        return code < 0 ? code : cgroup_writer_flush(w, reterr);
}

/* ---- whatever the kernel has: the keys of v2 ---- */

static int write_unified_key(CgroupWriter *w, const CgroupHierarchy *h, const char *key, const char *value, Error *reterr) {
        size_t n = strcspn(key, ".");
        _cleanup_free_ char *controller = strndup(key, n), *lines = strdup(value);
        char *save = NULL;
        int code = 0;

        if (!controller || !lines)
                return error_oom(reterr);
        if (strchr(key, '/') || !key[n])
                return error_set(reterr, -EINVAL, ERROR_INVALID, "unified resource \"%s\" must be a file name (no slashes)", key);
        if (!str_equal(controller, "cgroup") && !cgroup_writer_has_v2(w, controller))
                return cgroup_tree_has_v1(w->tree) && !cgroup_writer_has_v2(w, controller)
                               ? error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                           "invalid configuration: cannot use unified on cgroup v1 (unified resource \"%s\")", key)
                               : error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                           "unified resource \"%s\" can't be set: controller \"%s\" not available", key, controller);
        for (char *line = strtok_r(lines, "\n", &save); line && code >= 0; line = strtok_r(NULL, "\n", &save)) {
                code = cgroup_writer_add_text(w, h->fd, key, line, reterr);
                if (code >= 0)
                        code = cgroup_writer_flush(w, /* reterr= */ NULL);
                if (code < 0)
                        return error_set_errno(reterr, code, "unified resource \"%s\" can't be set", key);
        }
        return code;
}

static int write_unified(CgroupWriter *w, const RuntimeResources *r, Error *reterr) {
        const CgroupHierarchy *h = cgroup_tree_unified(w->tree);
        int code = 0;

        if (r->unified && (!h || h->fd < 0))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "invalid configuration: cannot use unified on cgroup v1");
        for (char **pair = r->unified; pair && *pair && code >= 0; pair++) {
                const char *equals = strchr(*pair, '=');
                _cleanup_free_ char *key = equals ? strndup(*pair, (size_t) (equals - *pair)) : strdup(*pair);

                code = key ? write_unified_key(w, h, key, equals ? equals + 1 : "", reterr) : error_oom(reterr);
        }
        return code;
}

int runtime_limits_write(const CgroupTree *tree, const RuntimeResources *resources, bool undo, Error *reterr) {
        static int (*const writers[])(CgroupWriter *, const RuntimeResources *, Error *) = {
                write_cpuset, write_cpu, write_memory, write_pids, runtime_limits_write_io, write_hugetlb, write_network, write_rdma, write_unified,
        };
        _cleanup_cgroup_writer_ CgroupWriter w = { .tree = tree, .undo = undo };
        int code = 0;

        for (size_t i = 0; i < ELEMENTSOF(writers) && code >= 0; i++)
                code = writers[i](&w, resources, reterr);
        if (code < 0 && undo)
                cgroup_writer_undo(&w);
        return code < 0 ? code : 0;
}
