/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has used, in the form of runc's `events --stats`, and its OOM kills. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cgroup/runtime-cgroup.h"
#include "cgroup/runtime-writer.h"

enum { NSEC_PER_USEC = 1000 };

/* ---- reading ---- */

/* JSON here has no numbers above 2^63: "max" and the like become the greatest. */
static json_int_t number(const char *text) {
        unsigned long long value = strncmp(text, "max", 3) == 0 ? INT64_MAX : strtoull(text, NULL, 10);

        return (json_int_t) MIN(value, (unsigned long long) INT64_MAX);
}

static bool read_number(int fd, const char *file, json_int_t *ret) {
        char text[64];

        if (cgroup_read_text(fd, file, text, sizeof(text)) < 0)
                return false;
        *ret = number(text);
        return true;
}

/* The value of a key in a flat-keyed text; 0 where it is not there. */
static json_int_t value_of(const char *text, const char *key) {
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *value = str_after(line, key);

                if (value && *value == ' ')
                        return number(value + 1);
        }
        return 0;
}

/* A number that is left out where it is 0, as runc does it. */
static void put(json_t *object, const char *key, json_int_t value) {
        if (value != 0)
                (void) json_object_set_new(object, key, json_integer(value));
}

/* Where a controller is; -EBADF where it is not. */
static int find(const CgroupTree *tree, const char *controller, bool *ret_v2) {
        const CgroupWriter w = { .tree = tree };
        int fd;

        return cgroup_writer_find(&w, controller, "", &fd, ret_v2, /* reterr= */ NULL) < 0 ? -EBADF : fd;
}

/* Pressure (PSI), in the unified hierarchy. */
static void put_pressure(json_t *object, const CgroupTree *tree, const char *file) {
        const CgroupHierarchy *h = cgroup_tree_unified(tree);
        _cleanup_json_ json_t *psi = NULL;
        char text[512], *save = NULL;

        if (!h || h->fd < 0 || cgroup_read_text(h->fd, file, text, sizeof(text)) < 0 || !(psi = json_object()))
                return;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                double avg10, avg60, avg300;
                unsigned long long total;
                char kind[8];

                if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", kind, &avg10, &avg60, &avg300, &total) == 5)
                        (void) json_object_set_new(psi, kind,
                                                   json_pack("{s:f, s:f, s:f, s:I}", "avg10", avg10, "avg60", avg60, "avg300", avg300, "total", (json_int_t) total));
        }
        (void) json_object_set(object, "psi", psi);
}

/* ---- CPU ---- */

static json_t *cpu_usage_v1(int fd) {
        static const struct {
                const char *file, *key;
        } lists[] = {
                { "cpuacct.usage_percpu", "percpu" }, { "cpuacct.usage_percpu_sys", "percpu_kernel" }, { "cpuacct.usage_percpu_user", "percpu_user" },
        };
        json_t *usage = json_object();
        json_int_t total = 0, kernel = 0, user = 0;

        (void) read_number(fd, "cpuacct.usage", &total);
        (void) read_number(fd, "cpuacct.usage_sys", &kernel);
        (void) read_number(fd, "cpuacct.usage_user", &user);
        put(usage, "total", total);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                char text[CGROUP_TEXT_SIZE], *save = NULL;
                json_t *list;

                if (cgroup_read_text(fd, lists[i].file, text, sizeof(text)) < 0 || !(list = json_array()))
                        continue;
                for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
                        (void) json_array_append_new(list, json_integer(number(word)));
                (void) json_object_set_new(usage, lists[i].key, list);
        }
        (void) json_object_set_new(usage, "kernel", json_integer(kernel));
        (void) json_object_set_new(usage, "user", json_integer(user));
        return usage;
}

static void put_throttling(json_t *cpu, int fd, bool v2) {
        char text[2048];
        json_t *throttling = json_object();

        if (fd >= 0 && cgroup_read_text(fd, "cpu.stat", text, sizeof(text)) >= 0) {
                put(throttling, "periods", value_of(text, "nr_periods"));
                put(throttling, "throttledPeriods", value_of(text, "nr_throttled"));
                put(throttling, "throttledTime", v2 ? value_of(text, "throttled_usec") * NSEC_PER_USEC : value_of(text, "throttled_time"));
        }
        (void) json_object_set_new(cpu, "throttling", throttling);
}

static json_t *cpu_stats(const CgroupTree *tree) {
        const CgroupHierarchy *unified = cgroup_tree_unified(tree), *cpuacct = cgroup_tree_v1(tree, "cpuacct");
        json_t *cpu = json_object(), *usage = NULL;
        char text[2048];
        bool v2;
        int fd = find(tree, "cpu", &v2);

        if (cpuacct && cpuacct->fd >= 0)
                usage = cpu_usage_v1(cpuacct->fd);
        else if (unified && unified->fd >= 0 && cgroup_read_text(unified->fd, "cpu.stat", text, sizeof(text)) >= 0)
                usage = json_pack("{s:I, s:I, s:I}", "total", value_of(text, "usage_usec") * NSEC_PER_USEC, "kernel",
                                  value_of(text, "system_usec") * NSEC_PER_USEC, "user", value_of(text, "user_usec") * NSEC_PER_USEC);
        (void) json_object_set_new(cpu, "usage", usage ?: json_object());
        put_throttling(cpu, fd, v2);
        put_pressure(cpu, tree, "cpu.pressure");
        return cpu;
}

/* "0-3,5" as numbers. */
static void put_set(json_t *object, const char *key, int fd, const char *file) {
        char text[CGROUP_TEXT_SIZE];
        json_t *list;

        if (cgroup_read_text(fd, file, text, sizeof(text)) < 0 || !(list = json_array()))
                return;
        for (char *p = text; *p;) {
                char *end;
                unsigned long first = strtoul(p, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

                if (end == p)
                        break;
                for (; first <= last && last < UINT16_MAX; first++)
                        (void) json_array_append_new(list, json_integer((json_int_t) first));
                p = *end == ',' ? end + 1 : end;
        }
        (void) json_object_set_new(object, key, list);
}

static json_t *cpuset_stats(const CgroupTree *tree) {
        static const char *const v1_only[] = {
                "cpu_exclusive",      "mem_hardwall",       "mem_exclusive",   "memory_migrate",     "memory_spread_page",
                "memory_spread_slab", "memory_pressure",    "sched_load_balance", "sched_relax_domain_level",
        };
        json_t *cpuset = json_object();
        bool v2;
        int fd = find(tree, "cpuset", &v2);

        if (fd < 0)
                return cpuset;
        put_set(cpuset, "cpus", fd, v2 ? "cpuset.cpus.effective" : "cpuset.cpus");
        put_set(cpuset, "mems", fd, v2 ? "cpuset.mems.effective" : "cpuset.mems");
        for (size_t i = 0; i < ELEMENTSOF(v1_only); i++) {
                char file[64], text[32];

                (void) snprintf(file, sizeof(file), "cpuset.%s", v1_only[i]);
                if (cgroup_read_text(fd, file, text, sizeof(text)) >= 0)
                        (void) json_object_set_new(cpuset, v1_only[i], json_integer(strtol(text, NULL, 10)));
        }
        return cpuset;
}

/* ---- memory ---- */

static json_t *memory_entry(json_int_t limit, json_int_t usage, json_int_t max, json_int_t failures) {
        json_t *entry = json_object();

        (void) json_object_set_new(entry, "limit", json_integer(limit));
        put(entry, "usage", usage);
        put(entry, "max", max);
        (void) json_object_set_new(entry, "failcnt", json_integer(failures));
        return entry;
}

static void put_raw(json_t *memory, const char *stat) {
        _cleanup_free_ char *text = strdup(stat);
        json_t *raw = json_object();
        char *save = NULL;

        for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                char *space = strchr(line, ' ');

                if (!space)
                        continue;
                *space = '\0';
                (void) json_object_set_new(raw, line, json_integer(number(space + 1)));
        }
        (void) json_object_set_new(memory, "raw", raw);
}

static void memory_v1(json_t *memory, int fd, const char *stat) {
        static const struct {
                const char *key, *prefix;
        } rows[] = { { "usage", "memory" }, { "swap", "memory.memsw" }, { "kernel", "memory.kmem" }, { "kernelTCP", "memory.kmem.tcp" } };
        static const char *const values[] = { "limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes", "failcnt" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                json_int_t v[ELEMENTSOF(values)] = {};

                for (size_t k = 0; k < ELEMENTSOF(values); k++) {
                        char file[64];

                        (void) snprintf(file, sizeof(file), "%s.%s", rows[i].prefix, values[k]);
                        (void) read_number(fd, file, v + k);
                }
                (void) json_object_set_new(memory, rows[i].key, memory_entry(v[0], v[1], v[2], v[3]));
        }
        put(memory, "cache", value_of(stat, "cache"));
}

/* runc has swap count memory, too, as v1 does. */
static void memory_v2(json_t *memory, int fd, const char *stat) {
        json_int_t usage = 0, limit = 0, peak = 0, swap = 0, swap_limit = 0;
        char events[512] = "";

        (void) read_number(fd, "memory.current", &usage);
        (void) read_number(fd, "memory.max", &limit);
        (void) read_number(fd, "memory.peak", &peak);
        (void) read_number(fd, "memory.swap.current", &swap);
        (void) read_number(fd, "memory.swap.max", &swap_limit);
        (void) cgroup_read_text(fd, "memory.events", events, sizeof(events));
        (void) json_object_set_new(memory, "usage", memory_entry(limit, usage, peak, value_of(events, "max")));
        (void) json_object_set_new(memory, "swap",
                                   memory_entry(limit == INT64_MAX || swap_limit == INT64_MAX ? INT64_MAX : limit + swap_limit, usage + swap, 0, 0));
        (void) json_object_set_new(memory, "kernel", memory_entry(0, 0, 0, 0));
        (void) json_object_set_new(memory, "kernelTCP", memory_entry(0, 0, 0, 0));
        put(memory, "cache", value_of(stat, "file"));
}

static json_t *memory_stats(const CgroupTree *tree) {
        json_t *memory = json_object();
        char stat[CGROUP_TEXT_SIZE] = "";
        bool v2;
        int fd = find(tree, "memory", &v2);

        if (fd < 0)
                return memory;
        (void) cgroup_read_text(fd, "memory.stat", stat, sizeof(stat));
        if (v2)
                memory_v2(memory, fd, stat);
        else
                memory_v1(memory, fd, stat);
        put_raw(memory, stat);
        put_pressure(memory, tree, "memory.pressure");
        return memory;
}

/* ---- the others ---- */

static json_t *pids_stats(const CgroupTree *tree) {
        json_t *pids = json_object();
        json_int_t value = 0;
        char text[32];
        bool v2;
        int fd = find(tree, "pids", &v2);

        if (fd >= 0 && read_number(fd, "pids.current", &value))
                put(pids, "current", value);
        if (fd >= 0 && cgroup_read_text(fd, "pids.max", text, sizeof(text)) >= 0 && !str_equal(text, "max"))
                put(pids, "limit", number(text));
        return pids;
}

static void add_io(json_t *list, unsigned device[static 2], const char *operation, json_int_t value) {
        json_t *entry = json_object();

        put(entry, "major", device[0]);
        put(entry, "minor", device[1]);
        (void) json_object_set_new(entry, "op", json_string(operation));
        put(entry, "value", value);
        (void) json_array_append_new(list, entry);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 ..." */
static void io_v2(const char *line, json_t *bytes, json_t *operations) {
        static const struct {
                const char *key, *operation;
                bool bytes;
        } rows[] = {
                { " rbytes=", "Read", true }, { " wbytes=", "Write", true },   { " dbytes=", "Discard", true },
                { " rios=", "Read", false },  { " wios=", "Write", false },    { " dios=", "Discard", false },
        };
        unsigned device[2];

        if (sscanf(line, "%u:%u", device, device + 1) != 2)
                return;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *value = strstr(line, rows[i].key);

                if (value)
                        add_io(rows[i].bytes ? bytes : operations, device, rows[i].operation, number(value + strlen(rows[i].key)));
        }
}

/* "8:0 Read 123" */
static void io_v1(const char *line, json_t *list) {
        char operation[32];
        unsigned long long value;
        unsigned device[2];

        if (sscanf(line, "%u:%u %31s %llu", device, device + 1, operation, &value) == 4)
                add_io(list, device, operation, (json_int_t) MIN(value, (unsigned long long) INT64_MAX));
}

static json_t *blkio_stats(const CgroupTree *tree) {
        _cleanup_json_ json_t *bytes = json_array(), *operations = json_array();
        const struct {
                const char *file;
                json_t *list;
        } rows[] = {
                { "blkio.throttle.io_service_bytes_recursive", bytes }, { "blkio.throttle.io_serviced_recursive", operations }, { "io.stat", NULL },
        };
        json_t *blkio = json_object();
        bool v2;
        int fd = find(tree, "blkio", &v2);

        for (size_t i = v2 ? 2 : 0; i < (v2 ? 3U : 2U) && fd >= 0; i++) {
                char text[CGROUP_TEXT_SIZE], *save = NULL;

                if (cgroup_read_text(fd, rows[i].file, text, sizeof(text)) < 0)
                        continue;
                for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        if (rows[i].list)
                                io_v1(line, rows[i].list);
                        else
                                io_v2(line, bytes, operations);
        }
        if (json_array_size(bytes) > 0)
                (void) json_object_set(blkio, "ioServiceBytesRecursive", bytes);
        if (json_array_size(operations) > 0)
                (void) json_object_set(blkio, "ioServicedRecursive", operations);
        put_pressure(blkio, tree, "io.pressure");
        return blkio;
}

/* For each page size that the cgroup has a file of: "hugetlb.2MB.current". */
static void add_hugetlb(json_t *hugetlb, int fd, bool v2, const char *file) {
        const char *size = str_after(file, "hugetlb."), *dot = size ? strchr(size, '.') : NULL;
        json_int_t usage = 0, max = 0, failures = 0;
        char name[96], key[32], text[128];

        if (!dot || !str_equal(dot + 1, v2 ? "current" : "usage_in_bytes") || (size_t) (dot - size) >= sizeof(key))
                return;
        (void) snprintf(key, sizeof(key), "%.*s", (int) (dot - size), size);
        (void) read_number(fd, file, &usage);
        (void) snprintf(name, sizeof(name), "hugetlb.%s.%s", key, v2 ? "events" : "failcnt");
        if (cgroup_read_text(fd, name, text, sizeof(text)) >= 0)
                failures = v2 ? value_of(text, "max") : number(text);
        (void) snprintf(name, sizeof(name), "hugetlb.%s.max_usage_in_bytes", key);
        if (!v2)
                (void) read_number(fd, name, &max);
        json_t *entry = json_object();
        put(entry, "usage", usage);
        put(entry, "max", max);
        (void) json_object_set_new(entry, "failcnt", json_integer(failures));
        (void) json_object_set_new(hugetlb, key, entry);
}

static json_t *hugetlb_stats(const CgroupTree *tree) {
        json_t *hugetlb = json_object();
        bool v2;
        int fd = find(tree, "hugetlb", &v2), own = fd < 0 ? -EBADF : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = own < 0 ? NULL : fdopendir(own);

        if (!dir)
                return fd_close(own), hugetlb;
        for (struct dirent *e; (e = readdir(dir));)
                add_hugetlb(hugetlb, fd, v2, e->d_name);
        (void) closedir(dir);
        return hugetlb;
}

int runtime_cgroup_stats(const RuntimeCgroup *cgroup, json_t **ret, Error *reterr) {
        static const struct {
                const char *key;
                json_t *(*read)(const CgroupTree *);
        } sections[] = {
                { "cpu", cpu_stats },   { "cpuset", cpuset_stats }, { "memory", memory_stats },
                { "pids", pids_stats }, { "blkio", blkio_stats },   { "hugetlb", hugetlb_stats },
        };
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        _cleanup_json_ json_t *stats = json_object();
        int r = cgroup->path ? cgroup_tree_open(cgroup->path, &tree, reterr) : 0;

        if (r < 0)
                return r;
        if (!cgroup_tree_main(&tree))
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot read the counters: the container has no cgroup of its own");
        for (size_t i = 0; i < ELEMENTSOF(sections); i++)
                if (json_object_set_new(stats, sections[i].key, sections[i].read(&tree)) < 0)
                        return error_oom(reterr);
        *ret = TAKE_PTR(stats);
        return 0;
}

/* ---- OOM ---- */

int runtime_cgroup_open_oom(const RuntimeCgroup *cgroup, short *ret_events) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        bool v2;
        int r = cgroup->path ? cgroup_tree_open_some(cgroup->path, "memory", &tree, /* reterr= */ NULL) : 0, fd = r < 0 ? r : find(&tree, "memory", &v2);

        if (fd < 0)
                return r < 0 ? r : -EOPNOTSUPP;
        _cleanup_fd_ int control = openat(fd, v2 ? "memory.events" : "memory.oom_control", O_RDONLY | O_CLOEXEC);
        if (control < 0)
                return -errno;
        *ret_events = v2 ? POLLPRI : POLLIN;
        if (v2) {
                runtime_cgroup_drain_oom(control); /* poll(2) tells of changes since it was read */
                return TAKE_FD(control);
        }
        _cleanup_fd_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        char text[32];
        if (event < 0)
                return -errno;
        (void) snprintf(text, sizeof(text), "%d %d", event, control);
        r = file_write_string(fd, "cgroup.event_control", text);
        return r < 0 ? r : TAKE_FD(event);
}

void runtime_cgroup_drain_oom(int fd) {
        char text[512];

        if (pread(fd, text, sizeof(text), 0) < 0 && errno == ESPIPE)
                (void) !read(fd, text, sizeof(uint64_t));
}

int runtime_cgroup_oom_kills(const RuntimeCgroup *cgroup, uint64_t *ret) {
        _cleanup_cgroup_tree_ CgroupTree tree = CGROUP_TREE_NULL;
        char text[512];
        bool v2;
        int r = cgroup->path ? cgroup_tree_open_some(cgroup->path, "memory", &tree, /* reterr= */ NULL) : 0, fd = r < 0 ? r : find(&tree, "memory", &v2);

        if (fd < 0)
                return r < 0 ? r : -EOPNOTSUPP;
        r = cgroup_read_text(fd, v2 ? "memory.events" : "memory.oom_control", text, sizeof(text));
        if (r >= 0)
                *ret = (uint64_t) value_of(text, "oom_kill");
        return r;
}
