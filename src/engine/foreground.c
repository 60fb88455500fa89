/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the foreground. */
#include "engine/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "cgroup/notify.h"
#include "engine/detached.h"
#include "engine/front.h"
#include "engine/health.h"
#include "engine/network-restart.h"
#include "engine/output.h"
#include "engine/pipes.h"
#include "engine/pod.h"
#include "engine/relay.h"
#include "engine/remove.h"
#include "engine/start.h"
#include "monitor/log-file.h"
#include "state/pending.h"

/* A container that removes itself stays marked as pending for its whole life: if this command is killed, the next one that
 * makes a container clears it away. Any other is what it was to become. */
static int take_charge(const Store *store, Container *container, Error *reterr) {
        if (!container->config.auto_remove) {
                container_settled(store, container);
                return 0;
        }
        if (container->pending_fd < 0)
                container->pending_fd = pending_take_born_locked(store, container->config.id, reterr);
        if (container->pending_fd == -EAGAIN)
                return error_set(reterr, -EBUSY, ERROR_STATE, "cannot start container '%s': another command is removing it", container->config.name);
        return container->pending_fd < 0 ? container->pending_fd : 0;
}

/* A cgroup of its own where somebody can give one. */
static StartPlace choose_place(const ContainerConfig *config) {
        if (str_equal(config->cgroups, "disabled"))
                return START_NOWHERE;
        if (str_equal(config->cgroups, "split"))
                return START_IN_UNIT;
        return manager_is_there() ? START_WITH_SYSTEMD : START_NOWHERE;
}

enum { UNKNOWN_EXIT_STATUS = 255 }; /* of a container that was killed as its time was over, as in Podman */

typedef struct Outcome {
        int exit_code;
        bool oom_killed;
} Outcome;

static int finish(const Store *store, Container *container, Outcome *outcome, Error *reterr) {
        int r = container_lock(store, container, reterr);

        if (r == -ENOENT) { /* somebody removed it by force: nothing is left to record */
                error_done(reterr);
                return 0;
        }
        if (r >= 0) {
                container->state.oom_killed = outcome->oom_killed;
                r = engine_record_exit(store, container, outcome->exit_code, reterr);
                outcome->exit_code = container->state.exit_code;
        }
        container_unlock(container);
        if (r >= 0 && !container->config.auto_remove) /* its removal looks after the pod otherwise */
                engine_pod_member_ended(store, &container->config);
        return r;
}

/* ---- the log ---- */

typedef struct Log {
        const Store *store;
        LogWriter writer;
} Log;

static int open_log(Container *container, void *data, Error *reterr) {
        Log *log = data;
        const Store *store = log->store;
        uint64_t max_size = 0;
        int fd, r = output_decide_log(store, container, /* foreground= */ true, reterr);

        if (r >= 0)
                r = output_max_size(&container->config, &max_size, reterr);
        if (r < 0 || !container->state.log_path)
                return r;
        fd = container_runtime_fd(store, container, reterr);
        return fd < 0 ? fd : log_writer_open(&log->writer, fd, container->state.log_path, max_size, reterr);
}

static int tee_to_log(void *data, int stream, const void *bytes, size_t size) {
        return log_write(data, stream == 2 ? LOG_STDERR : LOG_STDOUT, bytes, size);
}

/* Checks are made by a process that ends with the container; without it the container runs all the same. */
static void watch_health(const Store *store, Container *container, const ForegroundOptions *options) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (health_schedule(store, container, options->storage_driver, /* by_timer= */ false, &error) < 0)
                log_warning("%s", error.message ?: "cannot start the health checks: out of memory");
}

/* The scope's cgroup goes with its last process, and with it the count of OOM kills: so it is looked at when it changes. */
typedef struct OomWatch {
        int fd;
        bool killed;
} OomWatch;

static bool note_oom_kill(void *data) {
        OomWatch *watch = data;
        int64_t killed = cgroup_oom_kills(watch->fd);

        if (killed > 0)
                watch->killed = true;
        return killed == 0; /* a cgroup that is gone says so for ever */
}

/* In a PID namespace that is not its own the end of the first process is not that of the others, which hold our pipes. */
static void end_others(void *data) {
        const Container *container = data;
        const char *mode = container->config.pid_mode;
        _cleanup_fd_ int cgroup = -EBADF;

        if (!mode || str_equal(mode, "private") || str_empty(container->process.cgroup))
                return;
        cgroup = cgroup_open(container->process.cgroup, /* reterr= */ NULL);
        if (cgroup >= 0)
                (void) file_write_string(cgroup, "cgroup.kill", "1"); /* cgroups(7); it is the container's alone, or there was no start */
}

/* Somebody typed the keys: the monitor reads the terminal from now on, and others can attach to it. We stay, without the terminal,
 * to record the end; and where there is no monitor, to read what is written. */
static int leave(const Store *store, Container *container, Relay *relay, Front *front, Log *log, int signal_fd, Error *reterr) {
        Output output = { .store = store, .pipes = PIPES_NULL };
        Proc proc = { .pidfd = relay->pidfd, .console_fd = relay->console_fd };

        log_writer_finish(&log->writer);
        bool handed = output_hand_over(container, &proc, &output, /* reterr= */ NULL) >= 0;
        int r = handed ? 0 : open_log(container, log, reterr);
        if (r >= 0)
                r = front_leave(front, reterr);
        if (r < 0)
                return r;
        if (handed) {
                relay_done(relay);
                return process_wait_end(relay->pidfd, UINT64_MAX);
        }
        relay->out.to = -EBADF;
        relay->open_stdin = relay->detached = false;
        r = relay_run(relay, signal_fd, reterr);
        log_writer_finish(&log->writer);
        return r;
}

/* The run itself: from the start to the last byte. */
static int run(const Store *store, Container *container, const ForegroundOptions *options, Front *front, Outcome *ret,
               Error *reterr) {
        _cleanup_pipes_ Pipes pipes = PIPES_NULL;
        _cleanup_proc_ Proc proc = PROC_NULL;
        _cleanup_fd_ int signal_fd = -EBADF;
        Log log = { .store = store, .writer = LOG_WRITER_NULL };
        StartOptions start = {
                .place = choose_place(&container->config),
                .storage_driver = options->storage_driver,
                .foreground = true,
                .listen_fds = MAX(notify_listen_fds(), 0), /* systemd-socket-activate(1), a service without Type=notify */
                .kept_fds = options->kept_fds,
                .n_kept_fds = options->n_kept_fds,
                .stdio = { -EBADF, -EBADF, -EBADF },
                .meanwhile = open_log,
                .data = &log,
        };

        int r = relay_block_signals(options->sig_proxy, &signal_fd, reterr);
        if (r >= 0 && !container->config.terminal)
                r = pipes_make(options->open_stdin, &pipes, reterr);
        if (r >= 0) {
                memcpy(start.stdio, pipes.theirs, sizeof(start.stdio));
                r = engine_start_here(store, container, &start, &proc, reterr);
        }
        pipes_close_theirs(&pipes);
        container_unlock(container);
        if (r >= 0 && str_equal(container->config.sdnotify, "conmon"))
                (void) notify_send("READY=1");
        if (r >= 0)
                watch_health(store, container, options);
        if (r < 0) {
                log_writer_finish(&log.writer);
                return r;
        }
        _cleanup_fd_ int memory_events = container->config.auto_remove ? -EBADF : cgroup_open_memory_events(container->process.cgroup);
        OomWatch oom = { .fd = memory_events };
        NetworkGuard guard = { .store = store, .container = container };
        int (*tee)(void *, int, const void *, size_t) = container->state.log_path ? tee_to_log : NULL;
        Relay relay = {
                .pidfd = proc.pidfd,
                .console_fd = TAKE_FD(proc.console_fd),
                .stdin_to = TAKE_FD(pipes.ours[0]),
                .open_stdin = options->open_stdin,
                .sig_proxy = options->sig_proxy,
                .detach_keys = front->tell_fd >= 0 ? options->detach_keys : NULL,
                .events_fd = memory_events,
                .events = POLLPRI,
                .event = note_oom_kill,
                .data = &oom,
                .helper_fd = network_guard_open(&guard),
                .helper_ended = network_guard_ended,
                .helper_data = &guard,
                .ended = end_others,
                .ended_data = container,
                .out = { .from = TAKE_FD(pipes.ours[1]), .to = options->show_stdout ? STDOUT_FILENO : -EBADF,
                         .tee = tee, .tee_data = &log.writer },
                .err = { .from = TAKE_FD(pipes.ours[2]), .to = options->show_stderr ? STDERR_FILENO : -EBADF,
                         .tee = tee, .tee_data = &log.writer },
        };
        r = relay_run(&relay, signal_fd, reterr);
        if (r >= 0 && relay.detached)
                r = leave(store, container, &relay, front, &log, signal_fd, reterr);
        else
                log_writer_finish(&log.writer);
        relay_done(&relay);
        if (r < 0)
                (void) process_signal(proc.pidfd, SIGKILL);
        *ret = (Outcome){ .exit_code = process_reap(proc.pid), .oom_killed = oom.killed };
        return r;
}

/* The first run is this command's, with its output and exit code; those that --restart asks for after it are systemd's, in the
 * background, as in Podman. */
static bool wants_restart(const Container *container) {
        const ContainerConfig *config = &container->config;
        const char *policy = config->restart_policy;

        if (!policy || str_equal(policy, "no") || container->state.stopped_by_user || container->status == CONTAINER_RUNNING)
                return false;
        return !str_equal(policy, "on-failure") || container->state.exit_code != 0;
}

int engine_run_foreground(const Store *store, Container *container, const ForegroundOptions *options, int *ret_exit_code,
                          Error *reterr) {
        _cleanup_front_ Front front = FRONT_NULL;
        bool removes = container->config.auto_remove;
        Outcome outcome = {};
        int r = take_charge(store, container, reterr);

        if (r >= 0 && front_is_wanted(container->config.terminal, options->open_stdin, options->detach_keys))
                r = front_make(&front, reterr);
        if (r >= 0)
                r = run(store, container, options, &front, &outcome, reterr);
        if (r >= 0)
                r = finish(store, container, &outcome, reterr);
        *ret_exit_code = outcome.exit_code < 0 ? UNKNOWN_EXIT_STATUS : outcome.exit_code;
        if (r >= 0 && wants_restart(container)) {
                const DetachedOptions detached = { .storage_driver = options->storage_driver, .restarts = 1 };

                r = container_lock(store, container, reterr);
                return r < 0 ? r : engine_start_detached(store, container, &detached, reterr);
        }
        if (removes) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (engine_remove(store, container, &(RemoveOptions){ .volumes = true }, &error) < 0 && error.code != -ENOENT)
                        log_warning("%s", error.message ?: "cannot remove the container");
        }
        return r;
}
