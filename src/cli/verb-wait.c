/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod wait: blocks until containers are in a state, and prints their exit codes.
 *
 * The exit of the run that goes on when the command starts is what counts, also when a restart policy brings the container
 * back at once or --rm takes it away: the record is watched from before the end, and read in the moment it is written. */
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/verbs.h"
#include "engine/stop.h"

enum { DEFAULT_INTERVAL_MSEC = 250, RECORD_GRACE_MSEC = 5000 };

typedef struct WaitOptions {
        char **conditions;
        uint32_t statuses;  /* 1 << ContainerStatus */
        bool ends;          /* a condition is met by the end of the run */
        bool ignore, latest;
        uint64_t interval_msec;
} WaitOptions;

static const WaitOptions defaults = { .interval_msec = DEFAULT_INTERVAL_MSEC };

/* Podman's names of states; the end of a run is the default. */
static const struct {
        const char *name;
        ContainerStatus status;
        bool ends;
} condition_table[] = {
        { "configured", CONTAINER_CREATED },  { "created", CONTAINER_CREATED },   { "exited", CONTAINER_EXITED, true },
        { "initialized", CONTAINER_CREATED }, { "paused", CONTAINER_PAUSED },     { "removing", CONTAINER_REMOVING },
        { "running", CONTAINER_RUNNING },     { "stopped", CONTAINER_EXITED, true }, { "stopping", CONTAINER_STOPPING },
};

static const char *const condition_words[] = { "configured", "created", "exited", "initialized", "paused", "removing",
                                               "running", "stopped", "stopping", NULL };

/* "250ms"; a bare number is milliseconds. */
static int set_interval(void *options, const char *value, Error *reterr) {
        WaitOptions *o = options;
        uint64_t usec;

        if (parse_u64(value, &o->interval_msec) >= 0)
                return o->interval_msec <= 86400000 ? 0 : error_set(reterr, -ERANGE, ERROR_INVALID, "longer than a day");
        if (parse_duration(value, &usec) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a duration");
        o->interval_msec = usec / 1000;
        return o->interval_msec <= 86400000 ? 0 : error_set(reterr, -ERANGE, ERROR_INVALID, "longer than a day");
}

#define FIELD(member) offsetof(WaitOptions, member)
static const Option rows[] = {
        { "condition", .kind = OPTION_LIST, .offset = FIELD(conditions), .metavar = "STATE",
          .help = "Wait for this state instead of the end", .complete = COMPLETE_WORDS, .words = condition_words },
        { "exit-first-match", .kind = OPTION_REFUSED_BOOL },
        { "ignore", .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Print -1 for containers that are not there" },
        { "interval", 'i', .kind = OPTION_SET, .set = set_interval, .metavar = "TIME",
          .help = "Look this often for states other than the end (default 250ms)" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the container made last" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int read_conditions(WaitOptions *o, Error *reterr) {
        o->ends = !o->conditions;
        for (char **c = o->conditions; c && *c; c++) {
                size_t i = 0;

                while (i < ELEMENTSOF(condition_table) && strcmp(*c, condition_table[i].name) != 0)
                        i++;
                if (i == ELEMENTSOF(condition_table)) {
                        _cleanup_free_ char *words = strv_join((char *const *) condition_words, ", ");

                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot wait for '%s': not one of %s", *c, words ?: "");
                }
                o->statuses |= 1u << condition_table[i].status;
                o->ends = o->ends || condition_table[i].ends;
        }
        return 0;
}

/* The state as it is on disk, by the directory's descriptor: it can be read even while the container is being removed.
 * Sets *ret_code when the run that began at `started` is over. -ENOENT: it is gone. */
static int read_exit(const Container *c, int64_t started, bool *ret_ended, int *ret_code, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        ContainerState state = {};

        int r = json_read(c->dir_fd, "state.json", JSON_RECORD_LIMIT, &json, reterr);
        if (r >= 0)
                r = json_fields_load(json, container_state_fields, &state, reterr);
        *ret_ended = r >= 0 && (state.started_usec != started || state.exited);
        *ret_code = state.started_usec == started ? state.exit_code : -1;
        json_fields_done(container_state_fields, &state);
        return r;
}

static int watch_record(const Container *c, Error *reterr) {
        _cleanup_fd_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char path[48];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", c->dir_fd);
        if (watch < 0 || inotify_add_watch(watch, path, IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF) < 0)
                return error_set_errno(reterr, -errno, "cannot watch container '%s'", c->config.name);
        return TAKE_FD(watch);
}

/* Whoever was to record the end is dead: the engine does it then. */
static int record_ourselves(const Store *store, Container *c, int *ret_code, Error *reterr) {
        bool gone;
        int r = engine_wait_recorded(store, c, &gone, reterr);

        if (r < 0)
                return r;
        if (gone)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND,
                                 "cannot tell the exit code of '%s': it was removed meanwhile", c->config.name);
        *ret_code = c->state.exit_code;
        return 0;
}

/* Waits for the end of the run that goes on, or went on last. */
static int wait_end(const Store *store, Container *c, int *ret_code, Error *reterr) {
        _cleanup_fd_ int watch = watch_record(c, reterr);
        int64_t started;
        bool ended;

        if (watch < 0)
                return watch;
        int r = container_refresh(store, c, reterr);
        if (r < 0)
                return r;
        started = c->state.started_usec;
        if (started == 0) { /* it never ran: nothing to wait for, as in podman */
                *ret_code = 0;
                return 0;
        }
        for (;;) {
                struct pollfd fds[] = { { .fd = watch, .events = POLLIN }, { .fd = c->pidfd, .events = POLLIN } };
                char events[4096];

                r = read_exit(c, started, &ended, ret_code, reterr);
                if (r == -ENOENT)
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND,
                                         "cannot tell the exit code of '%s': it was removed meanwhile", c->config.name);
                if (r < 0 || ended)
                        return r;
                bool runs = c->pidfd >= 0 && !process_has_ended(c->pidfd);
                r = (int) RETRY_EINTR(poll(fds, runs ? 2 : 1, runs ? -1 : RECORD_GRACE_MSEC));
                if (r < 0)
                        return error_set_errno(reterr, -errno, "cannot wait for '%s'", c->config.name);
                if (r == 0)
                        return record_ourselves(store, c, ret_code, reterr);
                while (read(watch, events, sizeof(events)) > 0)
                        ;
        }
}

static bool is_gone(const Container *c) {
        return faccessat(c->dir_fd, "container.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Looks at intervals for one of the states. The exit code belongs to the end alone: -1 for other states. */
static int wait_status(const Store *store, Container *c, const WaitOptions *o, int *ret_code, Error *reterr) {
        for (;;) {
                if (is_gone(c)) {
                        *ret_code = -1;
                        return o->statuses & (1u << CONTAINER_REMOVING)
                                       ? 0
                                       : error_set(reterr, -ENOENT, ERROR_NOT_FOUND,
                                                   "cannot wait for '%s': it was removed meanwhile", c->config.name);
                }
                int r = container_refresh(store, c, reterr);
                if (r < 0)
                        return r;
                if (c->status == CONTAINER_EXITED && o->ends && c->state.exited) {
                        *ret_code = c->state.exit_code;
                        return 0;
                }
                if (o->statuses & (1u << c->status) && c->status != CONTAINER_EXITED) {
                        *ret_code = -1;
                        return 0;
                }
                (void) poll(NULL, 0, (int) o->interval_msec);
        }
}

static int wait_one(const Store *store, const WaitOptions *o, const char *word, int *ret_code, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        bool only_end = o->ends && (o->statuses & ~(1u << CONTAINER_EXITED)) == 0;

        int r = container_open(store, word, &c, reterr);
        if (r == -ENOENT && o->ignore) {
                error_done(reterr);
                *ret_code = -1;
                return 0;
        }
        if (r < 0)
                return r;
        return only_end ? wait_end(store, &c, ret_code, reterr) : wait_status(store, &c, o, ret_code, reterr);
}

static int run(Invocation *in, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        WaitOptions *o = in->options;
        bool failed = false;
        const Store *store;

        int r = read_conditions(o, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_words(store, in->arguments, o->latest, &words, reterr);
        for (char **w = words; r >= 0 && *w; w++) {
                _cleanup_error_ Error error = ERROR_NULL;
                int code;

                if (wait_one(store, o, *w, &code, &error) < 0) {
                        error_print(&error);
                        failed = true;
                } else
                        printf("%d\n", code);
                (void) fflush(stdout); /* who reads it wants each as it comes */
        }
        return r < 0 ? r : failed ? 125 : 0;
}

const Verb verb_wait = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Wait until containers end, and print their exit codes",
        .options = tables,
        .options_size = sizeof(WaitOptions),
        .options_default = &defaults,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
