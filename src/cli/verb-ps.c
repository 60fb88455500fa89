/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod ps: which containers there are. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/container-filter.h"
#include "cli/ps-row.h"
#include "cli/verbs.h"
#include "engine/namespaces.h"
#include "engine/stop.h"
#include "engine/inspect.h"
#include "state/health.h"
#include "state/pod.h"

typedef struct PsOptions {
        bool all, latest, namespaces, no_trunc, no_heading, pod, quiet, size, sync;
        char **filters, *format, *sort;
        int last;
        uint32_t watch;
} PsOptions;

static const PsOptions defaults = { .last = -1 };

#define FIELD(member) offsetof(PsOptions, member)
static const Option rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Show containers that do not run too" },
        /* no other program keeps containers in this store: all that there are is shown in any case */
        { "external", .kind = OPTION_NOTHING, .hidden = true },
        { "filter", 'f', .kind = OPTION_STRV, .offset = FIELD(filters), .metavar = "KEY=VALUE",
          .help = "Show only containers for which this holds", .complete = COMPLETE_WORDS, .words = container_filter_keys },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT",
          .help = "Print as 'json', or by a Go template, with headings after 'table '" },
        { "last", 'n', .kind = OPTION_INT, .offset = FIELD(last), .help = "Show the N containers made last, in any state" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Show the container made last, in any state" },
        { "namespace", .kind = OPTION_BOOL, .offset = FIELD(namespaces), .hidden = true },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten IDs and commands" },
        { "noheading", .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "ns", .kind = OPTION_BOOL, .offset = FIELD(namespaces), .help = "Show the namespaces of the processes" },
        { "pod", 'p', .kind = OPTION_BOOL, .offset = FIELD(pod), .help = "Show the containers' pods" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print IDs only" },
        { "size", 's', .kind = OPTION_BOOL, .offset = FIELD(size), .help = "Show how much the containers wrote" },
        { "sort", .kind = OPTION_STRING, .offset = FIELD(sort), .metavar = "KEY",
          .help = "Sort by command, created (the default), id, image, names, runningfor, size or status",
          .complete = COMPLETE_WORDS, .words = ps_sort_keys },
        { "sync", .kind = OPTION_BOOL, .offset = FIELD(sync), .hidden = true }, /* status is always asked of the kernel */
        { "watch", 'w', .kind = OPTION_UINT32, .offset = FIELD(watch), .metavar = "SECONDS",
          .help = "Print again at this interval" },
        {},
};
static const Option *const tables[] = { rows, NULL };

typedef struct Entries {
        PsEntry **items; /* each one owned: what is sorted is small */
        size_t n, room;
} Entries;

static PsEntry *entry_free(PsEntry *entry) {
        if (entry) {
                container_done(&entry->container);
                free(entry->health);
                free(entry->pod_name);
                free(entry);
        }
        return NULL;
}

static void entries_done(Entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                entry_free(entries->items[i]);
        free(entries->items);
        *entries = (Entries){};
}
#define _cleanup_entries_ _cleanup_(entries_done)

static int entries_append(Entries *entries, PsEntry *entry) {
        if (entries->n == entries->room) {
                PsEntry **grown = reallocarray(entries->items, entries->room * 2 + 16, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                entries->items = grown;
                entries->room = entries->room * 2 + 16;
        }
        entries->items[entries->n++] = entry;
        return 0;
}

static int check(const PsOptions *o, Error *reterr) {
        if (o->last >= 0 && o->latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--last and --latest cannot be used together");
        if (o->quiet && (o->size || o->namespaces))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--quiet cannot be used with --size or --ns");
        if (o->size && o->namespaces)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--size and --ns cannot be used together");
        if (o->watch > 0 && o->latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--watch and --latest cannot be used together");
        return 0;
}

/* A thousand containers must not need thousands of descriptors. */
static void close_descriptors(Container *c) {
        c->dir_fd = fd_close(c->dir_fd);
        c->pidfd = fd_close(c->pidfd);
        c->runtime_fd = fd_close(c->runtime_fd);
}

/* Owned; a pod that is just being removed has none. */
static char *pod_name(const Store *store, const char *id) {
        _cleanup_pod_ Pod pod = POD_NULL;

        return strdup(pod_load(store, id, &pod, /* reterr= */ NULL) < 0 ? "" : pod.config.name);
}

static int complete(const Store *store, const PsOptions *o, PsEntry *entry, Error *reterr) {
        Container *c = &entry->container;

        entry->measured = o->size;
        if (o->size) {
                int r = inspect_container_size(store, c, &entry->size_rw, &entry->size_rootfs, reterr);
                if (r < 0)
                        return r;
        }
        close_descriptors(c);
        entry->health = health_status(store, c);
        if (o->pod && c->config.pod)
                entry->pod_name = pod_name(store, c->config.pod);
        return entry->health && (entry->pod_name || !o->pod || !c->config.pod) ? 0 : error_oom(reterr);
}

/* What the rows and filters need of one. What is to be measured, or has ended without anybody to record it, is read whole. */
static int load_one(const ContainerLister *lister, const PsOptions *o, const char *id, Container *c, Error *reterr) {
        const Store *store = lister->store;
        int r = o->size ? container_load(store, id, c, reterr) : container_load_listed(lister, id, c, reterr);

        if (r < 0 || !engine_is_unsettled(c))
                return r;
        container_done(c);
        r = container_load(store, id, c, reterr);
        return r < 0 ? r : engine_settle(store, c, reterr);
}

/* *ret is NULL where it is not among those asked for. */
static int make_entry(const ContainerLister *lister, const PsOptions *o, const ContainerFilter *filter, bool all, const char *id,
                      PsEntry **ret, Error *reterr) {
        PsEntry *entry = calloc(1, sizeof(*entry));
        int r;

        if (!entry)
                return error_oom(reterr);
        entry->container = CONTAINER_NULL;
        r = load_one(lister, o, id, &entry->container, reterr);
        if (r >= 0 && ((!all && entry->container.status != CONTAINER_RUNNING) || !container_filter_matches(filter, &entry->container))) {
                *ret = entry_free(entry);
                return 0;
        }
        if (r >= 0)
                namespaces_take_ports(lister->store, &entry->container);
        if (r >= 0)
                r = complete(lister->store, o, entry, reterr);
        *ret = r < 0 ? entry_free(entry) : entry;
        return r;
}

/* Loads what is asked for. A container that goes away meanwhile is none; one whose record is damaged is named and left
 * out, so that one bad file does not hide all others. */
static int load(const Store *store, const PsOptions *o, const ContainerFilter *filter, Entries *entries, Error *reterr) {
        bool all = o->all || o->latest || o->last > 0 || container_filter_has(filter, "status");
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        _cleanup_strv_ char **ids = NULL;

        int r = container_lister_open(store, &lister, reterr);
        if (r >= 0 && (all || lister.n_running > 0))
                r = container_list(store, &ids, reterr);
        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                _cleanup_error_ Error error = ERROR_NULL;
                PsEntry *entry = NULL;

                if (!all && !container_may_run(&lister, *id))
                        continue;
                r = make_entry(&lister, o, filter, all, *id, &entry, &error);
                if (r == -ENOENT)
                        continue;
                if (r == -ENOMEM || (entry && entries_append(entries, entry) < 0)) {
                        entry_free(entry);
                        return error_oom(reterr);
                }
                if (r < 0)
                        log_warning("%s, leaving it out", error.message);
        }
        return 0;
}

/* Keeps the `n` made last. */
static void keep_last(Entries *entries, size_t n) {
        size_t drop = entries->n > n ? entries->n - n : 0;

        if (entries->n > 0)
                qsort(entries->items, entries->n, sizeof(PsEntry *), ps_compare_by("created"));
        for (size_t i = 0; i < drop; i++)
                entry_free(entries->items[i]);
        if (drop > 0)
                memmove(entries->items, entries->items + drop, (entries->n - drop) * sizeof(PsEntry *));
        entries->n -= drop;
}

static json_t *make_rows(const PsOptions *o, const Entries *entries, bool json) {
        const PsView view = { .no_trunc = o->no_trunc, .now_usec = time_now_usec() };
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < entries->n; i++) {
                const PsEntry *entry = entries->items[i];
                json_t *row = json ? ps_row_json(entry, &view) : ps_row_fields(entry, &view, o->namespaces);

                if (json_array_append_new(list, row) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static int print_quiet(const PsOptions *o, const Entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                printf("%.*s\n", o->no_trunc ? CONTAINER_ID_LENGTH : 12, entries->items[i]->container.config.id);
        return 0;
}

static int print(const PsOptions *o, const Entries *entries, Error *reterr) {
        const FormatList *base = o->namespaces ? &ps_list_namespaces : &ps_list;
        _cleanup_free_ char *table = str_format("%s%s%s", base->table, o->pod ? "\t{{.Pod}}\t{{.PodName}}" : "", o->size ? "\t{{.Size}}" : "");
        const FormatList list = { base->fields, base->types, table, 2 };
        bool json = format_is_json(o->format);
        _cleanup_json_ json_t *all = NULL;

        if (o->quiet && !o->format)
                return print_quiet(o, entries);
        if (!o->format && !o->namespaces && !o->pod) {
                const PsView view = { .no_trunc = o->no_trunc, .now_usec = time_now_usec() };
                int r = ps_table_write(entries->items, entries->n, &view, o->size, o->no_heading, stdout);

                return r == -ENOMEM ? error_oom(reterr) : r < 0 ? error_set_errno(reterr, r, "cannot write the table") : 0;
        }
        all = make_rows(o, entries, json);
        if (!all || !table)
                return error_oom(reterr);
        return format_list(&list, o->format, o->no_heading, all, stdout, reterr);
}

static int show(const Store *store, const PsOptions *o, const ContainerFilter *filter, Error *reterr) {
        _cleanup_entries_ Entries entries = {};

        int r = load(store, o, filter, &entries, reterr);
        if (r < 0)
                return r;
        if (o->latest || o->last > 0)
                keep_last(&entries, o->latest ? 1 : (size_t) o->last);
        if (entries.n > 0)
                qsort(entries.items, entries.n, sizeof(PsEntry *), ps_compare_by(o->sort ?: "created"));
        return print(o, &entries, reterr);
}

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_filter_ ContainerFilter *filter = NULL;
        PsOptions *o = in->options;
        const Store *store;

        int r = check(o, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_filter_parse(store, o->filters, time_now_usec(), &filter, reterr);
        if (r < 0)
                return r;
        if (o->format && format_uses_field(o->format, "Size"))
                o->size = true; /* who asks for it in a template wants it measured, as with docker */
        for (;;) {
                if (o->watch > 0 && isatty(STDOUT_FILENO))
                        fputs("\033[H\033[2J", stdout);
                r = show(store, o, filter, reterr);
                if (r < 0 || o->watch == 0)
                        return r;
                if (fflush(stdout) != 0)
                        return error_set_errno(reterr, -errno, "cannot write to standard output");
                (void) poll(NULL, 0, (int) MIN(o->watch, 86400u) * 1000);
        }
}

const Verb verb_ps = {
        .summary = "List containers",
        .options = tables,
        .options_size = sizeof(PsOptions),
        .options_default = &defaults,
        .run = run,
};
