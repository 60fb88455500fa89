/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a running container. */
#include "engine/stop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "engine/depend.h"
#include "engine/pod.h"
#include "engine/start.h"
#include "state/events.h"

enum { RECORD_GRACE_MSEC = 10000, FOREIGN_GRACE_MSEC = 300, KILL_TIMEOUT_SEC = 10 };

static int not_running(const Container *c, const char *verb, Error *reterr) {
        return error_set(reterr, -ESRCH, ERROR_STATE, "cannot %s container '%s': it is not running but %s", verb, c->config.name,
                         container_status_to_string(c->status));
}

/* Microseconds until it is killed. */
static uint64_t time_left(int64_t sent_usec, int64_t timeout) {
        uint64_t whole = (uint64_t) timeout * 1000000, gone;

        if (timeout < 0)
                return UINT64_MAX;
        gone = sent_usec ? (uint64_t) (time_monotonic_usec() - sent_usec) : 0;
        return whole > gone ? whole - gone : 0;
}

int engine_stop_process(Container *c, int64_t timeout, Error *reterr) {
        int signal = c->config.stop_signal ?: SIGTERM, r = 0;

        if (c->pidfd < 0)
                return 0;
        if (c->process.paused) { /* a frozen process takes no signal but the kill */
                _cleanup_fd_ int cgroup = cgroup_open(c->process.cgroup, reterr);

                r = cgroup < 0 ? cgroup : cgroup_freeze(cgroup, /* freeze= */ false, reterr);
                if (r < 0)
                        return r;
        }
        if (timeout != 0 && !c->stop_killed) {
                r = c->stop_sent_usec ? 0 : process_signal(c->pidfd, signal);
                if (r >= 0)
                        r = process_wait_end(c->pidfd, time_left(c->stop_sent_usec, timeout));
                if (r >= 0 || r == -ESRCH)
                        return 0;
                if (r == -ETIMEDOUT)
                        log_warning("container '%s' did not end in %lld s after %s, killing it", c->config.name, (long long) timeout,
                                    signal_name(signal));
        }
        /* the end of a PID namespace's init is the end of all in it (pid_namespaces(7)) */
        r = process_signal(c->pidfd, SIGKILL);
        if (r >= 0)
                r = process_wait_end(c->pidfd, KILL_TIMEOUT_SEC * 1000000ULL);
        if (r < 0 && r != -ESRCH)
                return error_set_errno(reterr, r, "cannot kill container '%s'", c->config.name);
        return 0;
}

/* ---- waiting for the record ---- */

static int record_for_absent_supervisor(const Store *store, Container *c, Error *reterr) {
        int r = container_lock(store, c, reterr);

        if (r < 0)
                return r;
        if (c->pidfd < 0 && !c->state.exited && c->state.started_usec > 0)
                r = engine_record_exit(store, c, engine_exit_code(c), reterr);
        container_unlock(c);
        engine_pod_member_ended(store, &c->config);
        return r;
}

bool engine_is_unsettled(const Container *c) {
        return c->pidfd < 0 && !c->state.exited && c->state.started_usec > 0;
}

int engine_settle(const Store *store, Container *c, Error *reterr) {
        return engine_is_unsettled(c) ? record_for_absent_supervisor(store, c, reterr) : 0;
}

static bool is_gone(const Container *c) {
        struct stat st;

        return fstatat(c->dir_fd, "container.json", &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* The kernel counts inotify instances for each user, and their descriptors too. */
static int cannot_watch(const Container *c, int code, Error *reterr) {
        (void) error_set_errno(reterr, -code, "cannot watch container '%s'", c->config.name);
        if (code == EMFILE)
                error_hint(reterr, "raise fs.inotify.max_user_instances by sysctl(8), or wait for fewer containers at once");
        return -code;
}

/* Whether there is nothing to wait for (any more): 1, 0 or -errno. */
static int is_recorded(const Store *store, Container *c, bool *ret_gone, Error *reterr) {
        *ret_gone = is_gone(c);
        int r = *ret_gone ? 0 : container_refresh(store, c, reterr);

        return r < 0 ? r : *ret_gone || c->pidfd >= 0 || c->state.exited || c->state.started_usec == 0;
}

int engine_wait_recorded(const Store *store, Container *c, bool *ret_gone, Error *reterr) {
        /* mostly it is: its unit was waited for. The end of an inotify instance is a grace period of the kernel, 10 ms and more */
        int r = is_recorded(store, c, ret_gone, reterr);
        char path[64];

        if (r != 0)
                return MIN(r, 0);
        _cleanup_fd_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        struct pollfd poll_fd = { .fd = watch, .events = POLLIN };

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", c->dir_fd);
        if (watch < 0 || inotify_add_watch(watch, path, IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF) < 0)
                return cannot_watch(c, errno, reterr);
        for (;;) {
                char events[4096];

                r = is_recorded(store, c, ret_gone, reterr);
                if (r != 0)
                        return MIN(r, 0);
                /* a unit of somebody else's making records nothing, but may remove it (ExecStopPost=sdpod rm) */
                bool foreign = c->process.unit && !c->state.unit;
                r = (int) RETRY_EINTR(poll(&poll_fd, 1, foreign ? FOREIGN_GRACE_MSEC : RECORD_GRACE_MSEC));
                if (r < 0)
                        return error_set_errno(reterr, -errno, "cannot watch container '%s'", c->config.name);
                if (r == 0)
                        return record_for_absent_supervisor(store, c, reterr);
                while (read(watch, events, sizeof(events)) > 0)
                        ;
        }
}

/* ---- a person's wish ---- */

static int note_wish(const Store *store, Container *c, Error *reterr) {
        int r = container_lock(store, c, reterr);

        if (r < 0)
                return r;
        if (!c->state.stopped_by_user) {
                c->state.stopped_by_user = true;
                r = engine_save_state(c, reterr);
        }
        container_unlock(c);
        return r;
}

static int stop_unit(const char *unit, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int r = manager_connect(&manager, reterr);

        return r == -ENOENT ? 0 : r < 0 ? r : manager_stop_unit(&manager, unit, reterr);
}

int engine_end(const Store *store, Container *c, int64_t timeout, bool by_user, Error *reterr) {
        int r = by_user ? note_wish(store, c, reterr) : container_refresh(store, c, reterr);

        if (r >= 0)
                r = engine_stop_process(c, timeout, reterr);
        /* also where nothing runs: the unit may be about to restart it */
        if (r >= 0 && c->state.unit)
                r = stop_unit(c->state.unit, reterr);
        return r;
}

int engine_stop(const Store *store, Container *c, int64_t timeout, bool by_user, Error *reterr) {
        bool gone, runs = c->pidfd >= 0;
        int r = engine_end(store, c, timeout, by_user, reterr);

        if (r >= 0)
                r = engine_wait_recorded(store, c, &gone, reterr);
        if (r >= 0 && by_user && runs)
                event_container(store, &c->config, "stop", EVENT_NO_EXIT_CODE);
        return r;
}

void stop_round_done(StopRound *round) {
        for (size_t i = 0; i < round->n; i++) {
                free(round->sent[i].id);
                free(round->sent[i].name);
        }
        free(round->sent);
        *round = (StopRound){};
}

bool engine_stop_begin(const Store *store, Container *c, int64_t timeout, bool by_user, StopRound *round) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (c->pidfd < 0 || c->status != CONTAINER_RUNNING || dependents_check(store, c, &error) < 0)
                return false;
        if (by_user && note_wish(store, c, &error) < 0)
                return false;
        if (c->pidfd < 0 || process_signal(c->pidfd, timeout == 0 ? SIGKILL : c->config.stop_signal ?: SIGTERM) < 0)
                return false;
        StopSent *sent = container_array_add((void **) &round->sent, &round->n, sizeof(*sent));
        if (!sent)
                return false;
        *sent = (StopSent){ .id = strdup(c->config.id), .name = strdup(c->config.name), .pid = c->process.pid,
                            .start_time = c->process.start_time, .usec = time_monotonic_usec(), .timeout = timeout };
        return true;
}

void engine_stop_expire(StopRound *round) {
        for (size_t i = 0; i < round->n; i++) {
                StopSent *sent = &round->sent[i];
                _cleanup_fd_ int pidfd = sent->timeout > 0 ? process_open(sent->pid, sent->start_time) : -EBADF;

                if (pidfd < 0 || process_wait_end(pidfd, time_left(sent->usec, sent->timeout)) != -ETIMEDOUT)
                        continue;
                log_warning("container '%s' did not end in %lld s, killing it", sent->name ?: "", (long long) sent->timeout);
                (void) process_signal(pidfd, SIGKILL);
                sent->killed = true;
        }
}

void engine_stop_resume(const StopRound *round, Container *c) {
        for (size_t i = 0; i < round->n; i++)
                if (round->sent[i].pid == c->process.pid && round->sent[i].start_time == c->process.start_time &&
                    str_equal(round->sent[i].id, c->config.id)) {
                        c->stop_sent_usec = round->sent[i].usec;
                        c->stop_killed = round->sent[i].killed;
                }
}

int engine_kill(const Store *store, Container *c, int signal, Error *reterr) {
        int r;

        if (c->pidfd < 0)
                return not_running(c, "kill", reterr);
        if (signal == SIGKILL || signal == SIGTERM) {
                r = note_wish(store, c, reterr);
                if (r < 0)
                        return r;
        }
        if (c->pidfd < 0)
                return not_running(c, "kill", reterr);
        r = process_signal(c->pidfd, signal);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot send %s to container '%s'", signal_name(signal), c->config.name);
        event_container(store, &c->config, "kill", EVENT_NO_EXIT_CODE);
        return 0;
}

int engine_pause(const Store *store, Container *c, bool pause, Error *reterr) {
        int r = container_lock(store, c, reterr);

        if (r < 0)
                return r;
        if (c->status != (pause ? CONTAINER_RUNNING : CONTAINER_PAUSED)) {
                if (c->pidfd < 0)
                        return not_running(c, pause ? "pause" : "unpause", reterr);
                return error_set(reterr, -EALREADY, ERROR_STATE, pause ? "cannot pause container '%s': it is paused"
                                                                      : "cannot unpause container '%s': it is not paused",
                                 c->config.name);
        }
        if (str_empty(c->process.cgroup) || str_equal(c->process.cgroup, "/"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot pause container '%s': it has no cgroup of its own", c->config.name);
        _cleanup_fd_ int cgroup = cgroup_open(c->process.cgroup, reterr);
        r = cgroup < 0 ? cgroup : cgroup_freeze(cgroup, pause, reterr);
        if (r >= 0) {
                c->process.paused = pause;
                r = container_save_process(store, c, reterr);
        }
        container_unlock(c);
        if (r >= 0)
                event_container(store, &c->config, pause ? "pause" : "unpause", EVENT_NO_EXIT_CODE);
        return r < 0 ? error_prefix(reterr, r, "cannot %s container '%s'", pause ? "pause" : "unpause", c->config.name) : 0;
}
