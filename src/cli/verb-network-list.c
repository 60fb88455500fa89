/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod network ls, inspect, exists. */
#include <stdio.h>

#include "base/str.h"
#include "cli/format.h"
#include "cli/network-json.h"
#include "cli/verbs.h"

/* ---- network ls ---- */

typedef struct ListOptions {
        char **filters, *format;
        bool no_heading, no_trunc, quiet;
} ListOptions;

static const char *const filter_words[] = { "dangling=true", "dangling=false", "driver=", "id=", "label=", "label!=", "name=", "until=", NULL };
#define FIELD(member) offsetof(ListOptions, member)
static const Option list_rows[] = {
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "List only what matches",
          .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Print IDs in full" },
        { "noheading", 'n', .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print names only" },
        {},
};
static const Option *const list_options[] = { list_rows, NULL };

static const FormatField list_fields[] = {
        { "ID", "NETWORK ID" },   { "Name", NULL },        { "Driver", NULL },    { "Labels", NULL },
        { "Created", NULL },      { "Subnets", NULL },     { "Routes", NULL },    { "NetworkInterface", NULL },
        { "Internal", NULL },     { "IPv6Enabled", NULL }, { "DNSEnabled", NULL }, { "NetworkDNSServers", NULL },
        { "Options", NULL },      { "IPAMOptions", NULL }, {},
};

static const FormatList list_format = { list_fields, &network_template_types, "table {{.ID}}\t{{.Name}}\t{{.Driver}}", 2 };

typedef struct Rows {
        json_t *array;
        bool json, no_trunc;
} Rows;

/* A row of the list is a network, but for its short ID and its labels in one word. */
static int list_row(const NetworkConfig *network, const Rows *rows, json_t **ret) {
        _cleanup_json_ json_t *row = network_to_fields(network, /* use= */ NULL);
        _cleanup_free_ char *labels = strv_join(network->labels, ","), *id = str_format(rows->no_trunc ? "%s" : "%.12s", network->id);

        if (!row || !labels || !id || json_object_set_new(row, "Labels", json_text(labels)) < 0 ||
            json_object_set_new(row, "ID", json_string(id)) < 0)
                return -ENOMEM;
        (void) json_object_del(row, "Containers");
        *ret = TAKE_PTR(row);
        return 0;
}

static int add_row(const NetworkConfig *network, _unused_ const NetworkUse *use, void *data, Error *reterr) {
        const Rows *rows = data;
        json_t *row = rows->json ? network_to_json(network, /* use= */ NULL) : NULL;

        if (!rows->json && list_row(network, rows, &row) < 0)
                return error_oom(reterr);
        return json_array_append_new(rows->array, row) < 0 ? error_oom(reterr) : 0;
}

static int run_list(Invocation *in, Error *reterr) {
        ListOptions *o = in->options;
        _cleanup_json_ json_t *array = json_array();
        Rows rows = { array, .json = format_is_json(o->format), .no_trunc = o->no_trunc };
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = networks_each(store, o->filters, /* want_use= */ false, add_row, &rows, reterr);
        if (r < 0)
                return r;
        if (o->quiet && !o->format)
                return format_quiet(array, "Name", /* no_trunc= */ true, stdout, reterr);
        return rows.json ? format_json(array, 2, stdout, reterr) : format_list(&list_format, o->format, o->no_heading, array, stdout, reterr);
}

const Verb verb_network_ls = {
        .summary = "List networks",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .run = run_list,
};

/* ---- network inspect ---- */

typedef struct InspectOptions {
        char *format;
} InspectOptions;

static const Option inspect_rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(InspectOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        {},
};
static const Option *const inspect_options[] = { inspect_rows, NULL };

/* Shows what is there, and ends with 125 when something is not, as Podman does. */
static int run_inspect(Invocation *in, Error *reterr) {
        InspectOptions *o = in->options;
        _cleanup_json_ json_t *array = json_array();
        _cleanup_network_use_ NetworkUse use = {};
        bool json = !o->format || format_is_json(o->format);
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r >= 0)
                r = network_use_read(store, &use, reterr);
        for (char **name = in->arguments; r >= 0 && *name; name++) {
                _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (network_open(store, *name, &network, &error) < 0) {
                        (void) error_prefix(&error, error.code, "inspecting object: network %s", *name);
                        error_print(&error);
                        status = 125;
                } else if (json_array_append_new(array, json ? network_to_json(&network, &use) : network_to_fields(&network, &use)) < 0)
                        r = error_oom(reterr);
        }
        if (r >= 0)
                r = json ? format_json(array, 5, stdout, reterr) : format_objects(o->format, &network_template_types, array, stdout, reterr);
        return r < 0 ? r : status;
}

const Verb verb_network_inspect = {
        .arguments = "NETWORK [NETWORK...]",
        .summary = "Show networks in full",
        .options = inspect_options,
        .options_size = sizeof(InspectOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_NETWORK,
        .run = run_inspect,
};

/* ---- network exists ---- */

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = network_open(store, in->arguments[0], &network, reterr);
        if (r == -ENOENT) {
                error_done(reterr);
                return 1;
        }
        return r;
}

const Verb verb_network_exists = {
        .arguments = "NETWORK",
        .summary = "Tell by the exit status whether a network exists",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_NETWORK,
        .run = run_exists,
};
