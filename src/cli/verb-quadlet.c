/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod quadlet list, print, verify: looking at unit files. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/quadlet-judge.h"
#include "cli/verbs.h"
#include "quadlet/list.h"

/* ---- list ---- */

typedef struct ListOptions {
        char **filters, *format;
        bool no_heading;
} ListOptions;

static const char *const filter_words[] = { "name=", "pod=", "status=", NULL };
#define FIELD(member) offsetof(ListOptions, member)
static const Option list_rows[] = {
        { "filter", 'f', .kind = OPTION_STRV, .offset = FIELD(filters), .metavar = "KEY=VALUE", .help = "List only what matches: name, status, pod",
          .complete = COMPLETE_WORDS, .words = filter_words },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "TEMPLATE", .help = "Print by a Go template, or json" },
        { "noheading", 'n', .kind = OPTION_BOOL, .offset = FIELD(no_heading), .help = "Print no headings" },
        {},
};
#undef FIELD
static const Option *const list_options[] = { list_rows, NULL };

static const FormatField list_fields[] = {
        { "Name", NULL }, { "UnitName", "UNIT NAME" }, { "Path", "PATH ON DISK" }, { "Status", NULL }, { "App", "APPLICATION" },
        { "Pod", NULL },  { "Fault", NULL },           {},
};
static const FormatList list_format = {
        list_fields, NULL, "table {{.Name}}\t{{.UnitName}}\t{{.Path}}\t{{.Status}}\t{{.App}}\t{{.Pod}}", 2
};

static int match_name(const void *item, const char *value, Error *reterr) {
        return filter_regex(((const QuadletRow *) item)->unit->name, value, reterr);
}

static int match_status(const void *item, const char *value, Error *reterr) {
        return filter_regex(((const QuadletRow *) item)->status, value, reterr);
}

static int match_pod(const void *item, const char *value, Error *reterr) {
        return filter_regex(((const QuadletRow *) item)->pod ?: "", value, reterr);
}

static const FilterKey list_filters[] = { { "name", false, match_name }, { "pod", false, match_pod }, { "status", false, match_status }, {} };

static json_t *row_to_json(const QuadletRow *row) {
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "Name", json_text(row->unit->name), "UnitName", json_text(row->service ?: ""),
                         "Path", json_text(row->unit->path), "Status", json_text(row->fault ? "broken" : row->status), "App",
                         json_text(row->application ?: ""), "Pod", json_text(row->pod ?: ""), "Fault", json_text(row->fault ?: ""));
}

static int run_list(Invocation *in, Error *reterr) {
        const ListOptions *o = in->options;
        _cleanup_quadlet_list_ QuadletList list = {};
        _cleanup_json_ json_t *rows = json_array();
        int r = filters_match(o->filters, list_filters, NULL, reterr);

        if (r >= 0)
                r = quadlet_list(/* judge= */ true, &list, reterr);
        for (size_t i = 0; i < list.n && r >= 0; i++) {
                r = filters_match(o->filters, list_filters, list.rows + i, reterr);
                if (r > 0 && json_array_append_new(rows, row_to_json(list.rows + i)) < 0)
                        r = error_oom(reterr);
        }
        return r < 0 ? r : format_list(&list_format, o->format, o->no_heading, rows, stdout, reterr);
}

const Verb verb_quadlet_list = {
        .summary = "List unit files and the state of their services",
        .options = list_options,
        .options_size = sizeof(ListOptions),
        .run = run_list,
};

/* ---- print ---- */

static int run_print(Invocation *in, Error *reterr) {
        _cleanup_quadlet_check_ QuadletCheck check = {};
        _cleanup_free_ char *text = NULL;
        Unit *unit = NULL;
        size_t size = 0;
        int r = quadlet_check_read(&check, /* judge= */ false, reterr);

        if (r >= 0)
                r = quadlet_check_find(&check, in->arguments[0], &unit, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int fd = open(unit->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        r = fd < 0 ? -errno : io_read_all(fd, UNIT_FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", unit->path);
        _cleanup_free_ char *clean = isatty(STDOUT_FILENO) ? str_escape_control_lines(text) : NULL;
        (void) fwrite(clean ?: text, 1, clean ? strlen(clean) : size, stdout);
        return 0;
}

const Verb verb_quadlet_print = {
        .arguments = "UNIT",
        .summary = "Print a unit file",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_UNIT,
        .run = run_print,
};

/* ---- verify ---- */

typedef struct VerifyOptions {
        bool quiet;
} VerifyOptions;

static const Option verify_rows[] = {
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = offsetof(VerifyOptions, quiet), .help = "Print errors only, and no warnings" },
        {},
};
static const Option *const verify_options[] = { verify_rows, NULL };

static int sort_arguments(const Invocation *in, char ***ret_files, char ***ret_directories, Error *reterr) {
        for (size_t i = 0; i < in->n_arguments; i++) {
                struct stat st;
                bool directory = stat(in->arguments[i], &st) >= 0 && S_ISDIR(st.st_mode);

                if (strv_consume(directory ? ret_directories : ret_files,
                                 directory ? realpath(in->arguments[i], NULL) : strdup(in->arguments[i])) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int run_verify(Invocation *in, Error *reterr) {
        const VerifyOptions *o = in->options;
        _cleanup_strv_ char **files = NULL, **directories = NULL;
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_quadlet_check_ QuadletCheck check = {};
        int r = sort_arguments(in, &files, &directories, reterr);

        if (r >= 0 && files)
                r = quadlet_items_read(files, &items, reterr);
        if (r >= 0)
                r = quadlet_check_begin(&check, reterr);
        if (r >= 0)
                r = in->n_arguments > 0 ? quadlet_check_load_items(&check, &items, NULL, directories, reterr) : quadlet_check_load(&check, reterr);
        if (r >= 0)
                r = quadlet_check_run(&check, reterr);
        if (r >= 0 && !o->quiet)
                r = quadlet_judge(&check, reterr);
        if (r < 0)
                return r;
        quadlet_check_print(&check, !o->quiet);
        return check.n_errors > 0;
}

const Verb verb_quadlet_verify = {
        .arguments = "[FILE|DIRECTORY...]",
        .summary = "Tell what is wrong with unit files",
        .description = "Tell what is wrong with unit files, and where: FILE:LINE: MESSAGE. Without arguments, all files that the generator would read "
                       "are looked at. Nothing is changed. Exits with 1 where there is an error.",
        .options = verify_options,
        .options_size = sizeof(VerifyOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_FILE,
        .run = run_verify,
};
