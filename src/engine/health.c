/* SPDX-License-Identifier: Apache-2.0 */
/* Making health checks, and judging them. */
#include "engine/health.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "engine/detached.h"
#include "engine/exec.h"
#include "engine/health-log.h"
#include "engine/internal-command.h"
#include "engine/stop.h"
#include "state/events.h"

#define HEALTH_CGROUP "health" /* below the container's: all that a check has started can be ended with it */
#define TIMER_PREFIX "sdpod-health-"
#define SYSTEMD_RUN "/usr/bin/systemd-run"

enum {
        OUTPUT_LIMIT = 1024 * 1024, /* of a check, where all is to be kept */
        FAILED_EXIT_CODE = 125,     /* of a check that could not be made, or took too long: what Podman notes */
        PASSED_START = 1,
};

/* ---- what is to be done, and how often ---- */

typedef struct Check {
        char *const *test;
        uint64_t interval_usec, timeout_usec;
        bool startup;
} Check;

static Check choose_check(const ContainerHealth *health, const HealthState *state) {
        if (health->startup_test && !state->started)
                return (Check){
                        .test = health->startup_test,
                        .interval_usec = health->startup_interval_usec ?: HEALTH_INTERVAL_USEC,
                        .timeout_usec = health->startup_timeout_usec ?: HEALTH_TIMEOUT_USEC,
                        .startup = true,
                };
        return (Check){
                .test = health->test,
                .interval_usec = health->interval_usec ?: HEALTH_INTERVAL_USEC,
                .timeout_usec = health->timeout_usec ?: HEALTH_TIMEOUT_USEC,
        };
}

/* argv of {"CMD", ...} and {"CMD-SHELL", text}; borrowed words. An empty first word is an old form of CMD. */
static int make_args(char *const *test, char ***ret) {
        if (!str_equal(test[0], "CMD-SHELL")) {
                *ret = strv_copy(test + 1);
                return *ret ? 0 : -ENOMEM;
        }
        _cleanup_strv_ char **args = NULL;
        const char *const words[] = { "/bin/sh", "-c", test[1] ?: "" };
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strv_append(&args, words[i]) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(args);
        return 0;
}

int health_begin(const Store *store, Container *container, Error *reterr) {
        char starting[] = "starting";
        HealthState state = { .status = starting };

        return container_has_health_check(&container->config.health) ? health_state_save(store, container, &state, reterr) : 0;
}

/* ---- one check ---- */

/* In the child: the command's output goes to the pipe, and so does what keeps it from being run. */
_noreturn_ static void run_in_child(const Store *store, Container *container, char *const *args, int output_fd) {
        const ExecOptions options = { .args = args, .sub_cgroup = HEALTH_CGROUP, .silent = true };
        _cleanup_error_ Error error = ERROR_NULL;
        int exit_code = FAILED_EXIT_CODE, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
            dup2(output_fd, STDERR_FILENO) < 0)
                _exit(FAILED_EXIT_CODE);
        if (engine_exec(store, container, &options, &exit_code, &error) < 0) {
                error_print(&error);
                exit_code = error_exit_status(&error);
        }
        _exit(exit_code);
}

/* Reads until the end, or until the time is over; keeps at most `limit` bytes. Returns whether it ended in time. */
static bool read_output(int fd, size_t limit, uint64_t timeout_usec, char *text) {
        int64_t end = time_monotonic_usec() + (int64_t) timeout_usec;
        size_t size = 0;

        for (;;) {
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
                int64_t left = end - time_monotonic_usec();
                char rest[4096];

                if (left <= 0)
                        break;
                if (poll(&poll_fd, 1, (int) MIN(left / 1000 + 1, (int64_t) INT32_MAX)) < 0 && errno != EINTR)
                        break;
                if (poll_fd.revents == 0)
                        continue;
                bool full = size == limit;
                ssize_t n = read(fd, full ? rest : text + size, full ? sizeof(rest) : limit - size);
                if (n == 0)
                        return text[size] = 0, true;
                if (n > 0 && !full)
                        size += (size_t) n;
        }
        text[size] = 0;
        return false;
}

/* Ends all that the check has started, and removes its cgroup. */
static void clean_up(const Container *container) {
        if (str_empty(container->process.cgroup) || str_equal(container->process.cgroup, "/"))
                return;
        _cleanup_fd_ int parent = cgroup_open(container->process.cgroup, /* reterr= */ NULL);
        if (parent >= 0)
                (void) cgroup_remove(parent, HEALTH_CGROUP); /* one that stays is used by the next check */
}

static int run_check(const Store *store, Container *container, const Check *check, HealthResult *result, Error *reterr) {
        uint32_t log_size = container->config.health.log_size;
        size_t limit = log_size == UINT32_MAX ? OUTPUT_LIMIT : log_size ?: HEALTH_LOG_SIZE;
        _cleanup_strv_ char **args = NULL;
        int pair[2];

        if (make_args(check->test, &args) < 0 || !(result->output = malloc(limit + 1)))
                return error_oom(reterr);
        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot check the health of '%s'", container->config.name);
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        result->start_usec = time_now_usec();
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot check the health of '%s'", container->config.name);
        if (pid == 0)
                run_in_child(store, container, args, theirs);
        theirs = fd_close(theirs);
        bool in_time = read_output(ours, limit, check->timeout_usec, result->output);
        if (!in_time)
                (void) kill(pid, SIGKILL); /* and with it the command, see JoinPlan.die_with_parent */
        result->exit_code = process_reap(pid);
        if (!in_time)
                result->exit_code = FAILED_EXIT_CODE;
        clean_up(container);
        result->end_usec = time_now_usec();
        return 0;
}

/* ---- judging ---- */

static int add_result(HealthState *state, const ContainerHealth *health, HealthResult *result) {
        uint32_t most = health->log_count ?: HEALTH_LOG_COUNT;
        HealthResult *grown = realloc(state->log, (state->n_log + 1) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        state->log = grown;
        grown[state->n_log++] = *result;
        *result = (HealthResult){};
        while (state->n_log > most)
                health_state_forget_oldest(state);
        return 0;
}

typedef enum Verdict {
        VERDICT_NONE,
        VERDICT_ACT,         /* it is unhealthy: do what the container's maker wants */
        VERDICT_STARTED,     /* the start-up check has done its work: now the other one, in its own interval */
        VERDICT_NEVER_STARTED,
} Verdict;

static Verdict judge_startup(const ContainerHealth *health, HealthState *state, bool passed) {
        if (!passed)
                return health->startup_retries > 0 && ++state->startup_failed >= health->startup_retries ? VERDICT_NEVER_STARTED
                                                                                                        : VERDICT_NONE;
        state->started = ++state->startup_passed >= (health->startup_successes ?: PASSED_START);
        return state->started ? VERDICT_STARTED : VERDICT_NONE;
}

/* Failures of the start period do not count; a success ends it (podman-run(1)). */
static Verdict judge(const Container *container, HealthState *state, const Check *check, bool passed, int64_t now_usec) {
        const ContainerHealth *health = &container->config.health;
        bool starting = str_equal(state->status, "starting") &&
                        now_usec < container->state.started_usec + (int64_t) health->start_period_usec;
        const char *word = NULL;

        if (check->startup)
                return judge_startup(health, state, passed);
        if (passed) {
                state->failing_streak = 0;
                word = "healthy";
        } else if (!starting && ++state->failing_streak >= (health->retries ?: HEALTH_RETRIES))
                word = "unhealthy";
        if (word && str_replace(&state->status, word) < 0)
                log_warning("cannot note the health of '%s': out of memory", container->config.name);
        return str_equal(word, "unhealthy") ? VERDICT_ACT : VERDICT_NONE;
}

/* A container that a unit of somebody else's making holds is ended: the unit's Restart= decides. */
static int restart(const Store *store, Container *container, const char *storage_driver, Error *reterr) {
        const DetachedOptions options = { .storage_driver = storage_driver };

        if (!container->state.unit && container->process.unit)
                return process_signal(container->pidfd, SIGKILL);
        int r = engine_stop(store, container, container->config.stop_timeout, /* by_user= */ true, reterr);
        if (r >= 0)
                r = container_lock(store, container, reterr);
        return r < 0 ? r : engine_start_detached(store, container, &options, reterr);
}

static int act(const Store *store, Container *container, const char *storage_driver, const char *action, Error *reterr) {
        if (str_equal(action, "kill"))
                return process_signal(container->pidfd, SIGKILL);
        if (str_equal(action, "stop"))
                return engine_stop(store, container, container->config.stop_timeout, /* by_user= */ true, reterr);
        return str_equal(action, "restart") ? restart(store, container, storage_driver, reterr) : 0;
}

static void tell(const Store *store, const Container *container, const HealthState *state) {
        event_write(store, &(Event){
                .type = "container", .status = "health_status", .id = container->config.id, .name = container->config.name,
                .image = container->config.image_name, .health_status = state->status,
                .health_log = health_log_for_event(container, state), .attributes = container->config.labels,
                .exit_code = EVENT_NO_EXIT_CODE,
        });
}

static int take_turn(const Store *store, Container *container, bool wait, Error *reterr) {
        int fd = container_runtime_fd(store, container, reterr);
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (fd < 0)
                return fd;
        _cleanup_fd_ int turn = openat(fd, "health.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (turn < 0)
                return error_set_errno(reterr, -errno, "cannot check the health of '%s'", container->config.name);
        int r = (int) RETRY_EINTR(fcntl(turn, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock));
        if (r < 0 && errno != EAGAIN && errno != EACCES)
                return error_set_errno(reterr, -errno, "cannot check the health of '%s'", container->config.name);
        if (r < 0)
                return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot check the health of '%s': another check is under way",
                                 container->config.name);
        return TAKE_FD(turn);
}

int health_check(const Store *store, Container *container, const char *storage_driver, bool wait, char **ret_status, Error *reterr) {
        _cleanup_health_state_ HealthState state = {};
        _cleanup_fd_ int turn = take_turn(store, container, wait, reterr);
        HealthResult result = {};
        int r = turn;

        if (r >= 0)
                r = health_state_load(store, container, &state, reterr);
        if (r < 0)
                return r;
        const Check check = choose_check(&container->config.health, &state);
        r = run_check(store, container, &check, &result, reterr);
        bool passed = r >= 0 && result.exit_code == 0;
        if (r >= 0 && !state.status)
                r = str_replace(&state.status, "starting") < 0 ? error_oom(reterr) : 0;
        Verdict verdict = r < 0 ? VERDICT_NONE : judge(container, &state, &check, passed, result.end_usec);
        if (r >= 0)
                r = add_result(&state, &container->config.health, &result) < 0 ? error_oom(reterr) : 0;
        free(result.output);
        if (r >= 0)
                r = health_state_save(store, container, &state, reterr);
        if (r >= 0)
                r = health_log_write(container, &state, reterr);
        if (r < 0)
                return r;
        turn = fd_close(turn);
        tell(store, container, &state);
        *ret_status = TAKE_PTR(state.status);
        if (verdict == VERDICT_ACT && !str_equal(container->config.health.on_failure ?: "none", "none"))
                log_warning("container '%s' is unhealthy after %u failed checks: --health-on-failure %s", container->config.name,
                            state.failing_streak, container->config.health.on_failure);
        if (verdict == VERDICT_ACT)
                r = act(store, container, storage_driver, container->config.health.on_failure, reterr);
        else if (verdict == VERDICT_NEVER_STARTED)
                r = restart(store, container, storage_driver, reterr);
        else if (verdict == VERDICT_STARTED && container->process.unit) {
                health_unschedule(container);
                r = health_schedule(store, container, storage_driver, /* by_timer= */ true, reterr);
        }
        return r < 0 ? r : passed;
}

int health_wait(const Store *store, Container *container, bool until_healthy, Error *reterr) {
        for (;;) {
                _cleanup_health_state_ HealthState state = {};
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_free_ char *status = NULL;
                struct pollfd poll_fd = { .fd = container->pidfd, .events = POLLIN };

                int r = health_check(store, container, /* storage_driver= */ NULL, /* wait= */ false, &status, &error);
                if (r >= 0 && until_healthy && str_equal(status, "healthy"))
                        return 1;
                if (process_has_ended(container->pidfd))
                        return 0;
                if (r < 0 && r != -EBUSY)
                        log_warning("%s", error.message ?: "out of memory");
                r = health_state_load(store, container, &state, reterr);
                if (r < 0)
                        return r;
                uint64_t interval = choose_check(&container->config.health, &state).interval_usec;
                r = poll(&poll_fd, 1, (int) MIN(interval / 1000 + 1, (uint64_t) INT32_MAX));
                if (r < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the next health check");
                if (r > 0)
                        return 0;
        }
}

/* ---- when ---- */

/* Every start has timers of its own: the check that restarts a container is itself run by the timer of the old start, and the last
 * start-up check makes the timer of the others. */
static char *timer_name(const Container *container, bool startup) {
        return str_format(TIMER_PREFIX "%s-%llu%s", container->config.id, (unsigned long long) container->process.start_time,
                          startup ? "-startup" : "");
}

static int start_timer(const Container *container, char *const *command, const Check *check, Error *reterr) {
        static const int fds[] = { -EBADF, -EBADF, STDERR_FILENO };
        _cleanup_free_ char *name = timer_name(container, check->startup);
        _cleanup_strv_ char **argv = NULL;
        pid_t pid;

        if (!name || strv_append(&argv, SYSTEMD_RUN) < 0 || (geteuid() != 0 && strv_append(&argv, "--user") < 0) ||
            strv_append(&argv, "--quiet") < 0 || strv_append(&argv, "--collect") < 0 ||
            strv_consume(&argv, str_format("--unit=%s", name)) < 0 ||
            strv_consume(&argv, str_format("--description=health of sdpod container %s", container->config.name)) < 0 ||
            strv_append(&argv, "--on-active=0") < 0 ||
            strv_consume(&argv, str_format("--on-unit-inactive=%lluus", (unsigned long long) check->interval_usec)) < 0 ||
            strv_append(&argv, "--timer-property=AccuracySec=100ms") < 0 ||
            /* else, when the manager ends, its stop waits for timers.target's, which waits for all services, which wait for this stop */
            strv_append(&argv, "--timer-property=DefaultDependencies=no") < 0 ||
            strv_append(&argv, "--property=LogLevelMax=notice") < 0 || /* no two lines of systemd's for each check */
            strv_append(&argv, "--property=SyslogLevel=warning") < 0 || /* ... but all that we say */
            strv_append(&argv, "--property=StartLimitIntervalSec=0") < 0 || /* an interval of a second is no restart loop */
            strv_append(&argv, "--") < 0 || strv_extend(&argv, command) < 0)
                return error_oom(reterr);
        int r = process_spawn(argv[0], argv, /* envp= */ NULL, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", SYSTEMD_RUN);
        return process_reap(pid) == 0 ? 0
                                      : error_set(reterr, -EIO, ERROR_INTERNAL, "cannot make the timer of the health checks of '%s'",
                                                  container->config.name);
}

int health_schedule(const Store *store, Container *container, const char *storage_driver, bool by_timer, Error *reterr) {
        static const int fds[] = { -EBADF, -EBADF, -EBADF };
        _cleanup_health_state_ HealthState state = {};
        _cleanup_strv_ char **command = NULL;

        if (!container_has_health_check(&container->config.health))
                return 0;
        int r = health_state_load(store, container, &state, reterr);
        if (r < 0)
                return r;
        const Check check = choose_check(&container->config.health, &state);
        if (check.interval_usec == UINT64_MAX)
                return 0;
        by_timer = by_timer && manager_is_there();
        if (internal_command(store, storage_driver, by_timer ? "__health-check" : "__health", container->config.id, &command) < 0)
                return error_oom(reterr);
        if (by_timer)
                return start_timer(container, command, &check, reterr);
        r = internal_spawn_orphan(command, fds, ELEMENTSOF(fds));
        return r < 0 ? error_set_errno(reterr, r, "cannot start the health checks of '%s'", container->config.name) : 0;
}

static void stop_timer(const char *name) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *timer = str_format("%s.timer", name);

        if (timer && manager_is_there() && manager_connect(&manager, /* reterr= */ NULL) >= 0)
                (void) manager_stop_unit(&manager, timer, /* reterr= */ NULL);
}

void health_unschedule(const Container *container) {
        const ContainerHealth *health = &container->config.health;
        _cleanup_free_ char *name = timer_name(container, /* startup= */ false), *startup = timer_name(container, /* startup= */ true);

        if (container->process.start_time == 0 || !container_has_health_check(health))
                return;
        if (name)
                stop_timer(name);
        if (startup && health->startup_test)
                stop_timer(startup);
}

bool health_end_old_timer(const Container *container) {
        _cleanup_free_ char *unit = journal_own_unit(), *current = timer_name(container, /* startup= */ false);
        char *suffix = unit ? strstr(unit, ".service") : NULL;

        if (!suffix || !str_after(unit, TIMER_PREFIX))
                return false;
        *suffix = 0;
        if (container->pidfd >= 0 && current && str_after(unit, current)) /* also where it is the start-up check's */
                return false;
        stop_timer(unit);
        return true;
}
