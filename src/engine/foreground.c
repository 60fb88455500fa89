/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the foreground. */
#include "engine/foreground.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "engine/health.h"
#include "engine/output.h"
#include "engine/pipes.h"
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
                container->pending_fd = pending_take(store, container->config.id, reterr);
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

static int finish(const Store *store, Container *container, int exit_code, Error *reterr) {
        int r = container_lock(store, container, reterr);

        if (r == -ENOENT) { /* somebody removed it by force: nothing is left to record */
                error_done(reterr);
                return 0;
        }
        if (r >= 0)
                r = engine_record_exit(store, container, exit_code, reterr);
        container_unlock(container);
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

/* The run itself: from the start to the last byte. */
static int run(const Store *store, Container *container, const ForegroundOptions *options, int *ret_exit_code, Error *reterr) {
        _cleanup_pipes_ Pipes pipes = PIPES_NULL;
        _cleanup_proc_ Proc proc = PROC_NULL;
        _cleanup_fd_ int signal_fd = -EBADF;
        Log log = { .store = store, .writer = LOG_WRITER_NULL };
        StartOptions start = {
                .place = choose_place(&container->config),
                .storage_driver = options->storage_driver,
                .foreground = true,
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
        if (r >= 0)
                watch_health(store, container, options);
        if (r < 0) {
                log_writer_finish(&log.writer);
                return r;
        }
        int (*tee)(void *, int, const void *, size_t) = container->state.log_path ? tee_to_log : NULL;
        Relay relay = {
                .pidfd = proc.pidfd,
                .console_fd = TAKE_FD(proc.console_fd),
                .stdin_to = TAKE_FD(pipes.ours[0]),
                .open_stdin = options->open_stdin,
                .sig_proxy = options->sig_proxy,
                .out = { .from = TAKE_FD(pipes.ours[1]), .to = options->show_stdout ? STDOUT_FILENO : -EBADF,
                         .tee = tee, .tee_data = &log.writer },
                .err = { .from = TAKE_FD(pipes.ours[2]), .to = options->show_stderr ? STDERR_FILENO : -EBADF,
                         .tee = tee, .tee_data = &log.writer },
        };
        r = relay_run(&relay, signal_fd, reterr);
        log_writer_finish(&log.writer);
        if (r < 0)
                (void) process_signal(proc.pidfd, SIGKILL);
        *ret_exit_code = process_reap(proc.pid);
        return r;
}

int engine_run_foreground(const Store *store, Container *container, const ForegroundOptions *options, int *ret_exit_code,
                          Error *reterr) {
        bool removes = container->config.auto_remove;
        int r = take_charge(store, container, reterr);

        if (r >= 0)
                r = run(store, container, options, ret_exit_code, reterr);
        if (r >= 0)
                r = finish(store, container, *ret_exit_code, reterr);
        if (removes) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (engine_remove(store, container, &(RemoveOptions){ .volumes = true }, &error) < 0 && error.code != -ENOENT)
                        log_warning("%s", error.message ?: "cannot remove the container");
        }
        return r;
}
