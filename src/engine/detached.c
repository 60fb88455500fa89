/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the background.
 *
 * Theory of operation. Three ways, and which is when:
 *   in a unit        `sdpod run -d --sdnotify=...` as a service's ExecStart=: the container's init is cloned into the unit's own
 *                    cgroup, systemd is told MAINPID= and READY=1, and this command exits: systemd adopts and supervises the init.
 *   from a shell     a transient service whose ExecStart= is `sdpod __start ID`, which is the first way again; --restart is its
 *                    Restart=, its ExecStopPost= `sdpod __ended ID` records the exit.
 *   without systemd  sdpod-monitor --solo plays systemd's part for this one container: it runs the same `sdpod __start ID` with a
 *                    notify socket, adopts the init, and runs the same `sdpod __ended ID` at its end. */
#include "engine/detached.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/limits.h"
#include "cgroup/manager.h"
#include "cgroup/notify.h"
#include "engine/health.h"
#include "engine/internal-command.h"
#include "engine/linger.h"
#include "engine/output.h"
#include "engine/pod.h"
#include "engine/remove.h"
#include "engine/start.h"
#include "engine/stop.h"
#include "monitor/restart-policy.h"

enum {
        EXIT_NO_RESTART = 213,           /* RestartPreventExitStatus= of the transient service */
        BARRIER_TIMEOUT_USEC = 90000000, /* systemd's own patience with a start; at a boot it may be long in coming to a message */
        TRANSIENT_TRIES_MAX = 10,        /* of a start while other commands start and stop the same unit */
        STOP_TIMEOUT_SPARE_SEC = 15,     /* systemd's patience beyond the container's own stop timeout */
};

/* In the runtime directory: present from the first successful start of a unit on, so that a later failure is retried. */
#define STARTED_MARK "unit-started"
#define ERROR_FILE "start-error.json"

bool engine_is_in_unit(const ContainerConfig *config) {
        return str_equal(config->cgroups, "split") || (config->notify_socket && !str_equal(config->sdnotify, "ignore"));
}

/* ---- the start inside a unit ---- */

typedef struct UnitStart {
        const Store *store;
        Output output;
        bool leaves_error; /* for the command that waits for the unit */
        bool told;         /* systemd has the init for the main process */
} UnitStart;

static const char *notify_socket(const ContainerConfig *config) {
        if (str_equal(config->sdnotify, "ignore"))
                return NULL;
        return config->notify_socket ?: getenv("NOTIFY_SOCKET");
}

/* Who says that it is ready: the payload itself, where the unit's maker wants that (podman-run(1), --sdnotify); the socket is
 * in the container then. A transient service of ours was not asked for by anybody, and is ready when the container runs. */
static bool payload_says_ready(const ContainerConfig *config) {
        return config->notify_socket && (!config->sdnotify || str_equal(config->sdnotify, "container"));
}

/* systemd must know the init as its main process before the program runs: one that ends at once would be a zombie when the
 * message is read, which systemd refuses, and its exit status would be lost. */
static int tell_main_pid(const ContainerConfig *config, pid_t pid, Error *reterr) {
        const char *socket = notify_socket(config);

        if (!socket)
                return 0;
        if (setenv("NOTIFY_SOCKET", socket, /* overwrite= */ 1) < 0)
                return error_oom(reterr);
        _cleanup_free_ char *text = str_format("MAINPID=%d", (int) pid);
        int r = text ? notify_send(text) : -ENOMEM;
        if (r > 0)
                r = notify_barrier(BARRIER_TIMEOUT_USEC);
        return r < 0 ? error_set_errno(reterr, r, "cannot tell systemd the container's process") : 0;
}

static int unit_created(Container *container, Proc *proc, void *data, Error *reterr) {
        UnitStart *unit = data;
        int r = output_hand_over(container, proc, &unit->output, reterr);

        if (r >= 0)
                r = tell_main_pid(&container->config, proc->pid, reterr);
        unit->told = r >= 0;
        return r;
}

/* At once: for systemd a program that has ended before this was said has failed to start. */
static void unit_started(const Container *container, _unused_ void *data) {
        const ContainerConfig *config = &container->config;

        if (notify_socket(config) && !payload_says_ready(config) && !str_equal(config->sdnotify, "healthy"))
                (void) notify_send("READY=1"); /* systemd has just answered on this socket */
}

static int leave_error(const Store *store, Container *container, const Error *error) {
        _cleanup_json_ json_t *json = json_object();
        int fd = container_runtime_fd(store, container, /* reterr= */ NULL);

        if (fd < 0 || json_object_set_new(json, "code", json_integer(error->code)) < 0 ||
            json_object_set_new(json, "kind", json_string(error_kind_to_string(error->kind))) < 0 ||
            json_object_set_new(json, "message", json_text(error->message ?: strerror(-error->code))) < 0 ||
            (error->hint && json_object_set_new(json, "hint", json_text(error->hint)) < 0))
                return -ENOMEM;
        return json_write(fd, ERROR_FILE, json, 0600, FILE_VOLATILE, /* reterr= */ NULL);
}

/* The init waits until this has returned. When a main process ends systemd kills what else is in the unit: this command is that again, to
 * live until it has said why. */
static void unit_failed(Container *container, const Error *error, void *data) {
        const UnitStart *unit = data;

        if (unit->leaves_error)
                (void) leave_error(unit->store, container, error); /* without it the command says less */
        else if (unit->told)
                (void) tell_main_pid(&container->config, getpid(), /* reterr= */ NULL);
}

/* --sdnotify=healthy: the unit is ready once a check has passed; until then this command makes them. */
static int watch_health(const Store *store, Container *container, const DetachedOptions *options, Error *reterr) {
        if (str_equal(container->config.sdnotify, "healthy")) {
                int r = health_wait(store, container, /* until_healthy= */ true, reterr);

                if (r == 0)
                        return error_set(reterr, -ESRCH, ERROR_STATE, "container '%s' has ended before it was healthy", container->config.name);
                if (r < 0)
                        return r;
        }
        return health_schedule(store, container, options->storage_driver, /* by_timer= */ true, reterr);
}

static int start_here(const Store *store, Container *container, const DetachedOptions *options, bool leaves_error,
                      int failure_exit_status, Error *reterr) {
        UnitStart unit = { .store = store, .output = OUTPUT_NULL, .leaves_error = leaves_error };
        _cleanup_proc_ Proc proc = PROC_NULL;
        int listen_fds = notify_listen_fds();
        StartOptions start = {
                .place = str_equal(container->config.cgroups, "disabled") ? START_NOWHERE : START_IN_UNIT,
                .storage_driver = options->storage_driver,
                .orphan = true, /* systemd warns of a main process that is not its child */
                .created = unit_created,
                .started = unit_started,
                .failed = unit_failed,
                .failure_exit_status = failure_exit_status,
                .data = &unit,
                .listen_fds = MAX(listen_fds, 0),
                .kept_fds = options->kept_fds,
                .n_kept_fds = options->n_kept_fds,
        };

        int r = output_prepare(store, container, &unit.output, reterr);
        if (r >= 0) {
                memcpy(start.stdio, unit.output.pipes.theirs, sizeof(start.stdio));
                r = engine_start_here(store, container, &start, &proc, reterr);
        } else
                unit_failed(container, reterr, &unit);
        output_done(&unit.output);
        if (r >= 0)
                r = watch_health(store, container, options, reterr);
        if (r >= 0 && notify_socket(&container->config) && str_equal(container->config.sdnotify, "healthy") &&
            (r = notify_send("READY=1")) < 0)
                r = error_set_errno(reterr, r, "cannot tell systemd that the container has started");
        return r;
}

int engine_start_in_unit(const Store *store, Container *container, const DetachedOptions *options, Error *reterr) {
        int r = start_here(store, container, options, /* leaves_error= */ false, /* failure_exit_status= */ 0, reterr);

        container_unlock(container);
        return r;
}

int engine_restart_in_unit(Container *container, const int64_t *timeout, Error *reterr) {
        _cleanup_free_ char *unit = strdup(container->process.unit);
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int r = unit ? manager_connect(&manager, reterr) : error_oom(reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_UNSUPPORTED, "cannot restart the unit '%s': there is no systemd manager to ask", unit);
        if (r >= 0 && timeout)
                r = engine_stop_process(container, *timeout, reterr);
        return r < 0 ? r : manager_restart_unit(&manager, unit, reterr);
}

/* ---- the transient service ---- */

/* The error that a start elsewhere left; 0: none. */
static int fetch_error(int runtime_fd, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        if (json_read(runtime_fd, ERROR_FILE, 65536, &json, /* reterr= */ NULL) < 0)
                return 0;
        (void) unlinkat(runtime_fd, ERROR_FILE, 0);
        int code = (int) json_get_integer(json, "code", -EIO);
        code = code < 0 ? code : -EIO;
        (void) error_set(reterr, code, error_kind_from_string(json_get_string(json, "kind")), "%s", json_get_string(json, "message") ?: "");
        if (json_get_string(json, "hint"))
                error_hint(reterr, "%s", json_get_string(json, "hint"));
        return code;
}

/* Until the time is over, or somebody starts the container, which takes the mark away. */
static void wait_while_marked(int runtime_fd, uint64_t usec) {
        _cleanup_fd_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        struct pollfd poll_fd = { .fd = watch, .events = POLLIN };
        uint64_t end = time_monotonic_usec() + usec, now;
        char path[64], events[4096];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", runtime_fd);
        if (watch >= 0)
                (void) inotify_add_watch(watch, path, IN_DELETE); /* without it the time counts alone */
        while (faccessat(runtime_fd, STARTED_MARK, F_OK, 0) == 0 && (now = time_monotonic_usec()) < end) {
                (void) poll(&poll_fd, 1, (int) ((end - now) / 1000) + 1);
                (void) !read(watch, events, sizeof(events));
        }
}

/* systemd starts it again after a tenth of a second each time (before version 254 it knows no other way). One that ends again and
 * again waits longer and longer here; whoever stops the unit ends this. The mark has the wait before. */
static void back_off(const Store *store, Container *container) {
        int runtime_fd = container_runtime_fd(store, container, /* reterr= */ NULL);
        const ContainerState *state = &container->state;
        _cleanup_free_ char *text = NULL, *next = NULL;
        struct stat mark;
        uint64_t before = 0, ran = state->finished_usec > state->started_usec ? (uint64_t) (state->finished_usec - state->started_usec) : 0;

        if (runtime_fd < 0 || fstatat(runtime_fd, STARTED_MARK, &mark, AT_SYMLINK_NOFOLLOW) < 0 ||
            file_read(runtime_fd, STARTED_MARK, 64, &text, /* ret_size= */ NULL) < 0)
                return;
        (void) parse_u64(text, &before);
        /* the start after the wait before has failed: the run on record was earlier */
        if (state->finished_usec > 0 && (int64_t) mark.st_mtim.tv_sec * 1000000 + mark.st_mtim.tv_nsec / 1000 > state->finished_usec)
                ran = 0;
        uint64_t delay = restart_policy_delay(before, ran);
        next = str_format("%" PRIu64, delay);
        if (next)
                (void) file_write_atomic(runtime_fd, STARTED_MARK, next, strlen(next), 0600, FILE_VOLATILE);
        if (delay > MANAGER_RESTART_USEC)
                wait_while_marked(runtime_fd, delay - MANAGER_RESTART_USEC);
}

int engine_unit_start(const Store *store, const char *id, const DetachedOptions *options, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        int r = container_load(store, id, &container, reterr);

        if (r >= 0)
                back_off(store, &container);
        if (r >= 0)
                r = engine_pod_start_infra(store, &container.config, options, reterr);
        if (r >= 0)
                r = container_lock(store, &container, reterr);
        if (r < 0)
                return r == -ENOENT ? EXIT_NO_RESTART : r;
        int runtime_fd = container_runtime_fd(store, &container, reterr);
        if (runtime_fd < 0)
                return runtime_fd;
        bool again = faccessat(runtime_fd, STARTED_MARK, F_OK, 0) == 0;
        if (again && container.state.stopped_by_user)
                return EXIT_NO_RESTART;
        if (container.pidfd >= 0)
                return error_set(reterr, -EALREADY, ERROR_STATE, "cannot start container '%s': it is running", container.config.name);
        if (again)
                container.state.restart_count++;
        r = start_here(store, &container, options, /* leaves_error= */ true, again ? 0 : EXIT_NO_RESTART, reterr);
        if (r < 0)
                return again ? r : EXIT_NO_RESTART;
        r = again ? 0 : file_write_atomic(runtime_fd, STARTED_MARK, "0", 1, 0600, FILE_VOLATILE);
        if (r < 0)
                log_warning("cannot note that container '%s' has started: %s", container.config.name, strerror(-r));
        return 0;
}

typedef struct UnitCommands {
        char **start, **stop, **ended;
} UnitCommands;

static void unit_commands_done(UnitCommands *commands) {
        strv_free(commands->start);
        strv_free(commands->stop);
        strv_free(commands->ended);
}

static const char *restart_word(const char *policy) {
        if (str_equal(policy, "always") || str_equal(policy, "unless-stopped"))
                return "always";
        return str_equal(policy, "on-failure") ? "on-failure" : "no";
}

/* As put_restart() of cgroup/manager.c says it of a unit that is made. */
int engine_change_restart(const Container *container, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *text = NULL;

        if (container->pidfd < 0 || (!container->state.unit && !container->process.unit))
                return 0;
        if (!container->state.unit)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "its unit '%s' decides when it is started again",
                                 container->process.unit);
        text = str_format("[Unit]\nStartLimitIntervalSec=%s\nStartLimitBurst=%u\n\n"
                          "[Service]\nRestart=%s\nRestartSec=100ms\nRestartPreventExitStatus=%d\n",
                          config->restart_retries ? "infinity" : "0", config->restart_retries + 1,
                          restart_word(config->restart_policy), EXIT_NO_RESTART);
        if (!text)
                return error_oom(reterr);
        int r = manager_connect(&manager, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_UNSUPPORTED, "there is no systemd manager of this user to ask");
        if (r >= 0)
                r = manager_write_drop_in(container->state.unit, "50-sdpod-restart.conf", text, reterr);
        return r < 0 ? r : manager_reload(&manager, reterr);
}

static int run_transient(const Store *store, Container *container, const DetachedOptions *options, Manager *manager, const char *name,
                         Error *reterr) {
        __attribute__((cleanup(unit_commands_done))) UnitCommands commands = {};
        const ContainerConfig *config = &container->config;
        _cleanup_free_ char *description = str_format("sdpod container %s", config->name), *job = NULL, *result = NULL;
        _cleanup_strv_ char **controllers = NULL;
        bool spent = options->restarts > 0 && config->restart_retries == options->restarts;
        LimitSettings limits;

        int r = limits_resolve(&config->resources, /* with_default= */ true, &limits, reterr);
        if (r >= 0)
                r = manager_controllers(manager, &controllers, reterr);
        if (r >= 0)
                r = limits_check(&limits, controllers, reterr);
        if (r < 0)
                return r;
        if (!description || internal_command(store, options->storage_driver, "__start", config->id, &commands.start) < 0 ||
            internal_command(store, options->storage_driver, "__stop", config->id, &commands.stop) < 0 ||
            internal_command(store, options->storage_driver, "__ended", config->id, &commands.ended) < 0)
                return error_oom(reterr);
        const TransientUnit unit = {
                .name = name,
                .description = description,
                .slice = config->cgroup_parent,
                .limits = &limits,
                .exec_start = commands.start,
                .exec_stop = commands.stop,
                .exec_stop_post = commands.ended,
                .restart = spent ? "no" : restart_word(config->restart_policy),
                .restart_limit = config->restart_retries > options->restarts ? config->restart_retries - options->restarts : 0,
                .restart_prevent_status = EXIT_NO_RESTART,
                .stop_timeout_usec = config->stop_timeout < 0
                                             ? UINT64_MAX
                                             : ((uint64_t) config->stop_timeout + STOP_TIMEOUT_SPARE_SEC) * 1000000,
        };
        manager_reset_failed(manager, name);
        manager_remove_drop_ins(name); /* of an `update` of an earlier run: all is in the record now */
        r = manager_start_transient(manager, &unit, &job, reterr);
        for (unsigned tries = 0; r == -EEXIST && tries < TRANSIENT_TRIES_MAX; tries++) {
                /* another command's start or stop of it is on its way: ours comes after it */
                error_done(reterr);
                r = manager_start_unit(manager, name, reterr);
                if (r != -ENOENT)
                        return r;
                error_done(reterr); /* that was its end: the name is free again */
                r = manager_start_transient(manager, &unit, &job, reterr);
        }
        if (r >= 0)
                r = manager_wait_job(manager, job, &result, reterr);
        if (r < 0)
                return r;
        if (str_equal(result, "done"))
                return 0;
        return error_set(reterr, str_equal(result, "canceled") ? -ECANCELED : -EIO, ERROR_INTERNAL,
                         "cannot start container '%s': its unit ended with '%s'", config->name, result);
}

static bool is_gone(const Container *container) {
        return faccessat(container->dir_fd, "container.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* A start that systemd gave up, and that left no reason of its own: what another command did at the same time. */
static int explain_unit_end(const Store *store, Container *container, int code, Error *reterr) {
        if (is_gone(container))
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot start container '%s': it was removed meanwhile: no such container",
                                 container->config.name);
        if (code == -ECANCELED || (container_refresh(store, container, /* reterr= */ NULL) >= 0 && container->state.stopped_by_user))
                return error_set(reterr, -ECANCELED, ERROR_STATE, "cannot start container '%s': it was stopped meanwhile", container->config.name);
        if (container->pidfd >= 0)
                return error_set(reterr, -EALREADY, ERROR_STATE, "cannot start container '%s': it was started meanwhile", container->config.name);
        return code;
}

/* A program that ends sooner than systemd hears that it has started makes the unit fail, and yet it did run. */
static bool has_run_since(const Store *store, Container *container, int64_t since_usec) {
        bool first = container->state.started_usec == 0; /* a later start that fails removes it, too */
        int r = container_refresh(store, container, /* reterr= */ NULL);

        return is_gone(container) ? container->config.auto_remove && first : r >= 0 && container->state.started_usec >= since_usec;
}

static int start_by_systemd(const Store *store, Container *container, const DetachedOptions *options, Manager *manager, Error *reterr) {
        _cleanup_free_ char *name = str_format("sdpod-%s.service", container->config.id);
        int runtime_fd = container_runtime_fd(store, container, reterr), r;

        if (runtime_fd < 0)
                return runtime_fd;
        if (!name || str_replace(&container->state.unit, name) < 0)
                return error_oom(reterr);
        /* the limits are systemd's here, and the unit's cgroup is the container's */
        r = container_save_state(container, reterr);
        if (r < 0)
                return r;
        container_unlock(container);
        int64_t since = time_now_usec();
        r = run_transient(store, container, options, manager, name, reterr);
        int left = fetch_error(runtime_fd, r < 0 ? reterr : NULL);
        if (r >= 0 || left < 0)
                return r < 0 ? left : r;
        if (r != -EIO && r != -ECANCELED)
                return r;
        if (has_run_since(store, container, since)) {
                error_done(reterr);
                return 0;
        }
        return explain_unit_end(store, container, r, reterr);
}

/* ---- the solo monitor ---- */

static int start_by_monitor(const Store *store, Container *container, const DetachedOptions *options, Error *reterr) {
        _cleanup_strv_ char **start = NULL, **argv = NULL;
        _cleanup_fd_ int ready = -EBADF;
        _cleanup_free_ char *answer = NULL;
        int pair[2], runtime_fd = container_runtime_fd(store, container, reterr), r;

        if (runtime_fd < 0)
                return runtime_fd;
        if (internal_command(store, options->storage_driver, "__start", container->config.id, &start) < 0)
                return error_oom(reterr);
        r = output_solo_command(store, container, start, &argv);
        if (r < 0)
                return error_oom(reterr);
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot start the monitor");
        ready = pair[0];
        const int fds[] = { -EBADF, -EBADF, 2, pair[1] };
        r = str_replace(&container->state.unit, NULL);
        if (r >= 0)
                r = container_save_state(container, reterr);
        container_unlock(container);
        if (r >= 0)
                r = internal_spawn_orphan(argv, fds, ELEMENTSOF(fds));
        (void) fd_close(pair[1]);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start the monitor");
        r = io_read_all(ready, 65536, &answer, /* ret_size= */ NULL);
        int left = fetch_error(runtime_fd, reterr);
        if (left < 0)
                return left;
        return r < 0 ? error_set_errno(reterr, r, "cannot hear from the monitor") : output_solo_answer(answer, reterr);
}

int engine_start_detached(const Store *store, Container *container, const DetachedOptions *options, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int runtime_fd = container_runtime_fd(store, container, reterr);

        if (runtime_fd < 0)
                return runtime_fd;
        container->state.stopped_by_user = false;
        container->state.restart_count = options->restarts;
        (void) unlinkat(runtime_fd, STARTED_MARK, 0);
        (void) unlinkat(runtime_fd, ERROR_FILE, 0);
        int r = str_equal(container->config.cgroups, "disabled") ? -ENOENT : manager_connect(&manager, reterr);
        if (r == -ENOENT)
                return start_by_monitor(store, container, options, reterr);
        if (r >= 0)
                r = start_by_systemd(store, container, options, &manager, reterr);
        if (r >= 0)
                linger_tell(store);
        return r;
}

/* ---- the end ---- */

int engine_unit_ended(const Store *store, const char *id, const char *exit_code, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        uint32_t number;
        int r = container_load(store, id, &container, reterr);

        if (r >= 0)
                r = container_lock(store, &container, reterr);
        if (r == -ENOENT) { /* removed by force meanwhile */
                error_done(reterr);
                return 0;
        }
        if (r < 0)
                return r;
        /* without a process on record the start failed, and the exit that systemd tells of is that of the starter */
        if (container.process.pid > 0) {
                if (container.pidfd >= 0)
                        return error_set(reterr, -EBUSY, ERROR_STATE, "cannot record the end of container '%s': it is running",
                                         container.config.name);
                r = engine_record_exit(store, &container,
                                       exit_code && parse_u32(exit_code, &number) >= 0 ? (int) number : engine_exit_code(&container), reterr);
                if (r < 0)
                        return r;
        }
        container_unlock(&container);
        if (!container.config.auto_remove || container.state.started_usec == 0) {
                engine_pod_member_ended(store, &container.config);
                return 0;
        }
        (void) str_replace(&container.state.unit, NULL);
        return engine_remove(store, &container, &(RemoveOptions){ .volumes = true, .by_supervisor = true }, reterr);
}

int engine_unit_stop(const Store *store, const char *id, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        int r = container_load(store, id, &container, reterr);

        if (r == -ENOENT) {
                error_done(reterr);
                return 0;
        }
        return r < 0 ? r : engine_stop_process(&container, container.config.stop_timeout, reterr);
}
