/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod search: sdpod-image asks the registries, the list is made here. */
#include <stdio.h>

#include "base/json.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/image-exec.h"
#include "cli/registry-options.h"
#include "cli/verbs.h"

enum { DESCRIPTION_LENGTH = 44 };

typedef struct SearchOptions {
        RegistryWords registry;
        char **filters, *format;
        int64_t limit;
        bool compatible, list_tags, no_trunc;
} SearchOptions;

#define FIELD(member) offsetof(SearchOptions, member)
static const char *const filter_words[] = { "is-automated=", "is-official=", "stars=", NULL };
static const Option rows[] = {
        OPTION_ROW_AUTHFILE(SearchOptions, registry),
        OPTION_ROW_CERT_DIR(SearchOptions, registry),
        { "compatible", .kind = OPTION_BOOL, .offset = FIELD(compatible), .help = "Show stars, and whether an image is official or automated" },
        { "filter", 'f', .kind = OPTION_LIST, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "List only what matches",
          .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "limit", .kind = OPTION_INT64, .offset = FIELD(limit), .metavar = "N", .help = "At most so many results of each registry; default 25" },
        { "list-tags", .kind = OPTION_BOOL, .offset = FIELD(list_tags), .help = "List the tags of a repository" },
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Do not shorten descriptions" },
        OPTION_ROW_TLS_VERIFY(SearchOptions, registry),
        {},
};
static const Option *const tables[] = { rows, NULL };

static const FormatField fields[] = {
        { "Index", NULL }, { "Name", NULL }, { "Description", NULL }, { "Stars", NULL }, { "Official", NULL }, { "Automated", NULL },
        { "Tag", NULL },   {},
};
static const FormatList short_list = { fields, NULL, "table {{.Name}}\t{{.Description}}" };
static const FormatList long_list = { fields, NULL, "table {{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}" };
static const FormatList tag_list = { fields, NULL, "table {{.Name}}\t{{.Tag}}" };

static int match_bool(const json_t *row, const char *key, const char *value, Error *reterr) {
        bool wanted;

        if (parse_bool(value, &wanted) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "neither true nor false");
        return json_get_bool(row, key, false) == wanted;
}

static int match_official(const void *item, const char *value, Error *reterr) {
        return match_bool(item, "Official", value, reterr);
}

static int match_automated(const void *item, const char *value, Error *reterr) {
        return match_bool(item, "Automated", value, reterr);
}

static int match_stars(const void *item, const char *value, Error *reterr) {
        uint64_t stars;

        if (parse_u64(value, &stars) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number");
        return json_get_integer(item, "Stars", 0) >= (int64_t) MIN(stars, (uint64_t) INT64_MAX);
}

static const FilterKey filter_keys[] = {
        { "is-automated", false, match_automated },
        { "is-official", false, match_official },
        { "stars", false, match_stars },
        {},
};

/* As Podman shows it: a word instead of a truth, descriptions in one line and cut. */
static int finish_row(json_t *row, bool no_trunc) {
        static const char *const words[] = { "Official", "Automated" };
        _cleanup_free_ char *text = strdup(json_get_string(row, "Description") ?: "");
        size_t n;

        if (!text)
                return -ENOMEM;
        for (char *p = text; *p; p++)
                if (*p == '\n' || *p == '\r' || *p == '\t')
                        *p = ' ';
        n = strlen(text);
        if (!no_trunc && n > DESCRIPTION_LENGTH) {
                n = DESCRIPTION_LENGTH;
                while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                        n--; /* not in the middle of a character */
                text[n] = 0;
        }
        _cleanup_free_ char *shown = str_format("%s%s", text, !no_trunc && strlen(json_get_string(row, "Description")) > n ? "..." : "");
        if (!shown || json_object_set_new(row, "Description", json_string(shown)) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (json_object_set_new(row, words[i], json_string(json_get_bool(row, words[i], false) ? "[OK]" : "")) < 0)
                        return -ENOMEM;
        return 0;
}

static int filter_rows(const SearchOptions *o, json_t *found, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *kept = json_array();
        json_t *row;
        size_t i;

        if (!kept)
                return error_oom(reterr);
        json_array_foreach(found, i, row) {
                int r = filters_match(o->filters, filter_keys, row, reterr);

                if (r < 0)
                        return r;
                if (r > 0 && (finish_row(row, o->no_trunc) < 0 || json_array_append(kept, row) < 0))
                        return error_oom(reterr);
        }
        *ret = TAKE_PTR(kept);
        return 0;
}

/* Podman's JSON of tags: one object for the repository. */
static int print_tags_json(const json_t *found, Error *reterr) {
        _cleanup_json_ json_t *tags = json_array(), *all = NULL;
        const json_t *row;
        const char *name = NULL;
        size_t i;

        json_array_foreach(found, i, row) {
                name = json_get_string(row, "Name");
                if (json_array_append(tags, json_object_get(row, "Tag")) < 0)
                        return error_oom(reterr);
        }
        all = name ? json_pack("[{s:s, s:O}]", "Name", name, "Tags", tags) : json_array();
        return all ? format_json(all, 4, stdout, reterr) : error_oom(reterr);
}

/* Podman's JSON of what was found: all fields, whether this registry says them or not. */
static int print_found_json(const json_t *found, Error *reterr) {
        _cleanup_json_ json_t *all = json_array();
        json_t *row;
        size_t i;

        json_array_foreach(found, i, row) {
                json_t *whole = json_object();

                for (const FormatField *field = fields; field->name && whole; field++) {
                        json_t *value = json_object_get(row, field->name);

                        if (json_object_set_new(whole, field->name, value ? json_incref(value) : json_string("")) < 0)
                                return json_decref(whole), error_oom(reterr);
                }
                if (!whole || json_array_append_new(all, whole) < 0)
                        return error_oom(reterr);
        }
        return all ? format_json(all, 4, stdout, reterr) : error_oom(reterr);
}

static int ask(const SearchOptions *o, const Invocation *in, json_t **ret, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *limit = str_format("--limit=%lld", (long long) o->limit), *text = NULL;

        if (!limit || strv_append(&words, "search") < 0 || strv_append(&words, limit) < 0 ||
            (o->list_tags && strv_append(&words, "--list-tags") < 0))
                return error_oom(reterr);
        int r = registry_words(&o->registry, in, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_append(&words, in->arguments[0]) < 0)
                return error_oom(reterr);
        r = image_capture(in, words, &text, reterr);
        if (r != 0)
                return r;
        return json_parse(text, strlen(text), "the result of the search", ret, reterr);
}

static int run(Invocation *in, Error *reterr) {
        const SearchOptions *o = in->options;
        _cleanup_json_ json_t *found = NULL, *kept = NULL;

        if (o->limit < 0 || o->limit > 100000)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --limit %lld: it is a number up to 100000", (long long) o->limit);
        if (o->list_tags && o->filters)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --filter with --list-tags");
        int r = filters_match(o->filters, filter_keys, NULL, reterr);
        if (r >= 0)
                r = ask(o, in, &found, reterr);
        if (r != 0)
                return r;
        if (o->list_tags && format_is_json(o->format))
                return print_tags_json(found, reterr);
        if (o->list_tags)
                return format_list(&tag_list, o->format, /* no_heading= */ false, found, stdout, reterr);
        r = filter_rows(o, found, &kept, reterr);
        if (r < 0 || (json_array_size(kept) == 0 && !o->format))
                return r; /* no heading over nothing, as in Podman */
        if (format_is_json(o->format))
                return print_found_json(kept, reterr);
        return format_list(o->compatible ? &long_list : &short_list, o->format, /* no_heading= */ false, kept, stdout, reterr);
}

const Verb verb_search = {
        .arguments = "TERM",
        .summary = "Search registries for images",
        .description = "Search registries for images: the one before the first slash, or those that registries.conf names.",
        .options = tables,
        .options_size = sizeof(SearchOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
