/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod logs: what containers wrote. It is given on byte for byte, control bytes too: it is the program's output. */
#include <signal.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/container-choose.h"
#include "cli/pod-args.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "engine/pod.h"
#include "monitor/log-read.h"

typedef struct LogsOptions {
        bool color, follow, latest, names, timestamps;
        char *since, *until;
        char **containers; /* of a pod: those to read */
        int64_t tail;
} LogsOptions;

static const LogsOptions defaults = { .tail = -1 };

static int set_tail(void *options, const char *value, Error *reterr) {
        LogsOptions *o = options;

        if (strcmp(value, "all") == 0)
                o->tail = -1;
        else if (parse_i64(value, &o->tail) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of lines, or 'all'");
        return 0;
}

#define FIELD(member) offsetof(LogsOptions, member)
static const Option rows[] = {
        { "color", .kind = OPTION_BOOL, .offset = FIELD(color), .help = "Give each container's lines a colour" },
        { "follow", 'f', .kind = OPTION_BOOL, .offset = FIELD(follow), .help = "Go on until the containers end" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the container made last" },
        { "names", 'n', .kind = OPTION_BOOL, .offset = FIELD(names), .help = "Of several, begin lines with the name instead of the ID" },
        { "since", .kind = OPTION_STRING, .offset = FIELD(since), .metavar = "TIME",
          .help = "Print what was written from then on: a date, seconds since the epoch, or '10m' ago" },
        { "tail", .kind = OPTION_SET, .set = set_tail, .metavar = "N", .help = "Print only the last N lines" },
        { "timestamps", 't', .kind = OPTION_BOOL, .offset = FIELD(timestamps), .help = "Begin lines with their time" },
        { "until", .kind = OPTION_STRING, .offset = FIELD(until), .metavar = "TIME", .help = "Print what was written before then" },
        {},
};
static const Option *const tables[] = { rows, NULL };

/* Entries with a prefix, on their way to the plain output. */
typedef struct Prefixed {
        LogSink sink;         /* of the output */
        const char *prefix;   /* with its blank */
        bool timestamps;
        bool in_line[_LOG_STREAM_MAX];
} Prefixed;

static int put_prefixed(const LogEntry *e, void *userdata) {
        Prefixed *p = userdata;

        if (!p->in_line[e->stream]) {
                _cleanup_free_ char *head = p->timestamps ? str_format("%s%.*s ", p->prefix, (int) e->time_size, e->time)
                                                          : strdup(p->prefix);
                if (!head)
                        return -ENOMEM;
                const LogEntry before = { .stream = e->stream, .partial = true, .text = head, .size = strlen(head) };
                int r = p->sink.entry(&before, p->sink.userdata);
                if (r != 0)
                        return r;
        }
        p->in_line[e->stream] = e->partial;
        return p->sink.entry(e, p->sink.userdata);
}

static int flush_prefixed(void *userdata) {
        Prefixed *p = userdata;

        return p->sink.idle(p->sink.userdata);
}

static int read_log(const Container *c, const LogReadOptions *options, const LogSink *sink, Error *reterr) {
        const char *driver = c->state.log_driver ?: c->config.log_driver;

        if (c->state.started_usec == 0)
                return 0;
        if (str_equal(driver, "journald"))
                return log_read_journal(c->config.id, options, sink, reterr);
        if (str_equal(driver, "k8s-file") || str_equal(driver, "json-file"))
                return log_read_file(c->state.log_path, options, sink, reterr);
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                         "cannot read the log of '%s': its log driver '%s' keeps none", c->config.name, driver ?: "none");
}

typedef struct Reading {
        const Store *store;
        const LogsOptions *options;
        LogReadOptions read;
        bool several;
} Reading;

/* Podman's: only where there are several, the name where asked, else the ID. `index` chooses a colour. */
static char *make_prefix(const Reading *reading, const Container *c, size_t index) {
        static const unsigned colours[] = { 37, 31, 33, 34, 35, 36, 32 };
        bool named = reading->options->names;

        if (!reading->several)
                return strdup("");
        if (!reading->options->color)
                return named ? str_format("%s ", c->config.name) : str_format("%.12s ", c->config.id);
        return str_format("\033[%um%.*s\033[0m ", colours[index % ELEMENTSOF(colours)],
                          named ? CONTAINER_ID_LENGTH * 4 : 12, named ? c->config.name : c->config.id);
}

static int print_log(const Reading *reading, const char *word, size_t index, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_(log_output_done) LogOutput output = {};
        _cleanup_free_ char *prefix = NULL;
        LogReadOptions read = reading->read;
        Prefixed prefixed = { .timestamps = reading->options->timestamps };
        LogSink sink = { .entry = put_prefixed, .idle = flush_prefixed, .userdata = &prefixed };

        int r = container_open(reading->store, word, &c, reterr);
        if (r < 0)
                return r;
        if (read.follow) {
                read.runtime_fd = container_runtime_fd(reading->store, &c, reterr);
                if (read.runtime_fd < 0)
                        return read.runtime_fd;
        }
        prefix = make_prefix(reading, &c, index);
        if (!prefix)
                return error_oom(reterr);
        prefixed.prefix = prefix;
        bool plain = !*prefix;
        r = log_output_init(&output, STDOUT_FILENO, STDERR_FILENO, plain && reading->options->timestamps, &prefixed.sink);
        if (r < 0)
                return error_oom(reterr);
        return read_log(&c, &read, plain ? &prefixed.sink : &sink, reterr);
}

/* A child that follows one of several; it goes when we go. */
static int follow_in_child(const Reading *reading, const char *word, size_t index, pid_t *ret) {
        pid_t pid = process_fork_bound(SIGTERM);

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;

                int r = print_log(reading, word, index, &error);
                if (r < 0)
                        error_print(&error);
                _exit(r < 0 ? 125 : 0);
        }
        *ret = pid;
        return 0;
}

/* All at once: lines come as they are written, whoever writes. */
static int follow_all(const Reading *reading, char *const *words, Error *reterr) {
        size_t n = strv_length(words), started = 0;
        _cleanup_free_ pid_t *pids = calloc(n + 1, sizeof(pid_t));
        int r = 0, status = 0;

        if (!pids)
                return error_oom(reterr);
        for (; started < n && r >= 0; started++)
                r = follow_in_child(reading, words[started], started, &pids[started]);
        if (r < 0) {
                started--; /* the last one is none */
                (void) error_set_errno(reterr, r, "cannot follow '%s'", words[started]);
        }
        for (size_t i = 0; i < started; i++) {
                int ended = process_reap(pids[i]);

                status = MAX(status, ended);
        }
        return r < 0 ? r : status;
}

static int set_moment(const char *text, int64_t now_usec, uint64_t *ret_nsec, Error *reterr) {
        int64_t usec;

        if (!text)
                return 0;
        int r = time_text_parse(text, now_usec, &usec, reterr);
        if (r < 0)
                return r;
        *ret_nsec = usec > 0 ? (uint64_t) usec * 1000 : 1;
        return 0;
}

static int print_all(const Reading *reading, char *const *words, Error *reterr) {
        for (size_t i = 0; words[i]; i++) {
                int r = print_log(reading, words[i], i, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of a pod: its containers in the order in which they were made, but the infra container, which writes nothing; or those
 * that were chosen by name or ID. */
static int choose_members(const Store *store, const LogsOptions *o, const char *word, char ***ret, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_strv_ char **words = NULL;
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = pod_choose_one(store, word, o->latest, &pod, reterr);

        if (r >= 0)
                r = engine_pod_members(store, &pod, &members, reterr);
        if (r < 0)
                return r;
        for (char **wanted = o->containers; wanted && *wanted; wanted++) {
                bool found = false;

                for (size_t i = 0; i < members.n && !found; i++)
                        found = str_equal(members.items[i].config.name, *wanted) || str_after(members.items[i].config.id, *wanted);
                if (!found)
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "container %s is not in pod %s: no such container", *wanted,
                                         pod.config.name);
                if (strv_append(&words, *wanted) < 0)
                        return error_oom(reterr);
        }
        for (size_t i = 0; !o->containers && i < members.n; i++)
                if (!members.items[i].config.infra && strv_append(&words, members.items[i].config.id) < 0)
                        return error_oom(reterr);
        *ret = TAKE_PTR(words);
        return 0;
}

static int run(Invocation *in, Error *reterr) {
        LogsOptions *o = in->options;
        Reading reading = { .options = o, .read = LOG_READ_ALL };
        _cleanup_strv_ char **words = NULL;
        int64_t now = time_now_usec();
        bool pod = str_equal(in->name, "pod logs");

        int r = set_moment(o->since, now, &reading.read.since_nsec, reterr);
        if (r >= 0)
                r = set_moment(o->until, now, &reading.read.until_nsec, reterr);
        if (r >= 0)
                r = invocation_store(in, &reading.store, reterr);
        if (r >= 0)
                r = pod ? choose_members(reading.store, o, in->arguments[0], &words, reterr)
                        : container_choose_words(reading.store, in->arguments, o->latest, &words, reterr);
        if (r < 0)
                return r;
        if (!words)
                return 0;
        reading.read.tail = o->tail;
        reading.read.follow = o->follow;
        reading.several = pod || strv_length(words) > 1;
        return o->follow && strv_length(words) > 1 ? follow_all(&reading, words, reterr) : print_all(&reading, words, reterr);
}

const Verb verb_logs = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Print what containers wrote",
        .options = tables,
        .options_size = sizeof(LogsOptions),
        .options_default = &defaults,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};

static const Option pod_rows[] = {
        { "container", 'c', .kind = OPTION_STRV, .offset = FIELD(containers), .metavar = "CONTAINER", .complete = COMPLETE_CONTAINER,
          .help = "Only of this container" },
        {},
};
static const Option *const pod_tables[] = { rows, pod_rows, NULL };

const Verb verb_pod_logs = {
        .arguments = "POD",
        .summary = "Print what the containers of a pod wrote",
        .options = pod_tables,
        .options_size = sizeof(LogsOptions),
        .options_default = &defaults,
        .arguments_max = 1,
        .complete = COMPLETE_POD,
        .run = run,
};
