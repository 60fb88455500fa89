/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod wait: blocks until containers are in a state, and prints their exit codes. */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/verbs.h"
#include "engine/exit-watch.h"
#include "state/health.h"

enum { DEFAULT_INTERVAL_MSEC = 250 };

typedef struct WaitOptions {
        char **conditions;
        uint32_t statuses;  /* 1 << ContainerStatus */
        bool ends;          /* a condition is met by the end of the run */
        bool healthy, unhealthy;
        bool ignore, latest, first_match;
        uint64_t interval_msec;
} WaitOptions;

static const WaitOptions defaults = { .interval_msec = DEFAULT_INTERVAL_MSEC };

/* Podman's names of states; the end of a run is the default. "unknown" is a state that no container of ours has. */
static const struct {
        const char *name;
        ContainerStatus status;
        bool ends;
} condition_table[] = {
        { "configured", CONTAINER_CREATED },      { "created", CONTAINER_CREATED },      { "exited", CONTAINER_EXITED, true },
        { "healthy", _CONTAINER_STATUS_MAX },     { "initialized", CONTAINER_INITIALIZED }, { "paused", CONTAINER_PAUSED },
        { "removing", CONTAINER_REMOVING },       { "running", CONTAINER_RUNNING },      { "stopped", CONTAINER_EXITED, true },
        { "stopping", CONTAINER_STOPPING },       { "unhealthy", _CONTAINER_STATUS_MAX },
        { "unknown", _CONTAINER_STATUS_MAX },
};

static const char *const condition_words[] = { "configured", "created", "exited", "healthy", "initialized", "paused", "removing",
                                               "running", "stopped", "stopping", "unhealthy", "unknown", NULL };

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
        { "exit-first-match", .kind = OPTION_BOOL, .offset = FIELD(first_match), .help = "End with the first container for which it holds" },
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
                if (condition_table[i].status < _CONTAINER_STATUS_MAX)
                        o->statuses |= 1u << condition_table[i].status;
                o->healthy = o->healthy || str_equal(*c, "healthy");
                o->unhealthy = o->unhealthy || str_equal(*c, "unhealthy");
                o->ends = o->ends || condition_table[i].ends;
        }
        return 0;
}

/* Waits for the end of the run that goes on, or went on last. */
static int wait_end(const Store *store, Container *c, int *ret_code, Error *reterr) {
        _cleanup_exit_watch_ ExitWatch watch = EXIT_WATCH_NULL;

        if (c->pidfd < 0 && c->state.exited) { /* just read */
                *ret_code = c->state.exit_code;
                return 0;
        }
        int r = exit_watch_begin(store, c, &watch, reterr);

        return r < 0 ? r : exit_watch_wait(&watch, ret_code, reterr);
}

static bool is_gone(const Container *c) {
        return faccessat(c->dir_fd, "container.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int has_health(const Store *store, Container *c, const WaitOptions *o, Error *reterr) {
        if ((!o->healthy && !o->unhealthy) || c->pidfd < 0)
                return 0;
        _cleanup_free_ char *health = health_status(store, c);
        if (!health)
                return error_oom(reterr);
        return (o->healthy && str_equal(health, "healthy")) || (o->unhealthy && str_equal(health, "unhealthy"));
}

/* What has ended will not get well by itself, nor ill. */
static int never_so(const Container *c, Error *reterr) {
        return error_set(reterr, -ESRCH, ERROR_STATE, "cannot wait for the health of '%s': it has ended", c->config.name);
}

/* Whether one of the conditions holds: 1, 0. The exit code belongs to the end alone: -1 for other states. */
static int look(const Store *store, Container *c, const WaitOptions *o, int *ret_code, Error *reterr) {
        *ret_code = -1;
        if (is_gone(c))
                return o->ends || o->statuses & (1u << CONTAINER_REMOVING)
                               ? 1
                               : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot wait for '%s': it was removed meanwhile",
                                           c->config.name);
        int r = container_refresh(store, c, reterr);
        if (r < 0)
                return r;
        if (c->pidfd < 0 && o->ends && (c->state.exited || (!o->conditions && c->state.started_usec == 0))) {
                *ret_code = c->state.exit_code;
                return 1;
        }
        if (o->statuses & (1u << c->status) && c->status != CONTAINER_EXITED)
                return 1;
        if (c->status == CONTAINER_EXITED && c->state.exited && o->statuses == 0 && !c->config.restart_policy)
                return never_so(c, reterr);
        return has_health(store, c, o, reterr);
}

static int wait_status(const Store *store, Container *c, const WaitOptions *o, int *ret_code, Error *reterr) {
        for (;;) {
                int r = look(store, c, o, ret_code, reterr);

                if (r != 0)
                        return MIN(r, 0);
                (void) poll(NULL, 0, (int) o->interval_msec);
        }
}

static int wait_one(const Store *store, const WaitOptions *o, const char *word, int *ret_code, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        bool only_end = !o->healthy && !o->unhealthy && o->ends && (o->statuses & ~(1u << CONTAINER_EXITED)) == 0;

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

typedef struct Many {
        Container *items;
        size_t n;
} Many;

static void many_done(Many *many) {
        for (size_t i = 0; i < many->n; i++)
                container_done(&many->items[i]);
        free(many->items);
}

/* Prints the exit code of the first for which a condition holds. */
static int wait_first(const Store *store, const WaitOptions *o, char *const *words, Error *reterr) {
        _cleanup_(many_done) Many many = { .items = calloc(strv_length(words) + 1, sizeof(Container)) };
        int r = many.items ? 0 : error_oom(reterr), code;

        for (char *const *w = words; r >= 0 && *w; w++) {
                many.items[many.n] = CONTAINER_NULL;
                r = container_open(store, *w, &many.items[many.n], reterr);
                if (r >= 0)
                        many.n++;
                else if (r == -ENOENT && o->ignore) {
                        error_done(reterr);
                        puts("-1");
                        return 0;
                }
        }
        while (r >= 0) {
                for (size_t i = 0; i < many.n && r == 0; i++)
                        r = look(store, &many.items[i], o, &code, reterr);
                if (r > 0)
                        printf("%d\n", code);
                if (r != 0)
                        break;
                (void) poll(NULL, 0, (int) o->interval_msec);
        }
        return MIN(r, 0);
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
        if (r >= 0 && o->first_match)
                return wait_first(store, o, words, reterr);
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
