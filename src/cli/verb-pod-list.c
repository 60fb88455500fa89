/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod pod ps, inspect: which pods there are, and all that is known of them. */
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/pod-args.h"
#include "cli/pod-row.h"
#include "cli/verbs.h"

typedef struct ListOptions {
        char **filters, *format, *sort;
        bool ids, names, statuses, latest, namespaces, no_trunc, no_heading, quiet;
} ListOptions;

static int set_sort(void *options, const char *value, Error *reterr) {
        if (!pod_compare_by(value))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not one of created, id, name, number, status");
        return str_replace(&((ListOptions *) options)->sort, value) < 0 ? error_oom(reterr) : 0;
}

#define FIELD(member) offsetof(ListOptions, member)
static const Option list_rows[] = {
        { "ctr-ids", .kind = OPTION_BOOL, .offset = FIELD(ids), .help = "Show the containers' IDs" },
        { "ctr-names", .kind = OPTION_BOOL, .offset = FIELD(names), .help = "Show the containers' names" },
        { "ctr-status", .kind = OPTION_BOOL, .offset = FIELD(statuses), .help = "Show the containers' states" },
        { "filter", 'f', .kind = OPTION_STRV, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "Show only pods for which this holds",
          .complete = COMPLETE_WORDS, .words = pod_filter_keys },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT", .help = "Print as 'json', or by a Go template" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Show the pod made last" },
        { "namespace", .kind = OPTION_BOOL, .offset = FIELD(namespaces), .hidden = true },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten IDs" },
        { "noheading", .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "ns", .kind = OPTION_BOOL, .offset = FIELD(namespaces), .help = "Show cgroup and namespace" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print IDs only" },
        { "sort", .kind = OPTION_SET, .set = set_sort, .metavar = "KEY", .help = "Sort by created (the default), id, name, number or status",
          .complete = COMPLETE_WORDS, .words = pod_sort_keys },
        {},
};
static const Option *const list_options[] = { list_rows, NULL };

static void free_sort(void *options) {
        free(((ListOptions *) options)->sort);
}

typedef struct Entries {
        PodEntry *items;
        size_t n;
} Entries;

static void entries_done(Entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                pod_entry_done(&entries->items[i]);
        free(entries->items);
}
#define _cleanup_entries_ _cleanup_(entries_done)

/* Those that pass. A pod that goes away meanwhile is none; a damaged one is named and left out. */
static int load(const Store *store, const ListOptions *o, Entries *entries, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = pod_filter_matches(o->filters, NULL, reterr);

        if (r >= 0)
                r = pod_list(store, &ids, reterr);
        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_(pod_entry_done) PodEntry entry = { .pod = POD_NULL };
                _cleanup_error_ Error error = ERROR_NULL;

                r = pod_load(store, *id, &entry.pod, &error);
                if (r >= 0)
                        r = engine_pod_members(store, &entry.pod, &entry.members, &error);
                if (r == -ENOMEM)
                        return error_move(reterr, &error);
                if (r < 0) {
                        if (r != -ENOENT)
                                log_warning("%s, leaving it out", error.message);
                        r = 0;
                        continue;
                }
                r = pod_filter_matches(o->filters, &entry, reterr);
                if (r <= 0)
                        continue;
                PodEntry *item = container_array_add((void **) &entries->items, &entries->n, sizeof(PodEntry));
                if (!item)
                        return error_oom(reterr);
                *item = entry;
                entry = (PodEntry){ .pod = POD_NULL };
        }
        return r < 0 ? r : 0;
}

/* The table of --ns, --ctr-ids and so on. */
static char *table_text(const ListOptions *o) {
        bool containers = o->ids || o->names || o->statuses;

        return str_format("table {{.Id}}\t{{.Name}}\t{{.Status}}\t{{.Created}}\t{{.InfraID}}%s%s%s%s%s",
                          o->namespaces ? "\t{{.Cgroup}}\t{{.Namespace}}" : "", o->ids ? "\t{{.ContainerIds}}" : "",
                          o->names ? "\t{{.ContainerNames}}" : "", o->statuses ? "\t{{.ContainerStatuses}}" : "",
                          containers ? "" : "\t{{.NumberOfContainers}}");
}

static int print(const ListOptions *o, const Entries *entries, Error *reterr) {
        _cleanup_json_ json_t *rows = json_array();
        _cleanup_free_ char *table = table_text(o);
        bool json = format_is_json(o->format);
        const FormatList list = { pod_row_names, &pod_row_types, table, 2 };

        for (size_t i = 0; i < entries->n; i++) {
                if (o->quiet) { /* whole, as in Podman */
                        puts(entries->items[i].pod.config.id);
                        continue;
                }
                json_t *row = json ? pod_row_json(&entries->items[i]) : pod_row_fields(&entries->items[i], o->no_trunc, time_now_usec());
                if (json_array_append_new(rows, row) < 0)
                        return error_oom(reterr);
        }
        if (o->quiet)
                return 0;
        if (!table)
                return error_oom(reterr);
        return format_list(&list, o->format, o->no_heading, rows, stdout, reterr);
}

static int run_list(Invocation *in, Error *reterr) {
        const ListOptions *o = in->options;
        _cleanup_entries_ Entries entries = {};
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && o->quiet && o->format)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "quiet and format cannot be used together");
        if (r >= 0)
                r = load(store, o, &entries, reterr);
        if (r < 0)
                return r;
        if (entries.n > 0)
                qsort(entries.items, entries.n, sizeof(PodEntry), pod_compare_by("created"));
        for (; o->latest && entries.n > 1; entries.n--) {
                pod_entry_done(&entries.items[0]);
                memmove(entries.items, entries.items + 1, (entries.n - 1) * sizeof(PodEntry));
        }
        if (entries.n > 0 && o->sort)
                qsort(entries.items, entries.n, sizeof(PodEntry), pod_compare_by(o->sort));
        return print(o, &entries, reterr);
}

const Verb verb_pod_ps = {
        .summary = "List pods",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .options_done = free_sort,
        .run = run_list,
};

/* ---- inspect ---- */

static const char *const maps[] = { "Labels", "PortBindings", NULL };
static const char *const times[] = { "Created", NULL };
static const char *const aliases[] = {
        "ID", "Id", "PidNS", "pid_ns", "UserNS", "userns", "UtsNS", "uts_ns", "CPUPeriod", "cpu_period", "CPUQuota", "cpu_quota",
        "CPUShares", "cpu_shares", "CPUSetCPUs", "cpuset_cpus", "CPUSetMems", "cpuset_mems", "MemoryLimit", "memory_limit",
        "MemorySwap", "memory_swap", "Mounts", "mounts", "Devices", "devices", "SecurityOpts", "security_opt", NULL,
};
const TemplateTypes pod_inspect_types = { .maps = maps, .times = times, .aliases = aliases };

typedef struct InspectOptions {
        char *format;
        bool latest;
} InspectOptions;

static const Option inspect_rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(InspectOptions, format), .metavar = "FORMAT",
          .help = "Print by a Go template instead of JSON" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(InspectOptions, latest), .help = "Take the pod made last" },
        {},
};
static const Option *const inspect_options[] = { inspect_rows, NULL };

static int add(const Store *store, const char *word, bool latest, json_t *all, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;
        json_t *object = NULL;
        int r = pod_choose_one(store, word, latest, &pod, reterr);

        if (r >= 0)
                r = inspect_pod(store, &pod, &object, reterr);
        return r < 0 ? r : json_array_append_new(all, object) < 0 ? error_oom(reterr) : 0;
}

/* What is there is shown, and the failure told after it; one pod alone is no list, as in Podman 4. */
static int run_inspect(Invocation *in, Error *reterr) {
        const InspectOptions *o = in->options;
        const char *format = o->format && strcmp(o->format, "json") == 0 ? NULL : o->format;
        _cleanup_json_ json_t *all = json_array();
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r >= 0 && in->n_arguments == 0 && !o->latest)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "no names or ids specified");
        if (r >= 0 && o->latest)
                r = add(store, in->arguments[0], true, all, reterr);
        for (size_t i = 0; r >= 0 && !o->latest && i < in->n_arguments; i++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (add(store, in->arguments[i], false, all, &error) >= 0)
                        continue;
                error_print(&error);
                status = 125;
        }
        if (r < 0)
                return r;
        if (format)
                r = json_array_size(all) > 0 ? format_objects(format, &pod_inspect_types, all, stdout, reterr) : 0;
        else
                r = format_json(json_array_size(all) == 1 ? json_array_get(all, 0) : all, 5, stdout, reterr);
        return r < 0 ? r : status;
}

const Verb verb_pod_inspect = {
        .arguments = "POD [POD...]",
        .summary = "Show all that is known of pods",
        .options = inspect_options,
        .options_size = sizeof(InspectOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_inspect,
};
