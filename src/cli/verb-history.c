/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod history, image history: how an image came to be, newest first. */
#include "base/str.h"
#include "base/time.h"
#include "cli/format.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "image/store.h"

typedef struct HistoryOptions {
        char *format;
        bool human, no_trunc, quiet;
} HistoryOptions;

static const HistoryOptions defaults = { .human = true };

#define FIELD(member) offsetof(HistoryOptions, member)
static const Option history_rows[] = {
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE",
          .help = "Print as 'json', or by a Go template, with headings after 'table '" },
        { "human", 'H', .kind = OPTION_BOOL, .offset = FIELD(human), .help = "Sizes and times for people (the default)" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten IDs and commands" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Print IDs only" },
        {},
};
static const Option *const history_options[] = { history_rows, NULL };

static const FormatField fields[] = {
        { "Comment", NULL }, { "Created", "CREATED" }, { "CreatedAt", NULL }, { "CreatedBy", "CREATED BY" },
        { "CreatedSince", "CREATED" }, { "ID", "ID" }, { "Size", "SIZE" }, { "Tags", NULL }, {},
};
static const FormatList list = { fields, NULL, "table {{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}" };

enum { SHORT_ID = 12, SHORT_COMMAND = 45 };

/* Only the topmost entry is an image that is here. */
static const char missing[] = "<missing>";

static char *shortened(const char *text) {
        return strlen(text) > SHORT_COMMAND ? str_format("%.*s...", SHORT_COMMAND - 3, text) : strdup(text);
}

static json_t *make_row(const ImageInfo *image, const ImageHistory *entry, bool top, uint64_t size, const HistoryOptions *o) {
        int64_t created = 0;
        _cleanup_free_ char *at = NULL, *ago = NULL, *by = o->no_trunc ? strdup(entry->created_by ?: "") : shortened(entry->created_by ?: ""),
                            *bytes = o->human ? time_text_size(size, 3, /* space= */ true) : str_format("%llu", (unsigned long long) size),
                            *go = NULL, *id = top ? str_format("%.*s", o->no_trunc ? 64 : SHORT_ID, image->id) : strdup(missing);

        if (entry->created)
                (void) image_time_parse(entry->created, &created);
        at = image_time_format(created / TIME_USEC_PER_SEC * TIME_USEC_PER_SEC);
        ago = o->human ? time_text_ago(created, time_now_usec()) : at ? strdup(at) : NULL;
        if (!at || !ago || !by || !bytes || !id || time_text_go(at, &go) < 0)
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "ID", id, "Created", ago, "CreatedSince", ago, "CreatedAt", go,
                         "CreatedBy", by, "Size", bytes, "Comment", entry->comment ?: "", "Tags");
}

static json_t *make_json(const ImageInfo *image, const ImageHistory *entry, bool top, uint64_t size) {
        int64_t created = 0;
        _cleanup_free_ char *at = NULL;
        json_t *o;

        if (entry->created)
                (void) image_time_parse(entry->created, &created);
        at = image_time_format(created / TIME_USEC_PER_SEC * TIME_USEC_PER_SEC);
        o = json_pack("{s:s, s:s?, s:s, s:I}", "id", top ? image->id : missing, "created", entry->created, "CreatedBy",
                      entry->created_by ?: "", "size", (json_int_t) size);
        if (o && entry->comment)
                (void) json_object_set_new(o, "comment", json_string(entry->comment));
        if (!at || json_object_set_new(o, "Created", json_string(at)) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

/* Entries in the reverse order, each with the size of the layer that it made. */
static int collect(const Store *store, const ImageInfo *image, const HistoryOptions *o, bool json, json_t **ret, Error *reterr) {
        const ImageConfig *c = &image->config;
        _cleanup_json_ json_t *rows = json_array();
        size_t layer = strv_length(image->layers);

        for (size_t i = c->n_history; i-- > 0;) {
                bool top = i + 1 == c->n_history;
                uint64_t size = 0;

                if (!c->history[i].empty_layer && layer > 0) {
                        int r = image_layer_size(store, image->layers[--layer], &size, reterr);
                        if (r < 0)
                                return r;
                }
                if (json_array_append_new(rows, json ? make_json(image, c->history + i, top, size)
                                                     : make_row(image, c->history + i, top, size, o)) < 0)
                        return error_oom(reterr);
        }
        *ret = TAKE_PTR(rows);
        return 0;
}

static int run(Invocation *in, Error *reterr) {
        HistoryOptions *o = in->options;
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_json_ json_t *rows = NULL;
        bool json = format_is_json(o->format);
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = image_store_resolve(store, in->arguments[0], &image, reterr);
        if (r >= 0)
                r = collect(store, &image, o, json, &rows, reterr);
        if (r < 0)
                return r;
        if (o->quiet && !json)
                return format_quiet(rows, "ID", /* no_trunc= */ true, stdout, reterr);
        return format_list(&list, o->format, /* no_heading= */ false, rows, stdout, reterr);
}

const Verb verb_history = {
        .arguments = "IMAGE",
        .summary = "Show how an image came to be",
        .options = history_options,
        .options_size = sizeof(HistoryOptions),
        .options_default = &defaults,
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run,
};
