/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci list: all containers below --root. */
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "oci/state.h"
#include "oci/verb.h"

typedef struct ListOptions {
        char *format;
        bool quiet;
} ListOptions;

static const char *const formats[] = { "table", "json", NULL };

static const Option rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(ListOptions, format), .metavar = "FORMAT",
          .help = "table (the default) or json", .complete = COMPLETE_WORDS, .words = formats },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = offsetof(ListOptions, quiet), .help = "IDs alone" },
        {},
};
static const Option *const options[] = { rows, NULL };

/* One that cannot be read does not keep the others from being shown. */
static int load(const OciRoot *root, const char *id, json_t *list, Error *reterr) {
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        int r = oci_container_open(root, id, /* lock= */ false, &c, &error);
        if (r == -ENOMEM)
                return error_move(reterr, &error);
        if (r < 0) {
                if (r != -ENOENT)
                        log_warning("%s", error.message);
                return 0;
        }
        return json_array_append_new(list, oci_container_json(&c)) < 0 ? error_oom(reterr) : 0;
}

static int load_all(const GlobalOptions *global, json_t *list, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_strv_ char **ids = NULL;

        int r = oci_root_open(global, /* make= */ false, &root, reterr);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = oci_container_list(&root, &ids, reterr);
        for (char **id = ids; r >= 0 && id && *id; id++)
                r = load(&root, *id, list, reterr);
        return r;
}

enum { CELLS = 6, CELL_MIN = 12, PADDING = 3 };

static const char *cell(const json_t *c, size_t column, char number[static 16]) {
        static const char *const keys[CELLS] = { "id", "pid", "status", "bundle", "created", "owner" };

        if (column != 1)
                return json_get_string(c, keys[column]) ?: "";
        (void) snprintf(number, 16, "%d", (int) json_get_integer(c, "pid", 0));
        return number;
}

static void print_cell(const char *text, size_t column, size_t width) {
        if (column + 1 < CELLS)
                printf("%-*s", (int) width, text);
        else
                puts(text);
}

/* The columns of runc, which people's scripts cut. */
static void print_table(const json_t *list) {
        static const char *const headings[CELLS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
        size_t width[CELLS], i;
        char number[16];
        json_t *c;

        for (size_t k = 0; k < CELLS; k++) {
                width[k] = strlen(headings[k]);
                json_array_foreach(list, i, c)
                        width[k] = MAX(width[k], strlen(cell(c, k, number)));
                width[k] = MAX(width[k] + PADDING, (size_t) CELL_MIN);
        }
        for (size_t k = 0; k < CELLS; k++)
                print_cell(headings[k], k, width[k]);
        json_array_foreach(list, i, c)
                for (size_t k = 0; k < CELLS; k++)
                        print_cell(cell(c, k, number), k, width[k]);
}

static int run(Invocation *in, Error *reterr) {
        const ListOptions *o = in->options;
        _cleanup_json_ json_t *list = json_array();
        size_t i;
        json_t *c;

        if (!list)
                return error_oom(reterr);
        int r = load_all(&in->global, list, reterr);
        if (r < 0)
                return r;
        if (o->quiet)
                json_array_foreach(list, i, c)
                        puts(json_get_string(c, "id"));
        else if (!str_equal(o->format, "json"))
                print_table(list);
        else if (json_array_size(list) == 0)
                puts("null"); /* what engines know as the empty list */
        else if (json_dumpf(list, stdout, JSON_COMPACT) >= 0)
                (void) fputc('\n', stdout);
        return 0;
}

const Verb verb_list = {
        .name = "list",
        .summary = "List the containers",
        .options = options,
        .options_size = sizeof(ListOptions),
        .run = run,
};
