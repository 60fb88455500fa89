/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of systemd that a container of sdpod-oci is in. */
#include "cgroup/runtime-systemd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroup/limits.h"
#include "cgroup/manager.h"
#include "cgroup/runtime-devices.h"
#include "cgroup/runtime-limits.h"

#define ANNOTATION "org.systemd.property."

enum { CPU_PERIOD_DEFAULT = 100000, USEC_PER_SEC = 1000000, CPU_STEP_USEC = 10000, PROC_DEVICES_LIMIT = 64 * 1024 };

/* ---- its name ---- */

int runtime_systemd_plan(RuntimeCgroup *cgroup, const char *wanted, const char *id, Error *reterr) {
        const char *usual = cgroup->rootless ? "user.slice" : "system.slice";
        _cleanup_strv_ char **parts = str_empty(wanted) ? NULL : strv_split(wanted, ":");

        if (!str_empty(wanted) && !parts)
                return error_oom(reterr);
        if (parts && strv_length(parts) != 3)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"%s\" instead", wanted);
        const char *slice = parts ? parts[0] : "", *prefix = parts ? parts[1] : "sdpod-oci", *name = parts ? parts[2] : id;
        if (*slice && !str_has_suffix(slice, ".slice") && !str_equal(slice, "-"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid slice name '%s' in cgroupsPath '%s'", slice, wanted);
        if (strchr(wanted ?: "", '/'))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid cgroupsPath '%s': a unit's name has no slash", wanted);
        if (str_empty(name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "invalid cgroupsPath '%s': the unit has no name", wanted);
        cgroup->slice = strdup(str_equal(slice, "-") ? "-.slice" : *slice ? slice : usual);
        cgroup->unit = str_has_suffix(name, ".slice") ? strdup(name) : str_format("%s%s%s.scope", prefix, *prefix ? "-" : "", name);
        return cgroup->slice && cgroup->unit ? 0 : error_oom(reterr);
}

/* Who is root in a user namespace only has the user's manager. */
static int connect_manager(const RuntimeCgroup *cgroup, Manager *ret, Error *reterr) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        int r = cgroup->rootless && !str_empty(runtime) ? manager_connect_in(runtime, ret, reterr) : manager_connect(ret, reterr);

        if (r != -ENOENT)
                return r;
        return error_set(reterr, r, ERROR_UNSUPPORTED, "cannot use systemd for cgroups: %s", cgroup->rootless ? "the user has no manager that could be asked" : "it does not run");
}

/* ---- properties ---- */

static void put_name(BusBody *b, const char *name, const char *signature) {
        bus_put_struct(b);
        bus_put_string(b, name);
        bus_put_signature(b, signature);
}

static void put_string(BusBody *b, const char *name, const char *value) {
        put_name(b, name, "s");
        bus_put_string(b, value);
}

static void put_bool(BusBody *b, const char *name, bool value) {
        put_name(b, name, "b");
        bus_put_u32(b, value);
}

/* A number of the spec's, where negative ones are no limit. */
static void put_limit(BusBody *b, bool wanted, const char *name, int64_t value) {
        if (!wanted)
                return;
        put_name(b, name, "t");
        bus_put_u64(b, value < 0 ? UINT64_MAX : (uint64_t) value);
}

/* "0-3,5" as the bit mask that AllowedCPUs= travels as. */
static void put_set(BusBody *b, const char *name, const char *set) {
        uint8_t mask[1024] = {};
        size_t used = 0;

        for (const char *p = set ?: ""; *p;) {
                char *end;
                unsigned long first = strtoul(p, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

                if (end == p || last >= sizeof(mask) * 8)
                        return; /* the kernel says what is wrong with it */
                for (; first <= last; first++)
                        mask[first / 8] |= (uint8_t) (1U << (first % 8));
                used = MAX(used, (size_t) last / 8 + 1);
                p = *end == ',' ? end + 1 : end;
        }
        if (used == 0)
                return;
        put_name(b, name, "ay");
        BusArray array = bus_array_begin(b, 1);
        for (size_t i = 0; i < used; i++)
                bus_put_u8(b, mask[i]);
        bus_array_end(b, array);
}

static void put_memory(BusBody *b, const RuntimeResources *r) {
        int64_t swap;

        put_limit(b, r->memory.limit != 0, "MemoryMax", r->memory.limit);
        put_limit(b, r->memory.reservation != 0, "MemoryLow", r->memory.reservation);
        if ((r->memory.swap != 0 || r->memory.limit == -1) && runtime_swap(r->memory.limit, r->memory.swap, &swap, /* reterr= */ NULL) >= 0)
                put_limit(b, true, "MemorySwapMax", swap);
}

/* systemd keeps whole percents of a CPU: rounded up, or the limit would be less than what was asked. */
static void put_cpu(BusBody *b, const RuntimeResources *r) {
        uint64_t period = r->cpu.period ?: CPU_PERIOD_DEFAULT, quota = (uint64_t) MAX(r->cpu.quota, (int64_t) 0);

        put_limit(b, r->cpu.shares != 0 && r->cpu.idle == 0, "CPUWeight", (int64_t) runtime_cpu_weight(r->cpu.shares));
        put_limit(b, r->cpu.period != 0, "CPUQuotaPeriodUSec", (int64_t) r->cpu.period);
        if (r->cpu.quota < 0)
                put_limit(b, true, "CPUQuotaPerSecUSec", -1);
        else if (quota > 0 && quota < UINT64_MAX / USEC_PER_SEC)
                put_limit(b, true, "CPUQuotaPerSecUSec",
                          (int64_t) ((quota * USEC_PER_SEC / period + CPU_STEP_USEC - 1) / CPU_STEP_USEC * CPU_STEP_USEC));
        put_set(b, "AllowedCPUs", r->cpu.cpus);
        put_set(b, "AllowedMemoryNodes", r->cpu.mems);
}

static void put_block_devices(BusBody *b, const char *name, const RuntimeBlockDevice *devices, size_t n, bool weights) {
        if (n == 0)
                return;
        put_name(b, name, "a(st)");
        BusArray array = bus_array_begin(b, 8);
        for (size_t i = 0; i < n; i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/dev/block/%lld:%lld", (long long) devices[i].major, (long long) devices[i].minor);
                if ((weights && !devices[i].weight) || access(path, F_OK) < 0) /* systemd looks for the node; the files do not need it */
                        continue;
                bus_put_struct(b);
                bus_put_string(b, path);
                bus_put_u64(b, weights ? limits_io_weight(devices[i].weight) : devices[i].rate == 0 ? UINT64_MAX : devices[i].rate);
        }
        bus_array_end(b, array);
}

static void put_io(BusBody *b, const RuntimeResources *r) {
        put_limit(b, r->block_io.weight != 0, "IOWeight", (int64_t) limits_io_weight(r->block_io.weight));
        put_block_devices(b, "IODeviceWeight", r->block_io.weight_devices, r->block_io.n_weight_devices, /* weights= */ true);
        put_block_devices(b, "IOReadBandwidthMax", r->block_io.read_bps, r->block_io.n_read_bps, /* weights= */ false);
        put_block_devices(b, "IOWriteBandwidthMax", r->block_io.write_bps, r->block_io.n_write_bps, /* weights= */ false);
        put_block_devices(b, "IOReadIOPSMax", r->block_io.read_iops, r->block_io.n_read_iops, /* weights= */ false);
        put_block_devices(b, "IOWriteIOPSMax", r->block_io.write_iops, r->block_io.n_write_iops, /* weights= */ false);
}

/* Keys of v2 that systemd has properties for: it would write its own value over them at the next reload. */
static void put_unified(BusBody *b, const RuntimeResources *r) {
        static const struct {
                const char *key, *property;
        } rows[] = {
                { "memory.max", "MemoryMax" }, { "memory.high", "MemoryHigh" },      { "memory.low", "MemoryLow" }, { "memory.min", "MemoryMin" },
                { "pids.max", "TasksMax" },    { "memory.swap.max", "MemorySwapMax" }, { "cpu.weight", "CPUWeight" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *value = strv_env_get(r->unified, rows[i].key);
                int64_t number;

                if (value && str_equal(value, "max"))
                        put_limit(b, true, rows[i].property, -1);
                else if (value && parse_i64(value, &number) >= 0 && number >= 0)
                        put_limit(b, true, rows[i].property, number);
        }
        put_set(b, "AllowedCPUs", strv_env_get(r->unified, "cpuset.cpus"));
        put_set(b, "AllowedMemoryNodes", strv_env_get(r->unified, "cpuset.mems"));
}

static void put_resources(BusBody *b, const void *userdata) {
        const RuntimeResources *r = userdata;

        put_memory(b, r);
        put_cpu(b, r);
        put_limit(b, r->pids.has_limit, "TasksMax", r->pids.limit > 0 ? r->pids.limit : -1);
        put_io(b, r);
        put_unified(b, r);
}

/* ---- device rules: systemd has a program of its own, and both must allow ---- */

/* The name of a major number in /proc/devices, as systemd wants it for all its minors; false where there is none. */
static bool group_name(const char *devices, const DeviceRule *rule, char *to, size_t size) {
        const char *section = strstr(devices, rule->type == 'b' ? "Block devices:" : "Character devices:");
        const char *end = section && rule->type == 'c' ? strstr(section, "Block devices:") : NULL;

        for (const char *line = section ? strchr(section, '\n') : NULL; line && (!end || line < end); line = strchr(line + 1, '\n')) {
                char name[64];
                long long major;

                if (sscanf(line, " %lld %63s", &major, name) == 2 && major == rule->major) {
                        (void) snprintf(to, size, "%s-%s", rule->type == 'b' ? "block" : "char", name);
                        return true;
                }
        }
        return false;
}

static bool device_name(const char *devices, const DeviceRule *rule, char *to, size_t size) {
        if (rule->major < 0)
                return rule->minor < 0 && snprintf(to, size, "%s-*", rule->type == 'b' ? "block" : "char") > 0;
        if (rule->minor < 0)
                return group_name(devices, rule, to, size);
        return snprintf(to, size, "/dev/%s/%lld:%lld", rule->type == 'b' ? "block" : "char", (long long) rule->major, (long long) rule->minor) > 0;
}

/* Where systemd cannot say what is allowed it allows all: what counts is our program beside it. */
static void put_devices(BusBody *b, const RuntimeResources *r) {
        _cleanup_free_ DeviceRule *rules = NULL, *exceptions = NULL;
        _cleanup_free_ char *devices = NULL;
        size_t n, n_own, n_exceptions = 0;
        bool allow = true;
        char name[96];

        if (file_read(AT_FDCWD, "/proc/devices", PROC_DEVICES_LIMIT, &devices, /* ret_size= */ NULL) < 0 ||
            device_rules_resolve(r, &rules, &n, &n_own, /* reterr= */ NULL) < 0 ||
            device_rules_exceptions(rules, n, n_own, &allow, &exceptions, &n_exceptions, /* reterr= */ NULL) < 0)
                allow = true;
        for (size_t i = 0; i < n_exceptions; i++)
                allow |= !device_name(devices, exceptions + i, name, sizeof(name));
        put_string(b, "DevicePolicy", allow ? "auto" : "strict");
        if (allow)
                return;
        put_name(b, "DeviceAllow", "a(ss)");
        BusArray array = bus_array_begin(b, 8);
        for (size_t i = 0; i < n_exceptions; i++) {
                unsigned access = exceptions[i].access;
                char letters[4] = "", *p = letters;

                *p = 'r';
                p += (access & DEVICE_READ) != 0;
                *p = 'w';
                p += (access & DEVICE_WRITE) != 0;
                *p = 'm';
                p += (access & DEVICE_MAKE) != 0;
                *p = '\0';
                (void) device_name(devices, exceptions + i, name, sizeof(name));
                bus_put_struct(b);
                bus_put_string(b, name);
                bus_put_string(b, letters);
        }
        bus_array_end(b, array);
}

/* ---- the unit ---- */

typedef struct Start {
        const RuntimeCgroup *cgroup;
        const RuntimeSpec *spec;
        pid_t pid;
} Start;

static void put_start(BusBody *b, const void *userdata) {
        static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting" };
        const Start *start = userdata;
        bool scope = !str_has_suffix(start->cgroup->unit, ".slice");
        char description[256];

        (void) snprintf(description, sizeof(description), "sdpod-oci container %.200s", start->cgroup->unit);
        put_string(b, "Description", description);
        if (scope) { /* a slice is where its name says, and holds no processes */
                put_string(b, "Slice", start->cgroup->slice);
                put_bool(b, "Delegate", true);
                put_string(b, "CollectMode", "inactive-or-failed");
                put_name(b, "PIDs", "au");
                BusArray pids = bus_array_begin(b, 4);
                bus_put_u32(b, (uint32_t) start->pid);
                bus_array_end(b, pids);
        }
        put_bool(b, "DefaultDependencies", false);
        for (size_t i = 0; i < ELEMENTSOF(accounting); i++)
                put_bool(b, accounting[i], true);
        put_resources(b, &start->spec->resources);
        if (!start->cgroup->rootless)
                put_devices(b, &start->spec->resources);
        for (char **a = start->spec->annotations; a && *a; a++) {
                const char *name = str_after(*a, ANNOTATION), *equals = name ? strchr(name, '=') : NULL;
                _cleanup_free_ char *word = equals ? strndup(name, (size_t) (equals - name)) : NULL;

                if (equals && (!word || runtime_variant_put(b, word, equals + 1) < 0))
                        b->failed = true;
        }
}

/* Said before systemd is asked, so that it is said which. */
static int check_annotations(const RuntimeSpec *spec, Error *reterr) {
        for (char **a = spec->annotations; a && *a; a++) {
                const char *name = str_after(*a, ANNOTATION), *equals = name ? strchr(name, '=') : NULL;
                _cleanup_free_ char *word = equals ? strndup(name, (size_t) (equals - name)) : NULL;
                _cleanup_bus_body_ BusBody scratch = {};

                if (equals && (!word || runtime_variant_put(&scratch, word, equals + 1) < 0))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "annotation %s%s value \"%s\" syntax error", ANNOTATION, word ?: "", equals + 1);
        }
        return 0;
}

/* Where systemd put it: in the unified hierarchy, or where it counts its units on v1. */
static int find_path(RuntimeCgroup *cgroup, pid_t pid, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        char name[32], *save = NULL;

        (void) snprintf(name, sizeof(name), "/proc/%d/cgroup", (int) pid);
        int r = file_read(AT_FDCWD, name, CGROUP_TEXT_SIZE * 4, &text, /* ret_size= */ NULL);
        for (char *line = r < 0 ? NULL : strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *first = strchr(line, ':'), *path = first ? strchr(first + 1, ':') : NULL;

                if (!path || (path != first + 1 && !str_after(first + 1, "name=systemd:")))
                        continue;
                if (str_has_suffix(path + 1, cgroup->unit))
                        return (cgroup->path = strdup(path + 1)) ? 0 : error_oom(reterr);
        }
        return error_set(reterr, r < 0 ? r : -ENOENT, ERROR_INTERNAL, "cannot find the cgroup of the unit '%s'", cgroup->unit);
}

static int start_unit(Manager *manager, const Start *start, Error *reterr) {
        _cleanup_free_ char *job = NULL, *result = NULL;
        const char *unit = start->cgroup->unit;
        int r = manager_start_with(manager, unit, put_start, start, &job, reterr);

        if (r == -EEXIST) { /* one that failed keeps its name */
                error_done(reterr);
                manager_reset_failed(manager, unit);
                r = manager_start_with(manager, unit, put_start, start, &job, reterr);
        }
        if (r >= 0)
                r = manager_wait_job(manager, job, &result, reterr);
        if (r >= 0 && !str_equal(result, "done"))
                r = error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the unit '%s': %s", unit, result);
        return r;
}

int runtime_systemd_start(RuntimeCgroup *cgroup, const RuntimeSpec *spec, pid_t pid, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        const Start start = { cgroup, spec, pid };
        int r = check_annotations(spec, reterr);

        if (r >= 0 && str_has_suffix(cgroup->unit, ".slice"))
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot put the container into '%s': a slice holds no processes", cgroup->unit);
        if (r >= 0)
                r = connect_manager(cgroup, &manager, reterr);
        if (r >= 0)
                r = start_unit(&manager, &start, reterr);
        if (r < 0)
                return r;
        r = find_path(cgroup, pid, reterr);
        if (r < 0)
                (void) manager_stop_unit(&manager, cgroup->unit, /* reterr= */ NULL);
        return r;
}

int runtime_systemd_update(const RuntimeCgroup *cgroup, const RuntimeResources *resources, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int r = connect_manager(cgroup, &manager, reterr);

        return r < 0 ? r : manager_set_properties(&manager, cgroup->unit, put_resources, resources, reterr);
}

void runtime_systemd_stop(const RuntimeCgroup *cgroup) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;

        if (connect_manager(cgroup, &manager, /* reterr= */ NULL) < 0)
                return;
        (void) manager_stop_unit(&manager, cgroup->unit, /* reterr= */ NULL);
        manager_reset_failed(&manager, cgroup->unit);
}
