/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod events: what happened, and what happens. */
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/template.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "state/events.h"

typedef struct EventsOptions {
        char **filters, *format, *since, *until;
        bool no_trunc, stream;
} EventsOptions;

static const EventsOptions defaults = { .no_trunc = true, .stream = true };

#define FIELD(member) offsetof(EventsOptions, member)
static const char *const filter_words[] = { "container=", "event=", "image=", "label=", "pod=", "type=", "volume=", NULL };
static const Option rows[] = {
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "Print only what matches",
          .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Print whole IDs; the default" },
        { "since", .kind = OPTION_STRING, .offset = FIELD(since), .metavar = "TIME",
          .help = "Print what happened from then on: a date, seconds since the epoch, or '10m' ago" },
        { "stream", .kind = OPTION_BOOL, .offset = FIELD(stream), .help = "Go on with what happens; the default" },
        { "until", .kind = OPTION_STRING, .offset = FIELD(until), .metavar = "TIME",
          .help = "End there: a date, seconds since the epoch, or '10m' from now" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static const char *const maps[] = { "Attributes", NULL };
static const char *const times[] = { "Time", NULL };
static const TemplateTypes types = { .maps = maps, .times = times };

/* ---- filters ---- */

static const char *text_of(const json_t *event, const char *key) {
        return json_get_string(event, key) ?: "";
}

/* Of one type by its name, or the beginning of its ID. */
static int match_object(const json_t *event, const char *type, const char *value) {
        return str_equal(text_of(event, "Type"), type) &&
               (str_equal(text_of(event, "Name"), value) || (*value && str_after(text_of(event, "ID"), value)));
}

static int match_container(const void *item, const char *value, Error *reterr) {
        (void) reterr;
        return match_object(item, "container", value);
}

static int match_image(const void *item, const char *value, Error *reterr) {
        (void) reterr;
        return match_object(item, "image", value);
}

static int match_pod(const void *item, const char *value, Error *reterr) {
        (void) reterr;
        return match_object(item, "pod", value);
}

static int match_volume(const void *item, const char *value, Error *reterr) {
        (void) reterr;
        return match_object(item, "volume", value);
}

static int match_event(const void *item, const char *value, Error *reterr) {
        const char *status = text_of(item, "Status");

        (void) reterr; /* Docker and Podman differ in the word for the end of a container */
        if (str_equal(value, "die") || str_equal(value, "exited"))
                value = "died";
        return strcasecmp(status, value) == 0; /* podman-events(1) writes loadFromArchive, Podman prints loadfromarchive */
}

static int match_type(const void *item, const char *value, Error *reterr) {
        (void) reterr;
        return str_equal(text_of(item, "Type"), value);
}

static int match_label(const void *item, const char *value, Error *reterr) {
        _cleanup_strv_ char **labels = NULL;
        const json_t *attributes = json_object_get(item, "Attributes");

        if (json_is_object(attributes) && json_to_pairs(attributes, &labels) < 0)
                return error_oom(reterr);
        return filter_label(labels, value);
}

static const FilterKey keys[] = {
        { "container", .match = match_container }, { "event", .match = match_event }, { "image", .match = match_image },
        { "label", .all = true, .match = match_label }, { "pod", .match = match_pod }, { "type", .match = match_type },
        { "volume", .match = match_volume }, {},
};

/* ---- printing ---- */

typedef struct Printer {
        const EventsOptions *options;
        const Template *template; /* NULL: JSON or lines for people */
        bool json;
        int64_t since_usec, until_usec;
} Printer;

/* What a template may name, whether this event has it or not. */
static json_t *to_row(const json_t *event) {
        static const char *const texts[] = { "ID", "Image", "Name", "PodID", "Status", "Time", "Type" };
        const json_t *attributes = json_object_get(event, "Attributes");
        _cleanup_json_ json_t *row = json_object();

        for (size_t i = 0; row && i < ELEMENTSOF(texts); i++)
                if (json_object_set_new(row, texts[i], json_string(text_of(event, texts[i]))) < 0)
                        return NULL;
        if (!row || json_object_set_new(row, "Network", json_string(text_of(event, "network"))) < 0 ||
            json_object_set_new(row, "HealthStatus", json_string(text_of(event, "health_status"))) < 0 ||
            json_object_set_new(row, "ContainerExitCode", json_integer(json_get_integer(event, "ContainerExitCode", 0))) < 0 ||
            json_object_set_new(row, "Attributes", json_is_object(attributes) ? json_deep_copy(attributes) : json_object()) < 0)
                return NULL;
        return json_incref(row);
}

/* Podman's words: a container has its image, name and labels in parentheses; of an image ID and name are told, of a volume
 * its name; of a network that a container is put into, the container. */
static int print_line(const json_t *event, bool no_trunc, Error *reterr) {
        const char *type = text_of(event, "Type"), *id = text_of(event, "ID"), *key;
        _cleanup_free_ char *time = NULL, *name = str_escape_control(text_of(event, "Name")),
                            *image = str_escape_control(text_of(event, "Image")),
                            *log = str_escape_control(text_of(event, "HealthLog"));
        const json_t *value;

        if (!name || !image || !log || time_text_go(text_of(event, "Time"), &time) < 0)
                return error_oom(reterr);
        printf("%s %s %s", time, type, text_of(event, "Status"));
        if (str_equal(type, "container") || str_equal(type, "pod")) {
                printf(" %.*s (image=%s, name=%s", no_trunc ? 64 : 12, id, image, name);
                if (*text_of(event, "health_status"))
                        printf(", health_status=%s", text_of(event, "health_status"));
                if (*log)
                        printf(", health_log=%s", log);
                json_object_foreach((json_t *) json_object_get(event, "Attributes"), key, value) {
                        _cleanup_free_ char *clean_key = str_escape_control(key),
                                            *clean_value = str_escape_control(json_string_value(value) ?: "");

                        if (!clean_key || !clean_value)
                                return error_oom(reterr);
                        printf(", %s=%s", clean_key, clean_value);
                }
                (void) putchar(')');
        } else if (*text_of(event, "network")) {
                _cleanup_free_ char *network = str_escape_control(text_of(event, "network"));

                if (!network)
                        return error_oom(reterr);
                printf(" %.*s (container=%s, name=%s)", no_trunc ? 64 : 12, id, id, network);
        } else {
                if (*id)
                        printf(" %.*s", no_trunc ? 64 : 12, id);
                if (*name)
                        printf(" %s", name);
        }
        (void) putchar('\n');
        return 0;
}

static int print_event(const Printer *p, const json_t *event, Error *reterr) {
        if (p->json)
                return format_json(event, 0, stdout, reterr);
        if (!p->template)
                return print_line(event, p->options->no_trunc, reterr);
        _cleanup_json_ json_t *row = to_row(event);
        if (!row)
                return error_oom(reterr);
        int r = template_execute(p->template, row, &types, isatty(STDOUT_FILENO) ? TEMPLATE_ESCAPE_LINES : TEMPLATE_ESCAPE_NONE, stdout, reterr);
        if (r >= 0)
                (void) putchar('\n');
        return r;
}

/* 1: it lies behind --until, and so does all that follows. */
static int take_line(const Printer *p, const char *line, size_t size, Error *reterr) {
        _cleanup_json_ json_t *event = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int64_t time;

        if (json_parse(line, size, "event", &event, &error) < 0 ||
            time_text_parse(text_of(event, "Time"), /* now_usec= */ 0, &time, &error) < 0) {
                log_debug("passing over an event that cannot be read: %s", error.message ?: "out of memory");
                return 0;
        }
        if (p->until_usec && time >= p->until_usec)
                return 1;
        if (time < p->since_usec)
                return 0;
        int r = filters_match(p->options->filters, keys, event, reterr);
        return r <= 0 ? r : print_event(p, event, reterr);
}

/* How long there is to wait for more, in milliseconds; -1: for ever. */
static int wait_msec(const Printer *p) {
        int64_t left = p->until_usec - time_now_usec();

        return p->until_usec == 0 ? -1 : left <= 0 ? 0 : (int) MIN(left / 1000 + 1, (int64_t) INT32_MAX);
}

static int print_all(const Printer *p, EventReader *reader, Error *reterr) {
        for (;;) {
                size_t size;
                char *line;
                int r = event_reader_next(reader, &line, &size, reterr);

                if (r > 0)
                        r = take_line(p, line, size, reterr);
                else if (r == 0) {
                        struct pollfd fds[] = { { .fd = reader->watch_fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

                        /* whoever read our output may have gone: poll(2) tells that of a pipe */
                        int wait = reader->watch_fd < 0 ? 0 : wait_msec(p);
                        if (fflush(stdout) != 0 || wait == 0)
                                return 0;
                        if (poll(fds, ELEMENTSOF(fds), wait) < 0 && errno != EINTR)
                                return error_set_errno(reterr, -errno, "cannot wait for events");
                        r = (fds[1].revents & (POLLERR | POLLHUP)) != 0;
                }
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

/* A duration reaches into the past for --since, and into the future for --until. */
static int set_moments(const EventsOptions *o, Printer *p, Error *reterr) {
        int64_t now = time_now_usec();
        int r = o->since ? time_text_parse(o->since, now, &p->since_usec, reterr) : 0;

        if (r >= 0 && o->until) {
                uint64_t unused;

                r = time_text_parse(o->until, now, &p->until_usec, reterr);
                if (r >= 0 && o->until[strspn(o->until, "0123456789.")] && parse_duration(o->until, &unused) >= 0)
                        p->until_usec = 2 * now - p->until_usec;
        }
        return r;
}

static int run(Invocation *in, Error *reterr) {
        EventsOptions *o = in->options;
        _cleanup_event_reader_ EventReader reader = { .fd = -EBADF, .old_fd = -EBADF, .watch_fd = -EBADF };
        _cleanup_template_ Template *template = NULL;
        Printer printer = { .options = o, .json = o->format && format_is_json(o->format) };
        const Store *store;

        int r = filters_match(o->filters, keys, /* item= */ NULL, reterr);
        if (r >= 0)
                r = set_moments(o, &printer, reterr);
        if (r >= 0 && o->format && !printer.json)
                r = template_parse(o->format, /* flags= */ 0, &template, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = event_reader_open(store, o->stream, o->stream && !o->since && !o->until, &reader, reterr);
        if (r < 0)
                return r;
        printer.template = template;
        return print_all(&printer, &reader, reterr);
}

const Verb verb_events = {
        .summary = "Print what happens to containers, images and volumes",
        .options = tables,
        .options_size = sizeof(EventsOptions),
        .options_default = &defaults,
        .run = run,
};
