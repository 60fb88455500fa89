/* SPDX-License-Identifier: Apache-2.0 */
/* The user's systemd manager over D-Bus. */
#include "cgroup/manager.h"

#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

static char *socket_path(void) {
        _cleanup_free_ char *runtime = path_user_runtime();

        return runtime ? str_format("%s/systemd/private", runtime) : NULL;
}

bool manager_is_there(void) {
        _cleanup_free_ char *path = socket_path();

        return path && access(path, W_OK) == 0;
}

void manager_done(Manager *manager) {
        bus_done(&manager->bus);
}

static int connect_to(const char *path, Manager *ret, Error *reterr) {
        if (!path)
                return error_oom(reterr);
        int r = bus_connect(path, &ret->bus);
        if (r == -ENOENT || r == -ECONNREFUSED || r == -EACCES)
                return -ENOENT;
        return r < 0 ? error_set_errno(reterr, r, "cannot talk to systemd") : 0;
}

int manager_connect(Manager *ret, Error *reterr) {
        _cleanup_free_ char *path = socket_path();

        return connect_to(path, ret, reterr);
}

int manager_connect_in(const char *runtime_dir, Manager *ret, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/systemd/private", runtime_dir);

        return connect_to(path, ret, reterr);
}

/* ---- asking ---- */

/* Names of errors that mean something to somebody; the others are told by their text. */
static const struct {
        const char *name;
        int code;
} error_names[] = {
        { "org.freedesktop.systemd1.NoSuchUnit", -ENOENT },
        { "org.freedesktop.systemd1.UnitExists", -EEXIST },
        { "org.freedesktop.systemd1.NoSuchProcess", -ESRCH },
        { "org.freedesktop.DBus.Error.AccessDenied", -EACCES },
        { "org.freedesktop.DBus.Error.InvalidArgs", -EINVAL },
        { "org.freedesktop.DBus.Error.UnknownMethod", -EOPNOTSUPP },
        { "org.freedesktop.DBus.Error.PropertyReadOnly", -EROFS },
        { "org.freedesktop.DBus.Error.NoMemory", -ENOMEM },
};

static int error_code(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(error_names); i++)
                if (str_equal(error_names[i].name, name))
                        return error_names[i].code;
        return -EIO;
}

/* A call to `path`; `what` and `subject` are for the message. */
static int call(Manager *manager, const BusCall *c, const char *what, const char *subject, BusMessage *ret, Error *reterr) {
        const char *text = NULL;
        int r = bus_call(&manager->bus, c, ret);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot %s '%s'", what, subject);
        if (ret->type != BUS_ERROR)
                return 0;
        r = error_code(ret->error_name);
        if (*ret->signature != 's' || bus_get_string(ret, &text) < 0 || !*text)
                text = ret->error_name;
        return error_set(reterr, r, error_kind_from_errno(r), "cannot %s '%s': %s", what, subject, text);
}

static BusCall manager_method(const char *member, const char *signature, const BusBody *body) {
        return (BusCall){ DESTINATION, MANAGER_PATH, MANAGER_INTERFACE, member, signature, body };
}

static int bad_answer(const char *what, const char *subject, Error *reterr) {
        return error_set(reterr, -EBADMSG, ERROR_INTERNAL, "cannot %s '%s': systemd's answer cannot be understood", what, subject);
}

/* A property of the type `signature`; the message is at its value. */
static int get_property(Manager *manager, const char *path, const char *interface, const char *name, const char *signature,
                        BusMessage *ret, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        const char *type;

        bus_put_string(&body, interface);
        bus_put_string(&body, name);
        const BusCall c = { DESTINATION, path, "org.freedesktop.DBus.Properties", "Get", "ss", &body };
        int r = call(manager, &c, "ask systemd for", name, ret, reterr);
        if (r < 0)
                return r;
        return str_equal(ret->signature, "v") && bus_get_signature(ret, &type) >= 0 && str_equal(type, signature)
                       ? 0
                       : bad_answer("ask systemd for", name, reterr);
}

int manager_controllers(Manager *manager, char ***ret, Error *reterr) {
        BusMessage answer;
        const char *path;

        int r = get_property(manager, MANAGER_PATH, MANAGER_INTERFACE, "ControlGroup", "s", &answer, reterr);
        if (r < 0)
                return r;
        if (bus_get_string(&answer, &path) < 0)
                return bad_answer("ask systemd for", "ControlGroup", reterr);
        _cleanup_fd_ int fd = cgroup_open(str_empty(path) ? "/" : path, reterr);
        if (fd < 0)
                return fd;
        r = cgroup_controllers(fd, ret);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the controllers of '%s'", path) : 0;
}

/* ---- a transient unit's properties: an array of (sv) ---- */

static void put_name(BusBody *b, const char *name, const char *signature) {
        bus_put_struct(b);
        bus_put_string(b, name);
        bus_put_signature(b, signature);
}

static void put_string(BusBody *b, const char *name, const char *value) {
        if (!value)
                return;
        put_name(b, name, "s");
        bus_put_string(b, value);
}

static void put_u64(BusBody *b, bool wanted, const char *name, uint64_t value) {
        if (!wanted)
                return;
        put_name(b, name, "t");
        bus_put_u64(b, value);
}

/* "0-3,5" as the little-endian bit mask that AllowedCPUs= travels as. The words were validated when they were parsed. */
static void put_cpuset(BusBody *b, const char *name, const char *set) {
        uint8_t mask[1024] = {};
        size_t used = 0;

        if (!set)
                return;
        for (const char *p = set; *p;) {
                char *end;
                unsigned long first = strtoul(p, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

                if (end == p || last >= sizeof(mask) * 8 || first > last) {
                        b->failed = true;
                        return;
                }
                for (unsigned long i = first; i <= last; i++)
                        mask[i / 8] |= (uint8_t) (1U << (i % 8));
                used = MAX(used, (size_t) last / 8 + 1);
                p = *end == ',' ? end + 1 : end;
        }
        put_name(b, name, "ay");
        BusArray array = bus_array_begin(b, 1);
        for (size_t i = 0; i < used; i++)
                bus_put_u8(b, mask[i]);
        bus_array_end(b, array);
}

/* [(device, value)] of one of the IO properties. */
static void put_devices(BusBody *b, const char *name, const ContainerDeviceLimit *limits, size_t n, bool weights) {
        if (n == 0)
                return;
        put_name(b, name, "a(st)");
        BusArray array = bus_array_begin(b, 8);
        for (size_t i = 0; i < n; i++) {
                bus_put_struct(b);
                bus_put_string(b, limits[i].path);
                bus_put_u64(b, weights ? limits_io_weight(limits[i].value) : limits[i].value);
        }
        bus_array_end(b, array);
}

static void put_io(BusBody *b, const ContainerResources *r) {
        put_u64(b, r->blkio_weight > 0, "IOWeight", limits_io_weight(r->blkio_weight));
        put_devices(b, "IODeviceWeight", r->weight_devices, r->n_weight_devices, /* weights= */ true);
        put_devices(b, "IOReadBandwidthMax", r->read_bps, r->n_read_bps, /* weights= */ false);
        put_devices(b, "IOWriteBandwidthMax", r->write_bps, r->n_write_bps, /* weights= */ false);
        put_devices(b, "IOReadIOPSMax", r->read_iops, r->n_read_iops, /* weights= */ false);
        put_devices(b, "IOWriteIOPSMax", r->write_iops, r->n_write_iops, /* weights= */ false);
}

static void put_limits(BusBody *b, const LimitSettings *s) {
        put_u64(b, s->has_memory_max, "MemoryMax", s->memory_max);
        put_u64(b, s->has_swap_max, "MemorySwapMax", s->swap_max);
        put_u64(b, s->has_memory_low, "MemoryLow", s->memory_low);
        put_u64(b, s->has_cpu_weight, "CPUWeight", s->cpu_weight);
        put_u64(b, s->has_tasks_max, "TasksMax", s->tasks_max);
        put_u64(b, s->has_cpu_quota, "CPUQuotaPeriodUSec", s->cpu_period_usec);
        if (s->has_cpu_quota) /* the property is per second of wall time */
                put_u64(b, true, "CPUQuotaPerSecUSec",
                        s->cpu_quota_usec == UINT64_MAX ? UINT64_MAX : s->cpu_quota_usec * 1000000 / s->cpu_period_usec);
        put_cpuset(b, "AllowedCPUs", s->cpuset_cpus);
        put_cpuset(b, "AllowedMemoryNodes", s->cpuset_mems);
        if (s->resources)
                put_io(b, s->resources);
}

static void put_exec(BusBody *b, const char *name, char *const *argv) {
        if (!argv)
                return;
        put_name(b, name, "a(sasb)");
        BusArray array = bus_array_begin(b, 8);
        bus_put_struct(b);
        bus_put_string(b, argv[0]);
        bus_put_strings(b, argv);
        bus_put_u32(b, 0); /* a failure counts */
        bus_array_end(b, array);
}

static void put_restart(BusBody *b, const TransientUnit *unit) {
        if (!unit->restart || str_equal(unit->restart, "no"))
                return;
        put_string(b, "Restart", unit->restart);
        put_u64(b, true, "RestartUSec", MANAGER_RESTART_USEC);
        /* a limit counts all starts of the unit's life; without one systemd's own rate limit is off */
        put_u64(b, true, "StartLimitIntervalUSec", unit->restart_limit ? UINT64_MAX - 1 : 0);
        if (unit->restart_limit) {
                put_name(b, "StartLimitBurst", "u");
                bus_put_u32(b, unit->restart_limit + 1);
        }
        if (unit->restart_prevent_status) {
                put_name(b, "RestartPreventExitStatus", "(aiai)");
                bus_put_struct(b);
                BusArray statuses = bus_array_begin(b, 4);
                bus_put_u32(b, (uint32_t) unit->restart_prevent_status);
                bus_array_end(b, statuses);
                bus_array_end(b, bus_array_begin(b, 4)); /* signals */
        }
}

static void put_service(BusBody *b, const TransientUnit *unit) {
        put_string(b, "Type", "notify");
        put_string(b, "NotifyAccess", "all");
        put_string(b, "KillMode", "mixed");
        put_string(b, "OOMPolicy", "continue");
        put_exec(b, "ExecStart", unit->exec_start);
        put_exec(b, "ExecStop", unit->exec_stop);
        put_exec(b, "ExecStopPost", unit->exec_stop_post);
        put_restart(b, unit);
        put_u64(b, true, "TimeoutStopUSec", unit->stop_timeout_usec);
        put_u64(b, true, "TimeoutStartUSec", UINT64_MAX);
        if (unit->fd_store_max > 0) {
                put_name(b, "FileDescriptorStoreMax", "u");
                bus_put_u32(b, unit->fd_store_max);
        }
        if (unit->environment) {
                put_name(b, "Environment", "as");
                bus_put_strings(b, unit->environment);
        }
}

/* The body of StartTransientUnit, "ssa(sv)a(sa(sv))". */
static void put_unit(BusBody *b, const TransientUnit *unit) {
        bus_put_string(b, unit->name);
        bus_put_string(b, "fail");
        BusArray properties = bus_array_begin(b, 8);
        put_string(b, "Description", unit->description);
        put_string(b, "Slice", unit->slice);
        if (!str_has_suffix(unit->name, ".slice")) { /* what is in a slice is systemd's */
                put_string(b, "CollectMode", "inactive-or-failed");
                put_name(b, "Delegate", "b");
                bus_put_u32(b, 1);
        }
        if (unit->limits)
                put_limits(b, unit->limits);
        if (unit->pid > 0) {
                put_name(b, "PIDs", "au");
                BusArray pids = bus_array_begin(b, 4);
                bus_put_u32(b, (uint32_t) unit->pid);
                bus_array_end(b, pids);
        }
        if (unit->exec_start)
                put_service(b, unit);
        bus_array_end(b, properties);
        bus_array_end(b, bus_array_begin(b, 8)); /* no further units */
}

/* ---- jobs ---- */

static int take_job(BusMessage *answer, const char *what, const char *unit, char **ret, Error *reterr) {
        const char *job;

        if (!str_equal(answer->signature, "o") || bus_get_string(answer, &job) < 0)
                return bad_answer(what, unit, reterr);
        return (*ret = strdup(job)) ? 0 : error_oom(reterr);
}

int manager_start_transient(Manager *manager, const TransientUnit *unit, char **ret_job, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        put_unit(&body, unit);
        const BusCall c = manager_method("StartTransientUnit", "ssa(sv)a(sa(sv))", &body);
        int r = call(manager, &c, "start the unit", unit->name, &answer, reterr);
        return r < 0 ? r : take_job(&answer, "start the unit", unit->name, ret_job, reterr);
}

int manager_start_with(Manager *manager, const char *unit, ManagerPut *put, const void *userdata, char **ret_job, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        bus_put_string(&body, unit);
        bus_put_string(&body, "fail");
        BusArray properties = bus_array_begin(&body, 8);
        put(&body, userdata);
        bus_array_end(&body, properties);
        bus_array_end(&body, bus_array_begin(&body, 8)); /* no further units */
        const BusCall c = manager_method("StartTransientUnit", "ssa(sv)a(sa(sv))", &body);
        int r = call(manager, &c, "start the unit", unit, &answer, reterr);
        return r < 0 ? r : take_job(&answer, "start the unit", unit, ret_job, reterr);
}

/* 1 and the result if the message says that this job was removed. Those who are connected directly get all signals, without
 * a Subscribe. */
static int is_job_end(BusMessage *m, const char *job, char **ret_result) {
        const char *path, *unit, *result;
        uint32_t id;

        if (m->type != BUS_SIGNAL || !str_equal(m->interface, MANAGER_INTERFACE) || !str_equal(m->member, "JobRemoved"))
                return 0;
        if (!str_equal(m->signature, "uoss") || bus_get_u32(m, &id) < 0 || bus_get_string(m, &path) < 0 ||
            bus_get_string(m, &unit) < 0 || bus_get_string(m, &result) < 0)
                return -EBADMSG;
        if (!str_equal(path, job))
                return 0;
        return (*ret_result = strdup(result)) ? 1 : -ENOMEM;
}

int manager_wait_job(Manager *manager, const char *job, char **ret_result, Error *reterr) {
        for (;;) {
                BusMessage m;
                int r = bus_receive(&manager->bus, &m);

                if (r >= 0)
                        r = is_job_end(&m, job, ret_result);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot wait for systemd");
                if (r > 0)
                        return 0;
        }
}

/* Calls StartUnit or StopUnit and waits for the job; *ret_result is its result. */
static int run_unit_job(Manager *manager, const char *method, const char *what, const char *unit, char **ret_result, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        _cleanup_free_ char *job = NULL;
        BusMessage answer;

        bus_put_string(&body, unit);
        bus_put_string(&body, "replace");
        const BusCall c = manager_method(method, "ss", &body);
        int r = call(manager, &c, what, unit, &answer, reterr);
        if (r >= 0)
                r = take_job(&answer, what, unit, &job, reterr);
        return r < 0 ? r : manager_wait_job(manager, job, ret_result, reterr);
}

static int bring_up(Manager *manager, const char *method, const char *what, const char *unit, Error *reterr) {
        _cleanup_free_ char *result = NULL;
        int r = run_unit_job(manager, method, what, unit, &result, reterr);

        if (r >= 0 && !str_equal(result, "done"))
                r = error_set(reterr, str_equal(result, "canceled") ? -ECANCELED : -EIO, ERROR_INTERNAL, "cannot %s '%s': %s", what, unit, result);
        return r;
}

int manager_start_unit(Manager *manager, const char *unit, Error *reterr) {
        return bring_up(manager, "StartUnit", "start the unit", unit, reterr);
}

int manager_restart_unit(Manager *manager, const char *unit, Error *reterr) {
        return bring_up(manager, "RestartUnit", "restart the unit", unit, reterr);
}

int manager_stop_unit(Manager *manager, const char *unit, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *result = NULL;
        int r = run_unit_job(manager, "StopUnit", "stop the unit", unit, &result, &error);

        return r >= 0 || r == -ENOENT ? 0 : error_move(reterr, &error);
}

void manager_reset_failed(Manager *manager, const char *unit) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        bus_put_string(&body, unit);
        const BusCall c = manager_method("ResetFailedUnit", "s", &body);
        (void) call(manager, &c, "reset the unit", unit, &answer, /* reterr= */ NULL);
}

int manager_set_limits(Manager *manager, const char *unit, const LimitSettings *limits, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        bus_put_string(&body, unit);
        bus_put_u32(&body, 1); /* at run time only */
        BusArray properties = bus_array_begin(&body, 8);
        put_limits(&body, limits);
        bus_array_end(&body, properties);
        const BusCall c = manager_method("SetUnitProperties", "sba(sv)", &body);
        return call(manager, &c, "change the limits of", unit, &answer, reterr);
}

int manager_set_properties(Manager *manager, const char *unit, ManagerPut *put, const void *userdata, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        bus_put_string(&body, unit);
        bus_put_u32(&body, 1); /* at run time only */
        BusArray properties = bus_array_begin(&body, 8);
        put(&body, userdata);
        bus_array_end(&body, properties);
        const BusCall c = manager_method("SetUnitProperties", "sba(sv)", &body);
        return call(manager, &c, "change the properties of", unit, &answer, reterr);
}

int manager_reload(Manager *manager, Error *reterr) {
        BusMessage answer;
        const BusCall c = manager_method("Reload", NULL, NULL);

        return call(manager, &c, "have systemd read", "its unit files", &answer, reterr);
}

void manager_units_free(ManagerUnit *units, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(units[i].name);
                free(units[i].load_state);
                free(units[i].active_state);
                free(units[i].sub_state);
        }
        free(units);
}

/* One of the structs "(ssssssouso)". */
static int take_unit(BusMessage *m, ManagerUnit *ret) {
        const char *words[9];
        uint32_t job;
        int r = bus_get_struct(m);

        for (size_t i = 0; i < ELEMENTSOF(words) && r >= 0; i++) {
                r = bus_get_string(m, &words[i]);
                if (r >= 0 && i == 6)
                        r = bus_get_u32(m, &job);
        }
        if (r < 0)
                return r;
        *ret = (ManagerUnit){ strdup(words[0]), strdup(words[2]), strdup(words[3]), strdup(words[4]) };
        return ret->name && ret->load_state && ret->active_state && ret->sub_state ? 0 : -ENOMEM;
}

int manager_list_units(Manager *manager, char *const *names, bool patterns, ManagerUnit **ret, size_t *ret_n, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        ManagerUnit *units = NULL;
        BusMessage answer;
        uint32_t size;
        size_t n = 0;

        if (patterns)
                bus_put_strings(&body, NULL); /* in any state */
        bus_put_strings(&body, names);
        const BusCall c = manager_method(patterns ? "ListUnitsByPatterns" : "ListUnitsByNames", patterns ? "asas" : "as", &body);
        int r = call(manager, &c, "ask systemd for", "the state of units", &answer, reterr);
        if (r < 0)
                return r;
        r = str_equal(answer.signature, "a(ssssssouso)") ? bus_get_u32(&answer, &size) : -EBADMSG;
        if (r >= 0)
                r = bus_get_struct(&answer);
        for (size_t end = answer.position + (r >= 0 ? size : 0); r >= 0 && answer.position < end; ) {
                ManagerUnit *grown = realloc(units, (n + 1) * sizeof(*grown));

                r = grown ? 0 : -ENOMEM;
                if (grown) {
                        units = grown;
                        units[n] = (ManagerUnit){};
                        r = take_unit(&answer, &units[n++]);
                }
        }
        if (r < 0) {
                manager_units_free(units, n);
                return r == -ENOMEM ? error_oom(reterr) : bad_answer("ask systemd for", "the state of units", reterr);
        }
        *ret = units;
        *ret_n = n;
        return 0;
}

int manager_attach(Manager *manager, const char *unit, const char *sub_cgroup, pid_t pid, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        BusMessage answer;

        bus_put_string(&body, unit);
        bus_put_string(&body, sub_cgroup);
        BusArray pids = bus_array_begin(&body, 4);
        bus_put_u32(&body, (uint32_t) pid);
        bus_array_end(&body, pids);
        const BusCall c = manager_method("AttachProcessesToUnit", "ssau", &body);
        return call(manager, &c, "put a process into the unit", unit, &answer, reterr);
}

static int get_int(Manager *manager, const char *path, const char *name, int *ret, Error *reterr) {
        BusMessage answer;
        uint32_t value;
        int r = get_property(manager, path, "org.freedesktop.systemd1.Service", name, "i", &answer, reterr);

        if (r < 0)
                return r;
        if (bus_get_u32(&answer, &value) < 0)
                return bad_answer("ask systemd for", name, reterr);
        *ret = (int) value;
        return 0;
}

int manager_main_exit(Manager *manager, const char *unit, int *ret_code, int *ret_status, Error *reterr) {
        _cleanup_bus_body_ BusBody body = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        BusMessage answer;

        bus_put_string(&body, unit);
        const BusCall c = manager_method("GetUnit", "s", &body);
        int r = call(manager, &c, "ask systemd for the unit", unit, &answer, &error);
        if (r == -ENOENT)
                return -ENODATA;
        if (r < 0)
                return error_move(reterr, &error);
        r = take_job(&answer, "ask systemd for the unit", unit, &path, reterr); /* an object path as well */
        if (r >= 0)
                r = get_int(manager, path, "ExecMainCode", ret_code, reterr);
        if (r >= 0)
                r = get_int(manager, path, "ExecMainStatus", ret_status, reterr);
        if (r < 0)
                return r;
        return *ret_code == 0 ? -ENODATA : 0;
}
