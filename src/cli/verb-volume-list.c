/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod volume ls, inspect. */
#include "base/str.h"
#include "cli/verbs.h"
#include "cli/volume-json.h"

typedef struct ListOptions {
        char **filters, *format;
        bool no_heading, quiet;
} ListOptions;

static const char *const filter_words[] = { "anonymous=", "dangling=true", "dangling=false", "driver=", "label=", "label!=", "name=", "opt=", "scope=", "until=", NULL };
#define FIELD(member) offsetof(ListOptions, member)
static const Option list_rows[] = {
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE",
          .help = "List only what matches", .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        { "noheading", 'n', .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print names only" },
        {},
};
static const Option *const list_options[] = { list_rows, NULL };

static const FormatField list_fields[] = {
        { "Name", "VOLUME NAME" }, { "Driver", NULL },     { "Mountpoint", NULL }, { "CreatedAt", NULL },
        { "Labels", NULL },        { "Scope", NULL },      { "Options", NULL },    { "MountCount", NULL },
        { "NeedsCopyUp", NULL },   { "NeedsChown", NULL }, { "Anonymous", NULL },
        { "UID", NULL },         { "GID", NULL },        {},
};

static const FormatList list_format = { list_fields, &volume_template_types, "table {{.Driver}}\t{{.Name}}", 5 };

static int run_list(Invocation *in, Error *reterr) {
        ListOptions *o = in->options;
        _cleanup_json_ json_t *rows = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && o->quiet && o->format)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --quiet with --format");
        if (r >= 0)
                r = volumes_to_json(store, o->filters, /* unused= */ false, &rows, reterr);
        if (r < 0)
                return r;
        if (format_is_json(o->format))
                volumes_leave_out(rows);
        else if (json_array_size(rows) == 0) /* not even headings, as with Podman */
                return 0;
        return o->quiet ? format_quiet(rows, "Name", /* no_trunc= */ true, stdout, reterr)
                        : format_list(&list_format, o->format, o->no_heading, rows, stdout, reterr);
}

const Verb verb_volume_ls = {
        .summary = "List volumes",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .run = run_list,
};

typedef struct InspectOptions {
        char *format;
        bool all;
} InspectOptions;

static const Option inspect_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(InspectOptions, all), .help = "Show all volumes" },
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(InspectOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        {},
};
static const Option *const inspect_options[] = { inspect_rows, NULL };

/* Shows what is there, and ends with 125 when something is not, as Podman does. */
static int collect(const Store *store, char *const *names, json_t *array, Error *reterr) {
        int status = 0;

        for (; *names; names++) {
                _cleanup_volume_ Volume volume = VOLUME_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (volume_open(store, *names, &volume, &error) < 0) {
                        error_print(&error);
                        status = 125;
                } else if (json_array_append_new(array, volume_to_json(store, &volume)) < 0)
                        return error_oom(reterr);
        }
        return status;
}

static int run_inspect(Invocation *in, Error *reterr) {
        InspectOptions *o = in->options;
        _cleanup_json_ json_t *array = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r < 0)
                return r;
        if (o->all == (in->n_arguments > 0))
                return error_set(reterr, -EINVAL, ERROR_USAGE,
                                 o->all ? "'sdpod %s' takes names, or --all, not both"
                                        : "'sdpod %s' requires a name, or --all",
                                 in->name);
        if (o->all)
                r = volumes_to_json(store, NULL, /* unused= */ false, &array, reterr);
        else {
                array = json_array();
                status = r = array ? collect(store, in->arguments, array, reterr) : error_oom(reterr);
        }
        if (r >= 0 && (!o->format || str_equal(o->format, "json")))
                volumes_leave_out(array);
        if (r >= 0)
                r = o->format ? format_objects(o->format, &volume_template_types, array, stdout, reterr)
                              : format_json(array, 5, stdout, reterr);
        return r < 0 ? r : status;
}

const Verb verb_volume_inspect = {
        .arguments = "NAME [NAME...]",
        .summary = "Show volumes in full",
        .options = inspect_options,
        .options_size = sizeof(InspectOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_VOLUME,
        .run = run_inspect,
};
