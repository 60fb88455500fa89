/* SPDX-License-Identifier: Apache-2.0 */
/* The user's systemd manager over sd-bus. */
#include "cgroup/manager.h"

#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

static char *socket_path(void) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (geteuid() == 0)
                return strdup("/run/systemd/private");
        if (str_empty(runtime))
                return str_format("/run/user/%u/systemd/private", geteuid());
        return str_format("%s/systemd/private", runtime);
}

bool manager_is_there(void) {
        _cleanup_free_ char *path = socket_path();

        return path && access(path, W_OK) == 0;
}

void manager_done(Manager *manager) {
        manager->bus = sd_bus_flush_close_unref(manager->bus);
}

int manager_connect(Manager *ret, Error *reterr) {
        _cleanup_manager_ Manager manager = {};
        _cleanup_free_ char *path = socket_path(), *address = path ? str_format("unix:path=%s", path) : NULL;

        if (!address)
                return error_oom(reterr);
        if (access(path, F_OK) < 0)
                return -ENOENT;
        int r = sd_bus_new(&manager.bus);
        if (r >= 0)
                r = sd_bus_set_address(manager.bus, address);
        if (r >= 0)
                r = sd_bus_start(manager.bus);
        if (r == -ENOENT || r == -ECONNREFUSED || r == -EACCES)
                return -ENOENT;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot talk to systemd");
        *ret = manager;
        manager = (Manager){};
        return 0;
}

static int explain(int code, const sd_bus_error *error, const char *what, const char *unit, Error *reterr) {
        return error_set(reterr, code, error_kind_from_errno(code), "cannot %s '%s': %s", what, unit,
                         error && error->message ? error->message : strerror(-code));
}

int manager_controllers(Manager *manager, char ***ret, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;

        int r = sd_bus_get_property_string(manager->bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "ControlGroup", &error, &path);
        if (r < 0)
                return explain(r, &error, "ask systemd for", "ControlGroup", reterr);
        _cleanup_fd_ int fd = cgroup_open(str_empty(path) ? "/" : path, reterr);
        if (fd < 0)
                return fd;
        r = cgroup_controllers(fd, ret);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the controllers of '%s'", path) : 0;
}

static int append_string(sd_bus_message *m, const char *name, const char *value) {
        return value ? sd_bus_message_append(m, "(sv)", name, "s", value) : 0;
}

static int append_u64(sd_bus_message *m, bool wanted, const char *name, uint64_t value) {
        return wanted ? sd_bus_message_append(m, "(sv)", name, "t", value) : 0;
}

/* "0-3,5" as the little-endian bit mask that AllowedCPUs= travels as. The words were validated when they were parsed. */
static int append_cpuset(sd_bus_message *m, const char *name, const char *set) {
        uint8_t mask[1024] = {};
        size_t used = 0;

        if (!set)
                return 0;
        for (const char *p = set; *p;) {
                char *end;
                unsigned long first = strtoul(p, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

                if (end == p || last >= sizeof(mask) * 8 || first > last)
                        return -EINVAL;
                for (unsigned long i = first; i <= last; i++)
                        mask[i / 8] |= (uint8_t) (1U << (i % 8));
                used = MAX(used, (size_t) last / 8 + 1);
                p = *end == ',' ? end + 1 : end;
        }
        int r = sd_bus_message_open_container(m, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', mask, used);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_limits(sd_bus_message *m, const LimitSettings *s) {
        int r = append_u64(m, s->has_memory_max, "MemoryMax", s->memory_max);

        if (r >= 0)
                r = append_u64(m, s->has_swap_max, "MemorySwapMax", s->swap_max);
        if (r >= 0)
                r = append_u64(m, s->has_memory_low, "MemoryLow", s->memory_low);
        if (r >= 0)
                r = append_u64(m, s->has_cpu_weight, "CPUWeight", s->cpu_weight);
        if (r >= 0)
                r = append_u64(m, s->has_tasks_max, "TasksMax", s->tasks_max);
        if (r >= 0)
                r = append_u64(m, s->has_cpu_quota, "CPUQuotaPeriodUSec", s->cpu_period_usec);
        if (r >= 0) /* the property is per second of wall time */
                r = append_u64(m, s->has_cpu_quota, "CPUQuotaPerSecUSec",
                               s->cpu_quota_usec == UINT64_MAX ? UINT64_MAX
                                                               : s->cpu_quota_usec * 1000000 / s->cpu_period_usec);
        if (r >= 0)
                r = append_cpuset(m, "AllowedCPUs", s->cpuset_cpus);
        return r < 0 ? r : append_cpuset(m, "AllowedMemoryNodes", s->cpuset_mems);
}

static int append_exec(sd_bus_message *m, const char *name, char *const *argv) {
        int r;

        if (!argv)
                return 0;
        r = sd_bus_message_open_container(m, 'r', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sasb)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'r', "sasb");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", argv[0]);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) argv);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", 0);
        for (int i = 0; i < 4 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_restart(sd_bus_message *m, const TransientUnit *unit) {
        int r;

        if (!unit->restart || str_equal(unit->restart, "no"))
                return 0;
        r = sd_bus_message_append(m, "(sv)(sv)", "Restart", "s", unit->restart, "RestartUSec", "t", (uint64_t) 100000);
        /* a limit counts all starts of the unit's life; without one systemd's own rate limit is off */
        if (r >= 0)
                r = sd_bus_message_append(m, "(sv)", "StartLimitIntervalUSec", "t",
                                          unit->restart_limit ? UINT64_MAX - 1 : (uint64_t) 0);
        if (r >= 0 && unit->restart_limit)
                r = sd_bus_message_append(m, "(sv)", "StartLimitBurst", "u", unit->restart_limit + 1);
        if (r >= 0 && unit->restart_prevent_status)
                r = sd_bus_message_append(m, "(sv)", "RestartPreventExitStatus", "(aiai)", 1, unit->restart_prevent_status, 0);
        return r;
}

static int append_service(sd_bus_message *m, const TransientUnit *unit) {
        int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Type", "s", "notify", "NotifyAccess", "s", "all", "KillMode", "s",
                                      "mixed", "OOMPolicy", "s", "continue");

        if (r >= 0)
                r = append_exec(m, "ExecStart", unit->exec_start);
        if (r >= 0)
                r = append_exec(m, "ExecStop", unit->exec_stop);
        if (r >= 0)
                r = append_exec(m, "ExecStopPost", unit->exec_stop_post);
        if (r >= 0)
                r = append_restart(m, unit);
        if (r >= 0)
                r = append_u64(m, /* wanted= */ true, "TimeoutStopUSec", unit->stop_timeout_usec);
        if (r >= 0)
                r = append_u64(m, /* wanted= */ true, "TimeoutStartUSec", UINT64_MAX);
        if (r >= 0 && unit->environment) {
                r = sd_bus_message_open_container(m, 'r', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", "Environment");
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', "as");
                if (r >= 0)
                        r = sd_bus_message_append_strv(m, (char **) unit->environment);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r;
}

static int append_unit(sd_bus_message *m, const TransientUnit *unit) {
        int r = sd_bus_message_append(m, "ss", unit->name, "fail");

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = append_string(m, "Description", unit->description);
        if (r >= 0)
                r = append_string(m, "Slice", unit->slice);
        if (r >= 0)
                r = append_string(m, "CollectMode", "inactive-or-failed");
        if (r >= 0)
                r = sd_bus_message_append(m, "(sv)", "Delegate", "b", 1);
        if (r >= 0 && unit->limits)
                r = append_limits(m, unit->limits);
        if (r >= 0 && unit->pid > 0)
                r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t) unit->pid);
        if (r >= 0 && unit->exec_start)
                r = append_service(m, unit);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
}

int manager_start_transient(Manager *manager, const TransientUnit *unit, char **ret_job, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *job;

        /* job signals only come to those who subscribed */
        int r = sd_bus_call_method_async(manager->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL, NULL, NULL);
        if (r >= 0)
                r = sd_bus_message_new_method_call(manager->bus, &m, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "StartTransientUnit");
        if (r >= 0)
                r = append_unit(m, unit);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot describe the unit '%s' to systemd", unit->name);
        r = sd_bus_call(manager->bus, m, 0, &error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job);
        if (r < 0)
                return explain(r, &error, "start the unit", unit->name, reterr);
        return (*ret_job = strdup(job)) ? 0 : error_oom(reterr);
}

/* 1 and the result if the message says that this job was removed. */
static int is_job_end(sd_bus_message *m, const char *job, char **ret_result) {
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_is_signal(m, MANAGER_INTERFACE, "JobRemoved") <= 0)
                return 0;
        int r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);
        if (r < 0)
                return r;
        if (!str_equal(path, job))
                return 0;
        return (*ret_result = strdup(result)) ? 1 : -ENOMEM;
}

int manager_wait_job(Manager *manager, const char *job, char **ret_result, Error *reterr) {
        for (;;) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                int r = sd_bus_process(manager->bus, &m);

                if (r >= 0 && m)
                        r = is_job_end(m, job, ret_result);
                else if (r == 0)
                        r = sd_bus_wait(manager->bus, UINT64_MAX) < 0 ? -EIO : 0;
                else if (r > 0)
                        r = 0;
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot wait for systemd");
                if (r > 0)
                        return 0;
        }
}

/* Calls StartUnit or StopUnit and waits for the job; *ret_result is its result. */
static int run_unit_job(Manager *manager, const char *method, const char *what, const char *unit, char **ret_result, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *job = NULL;
        const char *path;

        int r = sd_bus_call_method_async(manager->bus, NULL, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL, NULL, NULL);
        if (r >= 0)
                r = sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, method, &error, &reply, "ss", unit,
                                       "replace");
        if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
                return -ENOENT;
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return explain(r, &error, what, unit, reterr);
        job = strdup(path);
        return job ? manager_wait_job(manager, job, ret_result, reterr) : error_oom(reterr);
}

int manager_start_unit(Manager *manager, const char *unit, Error *reterr) {
        _cleanup_free_ char *result = NULL;
        int r = run_unit_job(manager, "StartUnit", "start the unit", unit, &result, reterr);

        if (r >= 0 && !str_equal(result, "done"))
                r = error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the unit '%s': %s", unit, result);
        return r;
}

int manager_stop_unit(Manager *manager, const char *unit, Error *reterr) {
        _cleanup_free_ char *result = NULL;
        int r = run_unit_job(manager, "StopUnit", "stop the unit", unit, &result, reterr);

        return r == -ENOENT ? 0 : r;
}

void manager_reset_failed(Manager *manager, const char *unit) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "ResetFailedUnit", &error, NULL, "s", unit);
}

int manager_attach(Manager *manager, const char *unit, const char *sub_cgroup, pid_t pid, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        int r = sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "AttachProcessesToUnit", &error, NULL,
                                   "ssau", unit, sub_cgroup, 1, (uint32_t) pid);
        return r < 0 ? explain(r, &error, "put a process into the unit", unit, reterr) : 0;
}

static int get_int(Manager *manager, const char *path, const char *name, int *ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        return sd_bus_get_property_trivial(manager->bus, DESTINATION, path, "org.freedesktop.systemd1.Service", name, &error, 'i', ret);
}

int manager_main_exit(Manager *manager, const char *unit, int *ret_code, int *ret_status, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;

        int r = sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, "GetUnit", &error, &reply, "s", unit);
        if (r < 0)
                return sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit")
                               ? -ENODATA
                               : explain(r, &error, "ask systemd for the unit", unit, reterr);
        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = get_int(manager, path, "ExecMainCode", ret_code);
        if (r >= 0)
                r = get_int(manager, path, "ExecMainStatus", ret_status);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask systemd for the exit of '%s'", unit);
        return *ret_code == 0 ? -ENODATA : 0;
}
