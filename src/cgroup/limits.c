/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits as cgroup v2 files and as systemd's unit properties. */
#include "cgroup/limits.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/str.h"

enum { CPU_SHARES_MIN = 2, CPU_SHARES_MAX = 262144, CPU_PERIOD_DEFAULT_USEC = 100000 };

static uint64_t unlimited_if_negative(int64_t value) {
        return value < 0 ? UINT64_MAX : (uint64_t) value;
}

/* memory.swap.max counts swap alone, --memory-swap memory and swap together (runtime-spec, config-linux.md). */
static int resolve_swap(const ContainerResources *resources, LimitSettings *s, Error *reterr) {
        if (resources->memory_swap == 0 && !(s->has_memory_max && resources->memory > 0))
                return 0;
        s->has_swap_max = true;
        if (resources->memory_swap < 0)
                s->swap_max = UINT64_MAX;
        else if (resources->memory_swap == 0)
                s->swap_max = (uint64_t) resources->memory; /* as much again: Podman's default */
        else if (resources->memory <= 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --memory-swap: it needs --memory beside it");
        else if (resources->memory_swap < resources->memory)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use --memory-swap: it counts memory and swap together, and so must not be less than --memory");
        else
                s->swap_max = (uint64_t) (resources->memory_swap - resources->memory);
        return 0;
}

int limits_resolve(const ContainerResources *resources, bool with_default, LimitSettings *ret, Error *reterr) {
        LimitSettings s = {
                .has_memory_max = resources->memory != 0,
                .memory_max = unlimited_if_negative(resources->memory),
                .has_memory_low = resources->memory_reservation != 0,
                .memory_low = unlimited_if_negative(resources->memory_reservation),
                .has_cpu_quota = resources->cpu_quota != 0,
                .cpu_quota_usec = unlimited_if_negative(resources->cpu_quota),
                .cpu_period_usec = resources->cpu_period ?: CPU_PERIOD_DEFAULT_USEC,
                .has_cpu_weight = resources->cpu_shares != 0,
                .has_tasks_max = resources->pids_limit != 0 || with_default,
                .tasks_max = resources->pids_limit != 0 ? unlimited_if_negative(resources->pids_limit) : LIMITS_PIDS_DEFAULT,
                .cpuset_cpus = resources->cpuset_cpus,
                .cpuset_mems = resources->cpuset_mems,
                .resources = resources,
        };
        int r = resolve_swap(resources, &s, reterr);

        if (r < 0)
                return r;
        if (s.has_cpu_weight) {
                uint64_t shares = MIN(MAX(resources->cpu_shares, (uint64_t) CPU_SHARES_MIN), (uint64_t) CPU_SHARES_MAX);

                s.cpu_weight = 1 + (shares - CPU_SHARES_MIN) * 9999 / (CPU_SHARES_MAX - CPU_SHARES_MIN);
        }
        s.asked = s.has_memory_max || (s.has_swap_max && s.swap_max != UINT64_MAX) || s.has_memory_low || s.has_cpu_quota ||
                  s.has_cpu_weight || resources->pids_limit > 0 || s.cpuset_cpus || s.cpuset_mems || resources->cgroup_conf ||
                  container_resources_have_io(resources);
        *ret = s;
        return 0;
}

static int lacks(const char *what, const char *controller, Error *reterr) {
        int r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set %s: the cgroup controller '%s' is not available to you", what,
                          controller);

        error_hint(reterr, "'sdpod doctor' tells whether root can delegate it (Delegate=cpu cpuset io memory pids for user@.service), or the "
                           "kernel has it elsewhere");
        return r;
}

/* memory.high is a file of the controller memory; those of cgroup.* are always there. */
static int check_conf(const LimitSettings *s, char *const *controllers, Error *reterr) {
        for (char **conf = s->resources ? s->resources->cgroup_conf : NULL; conf && *conf; conf++) {
                _cleanup_free_ char *controller = strndup(*conf, strcspn(*conf, ".="));

                if (!controller)
                        return error_oom(reterr);
                if (!str_equal(controller, "cgroup") && !strv_contains(controllers, controller))
                        return lacks(*conf, controller, reterr);
        }
        return 0;
}

int limits_check(LimitSettings *s, char *const *controllers, Error *reterr) {
        const struct {
                bool wanted;
                const char *controller, *what;
        } needs[] = {
                { s->has_memory_max || (s->has_swap_max && s->swap_max != UINT64_MAX) || s->has_memory_low, "memory", "a memory limit" },
                { s->has_cpu_quota || s->has_cpu_weight, "cpu", "a CPU limit" },
                { s->cpuset_cpus || s->cpuset_mems, "cpuset", "a set of CPUs" },
                { s->has_tasks_max && s->tasks_max != LIMITS_PIDS_DEFAULT && s->tasks_max != UINT64_MAX, "pids", "a limit on processes" },
                { s->resources && container_resources_have_io(s->resources), "io", "a limit on block devices" },
        };
        int r = check_conf(s, controllers, reterr);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(needs); i++)
                if (needs[i].wanted && !strv_contains(controllers, needs[i].controller))
                        return lacks(needs[i].what, needs[i].controller, reterr);
        /* what is left of them here is no limit, or the default one */
        if (!strv_contains(controllers, "pids"))
                s->has_tasks_max = false;
        if (!strv_contains(controllers, "memory"))
                s->has_swap_max = false;
        return 0;
}

static int write_number(int cgroup_fd, const char *file, uint64_t value, Error *reterr) {
        char text[24];

        if (value == UINT64_MAX)
                (void) snprintf(text, sizeof(text), "max");
        else
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) value);
        int r = file_write_string(cgroup_fd, file, text);
        return r < 0 ? error_set_errno(reterr, r, "cannot set '%s' to %s", file, text) : 0;
}

uint64_t limits_io_weight(uint64_t weight) {
        return weight <= 10 ? 1 : weight >= 1000 ? 10000 : 1 + (weight - 10) * 9999 / 990;
}

/* A kernel has io.weight, or the scheduler BFQ its own file of 1..1000, or none. */
static int write_weight(int cgroup_fd, const char *device, uint64_t weight, Error *reterr) {
        char text[64];

        (void) snprintf(text, sizeof(text), "%s %llu", device, (unsigned long long) limits_io_weight(weight));
        int r = file_write_string(cgroup_fd, "io.weight", text);
        if (r == -ENOENT) {
                (void) snprintf(text, sizeof(text), "%s %llu", device, (unsigned long long) weight);
                r = file_write_string(cgroup_fd, "io.bfq.weight", text);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot set 'io.weight' to %s", text) : 0;
}

static int device_number(const char *path, char ret[static 32], Error *reterr) {
        struct stat st;

        if (stat(path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot limit the device '%s'", path);
        if (!S_ISBLK(st.st_mode))
                return error_set(reterr, -ENOTBLK, ERROR_INVALID, "cannot limit the device '%s': it is not a block device", path);
        (void) snprintf(ret, 32, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        return 0;
}

static int write_io(const ContainerResources *resources, int cgroup_fd, Error *reterr) {
        const struct {
                const char *key; /* of io.max */
                const ContainerDeviceLimit *limits;
                size_t n;
        } rows[] = {
                { "rbps", resources->read_bps, resources->n_read_bps },    { "wbps", resources->write_bps, resources->n_write_bps },
                { "riops", resources->read_iops, resources->n_read_iops }, { "wiops", resources->write_iops, resources->n_write_iops },
        };
        char device[32], text[96];
        int r = resources->blkio_weight ? write_weight(cgroup_fd, "default", resources->blkio_weight, reterr) : 0;

        for (size_t i = 0; i < resources->n_weight_devices && r >= 0; i++) {
                r = device_number(resources->weight_devices[i].path, device, reterr);
                if (r >= 0)
                        r = write_weight(cgroup_fd, device, resources->weight_devices[i].value, reterr);
        }
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < rows[i].n && r >= 0; k++) {
                        r = device_number(rows[i].limits[k].path, device, reterr);
                        if (r < 0)
                                break;
                        (void) snprintf(text, sizeof(text), "%s %s=%llu", device, rows[i].key, (unsigned long long) rows[i].limits[k].value);
                        r = file_write_string(cgroup_fd, "io.max", text);
                        if (r < 0)
                                r = error_set_errno(reterr, r, "cannot set 'io.max' to %s", text);
                }
        return r;
}

int limits_write_rest(const LimitSettings *s, int cgroup_fd, Error *reterr) {
        int r = s->resources ? write_io(s->resources, cgroup_fd, reterr) : 0;

        for (char **conf = r >= 0 && s->resources ? s->resources->cgroup_conf : NULL; conf && *conf; conf++) {
                size_t n = strcspn(*conf, "=");
                _cleanup_free_ char *file = strndup(*conf, n);

                if (!file)
                        return error_oom(reterr);
                r = strchr(file, '/') || !(*conf)[n] ? -EINVAL : file_write_string(cgroup_fd, file, *conf + n + 1);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot use '--cgroup-conf %s'", *conf);
        }
        return r < 0 ? r : 0;
}

int limits_write(const LimitSettings *s, int cgroup_fd, Error *reterr) {
        const struct {
                bool wanted;
                const char *file;
                uint64_t value;
        } numbers[] = {
                { s->has_memory_max, "memory.max", s->memory_max },
                { s->has_swap_max, "memory.swap.max", s->swap_max },
                { s->has_memory_low, "memory.low", s->memory_low },
                { s->has_cpu_weight, "cpu.weight", s->cpu_weight },
                { s->has_tasks_max, "pids.max", s->tasks_max },
        };
        const struct {
                const char *file, *value;
        } words[] = { { "cpuset.cpus", s->cpuset_cpus }, { "cpuset.mems", s->cpuset_mems } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(numbers) && r >= 0; i++)
                if (numbers[i].wanted)
                        r = write_number(cgroup_fd, numbers[i].file, numbers[i].value, reterr);
        for (size_t i = 0; i < ELEMENTSOF(words) && r >= 0; i++)
                if (words[i].value && (r = file_write_string(cgroup_fd, words[i].file, words[i].value)) < 0)
                        return error_set_errno(reterr, r, "cannot set '%s' to %s", words[i].file, words[i].value);
        if (r >= 0 && s->has_cpu_quota) {
                char text[48];

                if (s->cpu_quota_usec == UINT64_MAX)
                        (void) snprintf(text, sizeof(text), "max %llu", (unsigned long long) s->cpu_period_usec);
                else
                        (void) snprintf(text, sizeof(text), "%llu %llu", (unsigned long long) s->cpu_quota_usec,
                                        (unsigned long long) s->cpu_period_usec);
                r = file_write_string(cgroup_fd, "cpu.max", text);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot set 'cpu.max' to %s", text);
        }
        return r < 0 ? r : limits_write_rest(s, cgroup_fd, reterr);
}
