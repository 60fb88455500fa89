/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod stats: what containers use. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/container-choose.h"
#include "cli/pod-args.h"
#include "cli/stats-row.h"
#include "cli/verbs.h"
#include "engine/pod.h"

/* The time over which the first report sees how busy the CPU is; later ones have that since the report before. */
enum { FIRST_INTERVAL_USEC = 100000, INTERVAL_MAX_SEC = 86400 };

typedef struct StatsOptions {
        bool all, latest, no_reset, no_stream, no_trunc;
        char *format;
        int interval;
} StatsOptions;

static const StatsOptions defaults = { .interval = 5 };

#define FIELD(member) offsetof(StatsOptions, member)
static const Option common_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Show containers that do not run too" },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT",
          .help = "Print as 'json', or by a Go template, with headings after 'table '" },
        { "no-reset", .kind = OPTION_BOOL, .offset = FIELD(no_reset), .help = "Do not clear the screen between reports" },
        { "no-stream", .kind = OPTION_BOOL, .offset = FIELD(no_stream), .help = "Print one report and end" },
        {},
};
static const Option rows[] = {
        { "interval", 'i', .kind = OPTION_INT, .offset = FIELD(interval), .metavar = "SECONDS",
          .help = "Time between two reports (default 5)" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the container made last" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten IDs" },
        {},
};
static const Option *const tables[] = { common_rows, rows, NULL };

/* One report. */
typedef struct Report {
        StatsEntry *items;
        size_t n, room;
} Report;

static void report_done(Report *report) {
        for (size_t i = 0; i < report->n; i++)
                stats_entry_done(&report->items[i]);
        free(report->items);
        *report = (Report){};
}

typedef struct Watch {
        const Store *store;
        const StatsOptions *options;
        char **words;    /* the containers, or pods, that were named; NULL: all */
        bool of_pods;
        int cgroup_root; /* -errno where there is none */
        Report before;
} Watch;

static void watch_done(Watch *watch) {
        strv_free(watch->words);
        (void) fd_close(watch->cgroup_root);
        report_done(&watch->before);
}

static int check(const StatsOptions *o, size_t n_arguments, Error *reterr) {
        if ((o->all ? 1 : 0) + (o->latest ? 1 : 0) + (n_arguments > 0 ? 1 : 0) > 1)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--all, --latest and containers cannot be used together");
        if (o->interval < 1 || o->interval > INTERVAL_MAX_SEC)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--interval %d': not from 1 to %d seconds", o->interval,
                                 INTERVAL_MAX_SEC);
        return 0;
}

static int add(const Watch *watch, Report *report, const char *pod, Container *c, Error *reterr) {
        if (!watch->words && !watch->options->all && c->pidfd < 0)
                return 0;
        if (report->n == report->room) {
                StatsEntry *grown = reallocarray(report->items, report->room * 2 + 16, sizeof(StatsEntry));

                if (!grown)
                        return error_oom(reterr);
                report->items = grown;
                report->room = report->room * 2 + 16;
        }
        StatsEntry *entry = &report->items[report->n++];
        *entry = (StatsEntry){ .id = TAKE_PTR(c->config.id), .name = TAKE_PTR(c->config.name), .created_usec = c->config.created_usec };
        if (pod && !(entry->pod = strdup(pod)))
                return error_oom(reterr);
        stats_read(c, watch->cgroup_root, &entry->stats);
        return 0;
}

static int by_creation(const void *a, const void *b) {
        const StatsEntry *x = a, *y = b;

        return x->created_usec < y->created_usec ? -1 : x->created_usec > y->created_usec;
}

static int read_all(const Watch *watch, Report *report, Error *reterr) {
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        _cleanup_strv_ char **ids = NULL;
        int r = container_lister_open(watch->store, &lister, reterr);

        if (r >= 0)
                r = container_list(watch->store, &ids, reterr);
        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (!watch->options->all && !container_may_run(&lister, *id))
                        continue;
                r = container_load_listed(&lister, *id, &c, &error);
                if (r == -ENOMEM)
                        return error_move(reterr, &error);
                if (r < 0 && r != -ENOENT)
                        log_warning("%s, leaving it out", error.message);
                r = r < 0 ? 0 : add(watch, report, /* pod= */ NULL, &c, reterr);
        }
        if (r >= 0 && report->n > 0)
                qsort(report->items, report->n, sizeof(StatsEntry), by_creation);
        return r;
}

/* `again`: one that was there before and is gone is none. */
static int read_named(const Watch *watch, bool again, Report *report, Error *reterr) {
        for (char **word = watch->words; *word; word++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = container_open(watch->store, *word, &c, &error);

                if (r == -ENOENT && again)
                        continue;
                r = r < 0 ? error_move(reterr, &error) : add(watch, report, /* pod= */ NULL, &c, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Pod by pod. One that is gone meanwhile is none. */
static int read_pods(const Watch *watch, bool again, Report *report, Error *reterr) {
        _cleanup_strv_ char **all = NULL;
        int r = watch->words ? 0 : pod_list(watch->store, &all, reterr);

        for (char **word = watch->words ?: all; r >= 0 && word && *word; word++) {
                _cleanup_pod_members_ PodMembers members = {};
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_pod_ Pod pod = POD_NULL;

                r = pod_open(watch->store, *word, &pod, &error);
                if (r >= 0)
                        r = engine_pod_members(watch->store, &pod, &members, &error);
                if (r == -ENOENT && (again || !watch->words)) {
                        r = 0;
                        continue;
                }
                if (r < 0)
                        return error_move(reterr, &error);
                for (size_t i = 0; r >= 0 && i < members.n; i++)
                        r = add(watch, report, pod.config.id, &members.items[i], reterr);
        }
        return r;
}

static int read_report(const Watch *watch, bool again, Report *report, Error *reterr) {
        if (watch->of_pods)
                return read_pods(watch, again, report, reterr);
        return watch->words ? read_named(watch, again, report, reterr) : read_all(watch, report, reterr);
}

/* The entry of the report before; most often at the same place. */
static const StatsEntry *find_before(const Report *before, size_t place, const char *id) {
        if (place < before->n && str_equal(before->items[place].id, id))
                return &before->items[place];
        for (size_t i = 0; i < before->n; i++)
                if (str_equal(before->items[i].id, id))
                        return &before->items[i];
        return NULL;
}

/* A container that was started in between counts from its start. */
static void work_out_percents(const Report *before, Report *now) {
        for (size_t i = 0; i < now->n; i++) {
                StatsEntry *entry = &now->items[i];
                const ContainerStats *s = &entry->stats;
                const StatsEntry *old = find_before(before, i, entry->id);
                bool same_run = old && old->stats.running && old->stats.used.cpu_usec <= s->used.cpu_usec;
                uint64_t used = s->used.cpu_usec - (same_run ? old->stats.used.cpu_usec : 0);
                int64_t time = same_run ? s->read_usec - old->stats.read_usec : s->age_usec;

                entry->cpu_percent = s->used.has_cpu && time > 0 ? (double) used / (double) time * 100 : 0;
        }
}

static int print(const Watch *watch, const Report *report, Error *reterr) {
        const StatsOptions *o = watch->options;
        _cleanup_json_ json_t *list = json_array();
        bool json = format_is_json(o->format);

        for (size_t i = 0; i < report->n; i++)
                if (json_array_append_new(list, watch->of_pods ? stats_pod_row(&report->items[i])
                                                : json         ? stats_row_json(&report->items[i], o->no_trunc)
                                                     : stats_row_fields(&report->items[i], o->no_trunc)) < 0)
                        return error_oom(reterr);
        int r = format_list(watch->of_pods ? &stats_pod_list : &stats_list, o->format, /* no_heading= */ false, list, stdout, reterr);
        if (r >= 0 && fflush(stdout) != 0)
                r = error_set_errno(reterr, -errno, "cannot write to standard output");
        return r;
}

static int report_once(Watch *watch, bool again, Error *reterr) {
        _cleanup_(report_done) Report now = {};
        int r = read_report(watch, again, &now, reterr);

        if (r < 0)
                return r;
        work_out_percents(&watch->before, &now);
        if (!watch->options->no_stream && !watch->options->no_reset && isatty(STDOUT_FILENO))
                fputs("\033[H\033[2J", stdout);
        r = print(watch, &now, reterr);
        report_done(&watch->before);
        watch->before = now;
        now = (Report){};
        return r;
}

/* To say how busy a CPU is takes two readings with some time between: no more than what is left of it. */
static int read_first(Watch *watch, Error *reterr) {
        int64_t start = time_monotonic_usec();
        int r = read_report(watch, /* again= */ false, &watch->before, reterr);
        int64_t left = start + FIRST_INTERVAL_USEC - time_monotonic_usec();

        for (size_t i = 0; i < watch->before.n && r >= 0; i++)
                if (watch->before.items[i].stats.used.has_cpu) {
                        (void) poll(NULL, 0, (int) (MAX(left, INT64_C(0)) / 1000));
                        break;
                }
        return r;
}

static int choose_pods(const Store *store, char *const *words, bool latest, char ***ret, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = latest ? pod_choose_one(store, NULL, latest, &pod, reterr) : 0;

        if (r < 0)
                return r;
        return (latest ? strv_append(ret, pod.config.id) : strv_extend(ret, words)) < 0 ? error_oom(reterr) : 0;
}

static int run(Invocation *in, Error *reterr) {
        StatsOptions *o = in->options;
        _cleanup_(watch_done) Watch watch = { .options = o, .cgroup_root = stats_open() };

        int r = check(o, in->n_arguments, reterr);
        if (r >= 0)
                r = invocation_store(in, &watch.store, reterr);
        watch.of_pods = str_equal(in->name, "pod stats");
        if (r >= 0 && (in->n_arguments > 0 || o->latest))
                r = watch.of_pods ? choose_pods(watch.store, in->arguments, o->latest, &watch.words, reterr)
                                  : container_choose_words(watch.store, in->arguments, o->latest, &watch.words, reterr);
        if (r >= 0 && stats_needs_cpu_percent(o->format))
                r = read_first(&watch, reterr);
        for (bool again = false; r >= 0; again = true) {
                r = report_once(&watch, again, reterr);
                if (r < 0 || o->no_stream || (watch.words && watch.before.n == 0))
                        return r;
                (void) poll(NULL, 0, o->interval * 1000);
        }
        return r;
}

const Verb verb_stats = {
        .arguments = "[CONTAINER...]",
        .summary = "Show what containers use: CPU, memory, network, disks, processes",
        .options = tables,
        .options_size = sizeof(StatsOptions),
        .options_default = &defaults,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};

static const Option pod_rows[] = {
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the pod made last" },
        {},
};
static const Option *const pod_tables[] = { common_rows, pod_rows, NULL };

const Verb verb_pod_stats = {
        .arguments = "[POD...]",
        .summary = "Show what the containers of pods use",
        .options = pod_tables,
        .options_size = sizeof(StatsOptions),
        .options_default = &defaults,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run,
};
