/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod commit, diff, export: sdpod-image carries them out. */
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/image-exec.h"
#include "cli/verbs.h"
#include "engine/stop.h"

/* ---- diff ---- */

typedef struct DiffOptions {
        char *format;
        bool latest;
} DiffOptions;

static const char *const diff_formats[] = { "json", NULL };

#define FORMAT_ROW                                                                                                       \
        { "format", .kind = OPTION_STRING, .offset = offsetof(DiffOptions, format), .metavar = "FORMAT", .help = "Print as json", \
          .complete = COMPLETE_WORDS, .words = diff_formats }

static const Option diff_rows[] = {
        FORMAT_ROW,
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(DiffOptions, latest), .help = "The container that was created last" },
        {},
};
static const Option *const diff_options[] = { diff_rows, NULL };
static const Option image_diff_rows[] = { FORMAT_ROW, {} };
static const Option *const image_diff_options[] = { image_diff_rows, NULL };

static int run_diff(Invocation *in, Error *reterr) {
        const DiffOptions *o = in->options;
        const char *kind = str_after(in->name, "container ") ? "container" : str_after(in->name, "image ") ? "image" : "any";
        _cleanup_strv_ char **words = NULL, **names = NULL;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_words(store, in->arguments, o->latest, &names, reterr);
        if (r < 0)
                return r;
        if (!names)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod %s' requires a name", in->name);
        r = strv_append(&words, "diff");
        if (r >= 0)
                r = image_exec_add(&words, "kind", kind);
        if (r >= 0)
                r = image_exec_add(&words, "format", o->format);
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, names);
        return r < 0 ? error_oom(reterr) : image_exec(in, words, reterr);
}

const Verb verb_diff = {
        .arguments = "CONTAINER|IMAGE [CONTAINER|IMAGE]",
        .summary = "Show what a container or image changed",
        .description = "Show what a container or image changed against the image or layer it stands on, or against a second one.",
        .options = diff_options,
        .options_size = sizeof(DiffOptions),
        .arguments_max = 2,
        .complete = COMPLETE_CONTAINER,
        .run = run_diff,
};

const Verb verb_container_diff = {
        .arguments = "CONTAINER [CONTAINER]",
        .summary = "Show what a container changed",
        .options = diff_options,
        .options_size = sizeof(DiffOptions),
        .arguments_max = 2,
        .complete = COMPLETE_CONTAINER,
        .run = run_diff,
};

const Verb verb_image_diff = {
        .arguments = "IMAGE [IMAGE]",
        .summary = "Show what the last layer of an image changed",
        .options = image_diff_options,
        .options_size = sizeof(DiffOptions),
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_IMAGE,
        .run = run_diff,
};

/* ---- export ---- */

typedef struct ExportOptions {
        char *output;
} ExportOptions;

static const Option export_rows[] = {
        { "output", 'o', .kind = OPTION_STRING, .offset = offsetof(ExportOptions, output), .metavar = "FILE",
          .help = "Write to this file instead of the standard output", .complete = COMPLETE_FILE },
        {},
};
static const Option *const export_options[] = { export_rows, NULL };

static int run_export(Invocation *in, Error *reterr) {
        const ExportOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        int r = strv_append(&words, "export");

        if (r >= 0)
                r = image_exec_add(&words, "output", o->output);
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, in->arguments);
        return r < 0 ? error_oom(reterr) : image_exec(in, words, reterr);
}

const Verb verb_export = {
        .arguments = "CONTAINER",
        .summary = "Write a container's files as a tar archive",
        .options = export_options,
        .options_size = sizeof(ExportOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .run = run_export,
};

/* ---- commit ---- */

typedef struct CommitOptions {
        char *author, **changes, *format, *iidfile, *message;
        bool include_volumes, pause, quiet, squash;
} CommitOptions;

static const char *const commit_formats[] = { "docker", "oci", NULL };

#define FIELD(member) offsetof(CommitOptions, member)
static const Option commit_rows[] = {
        { "author", 'a', .kind = OPTION_STRING, .offset = FIELD(author), .metavar = "NAME", .help = "Who made the image" },
        { "change", 'c', .kind = OPTION_STRV, .offset = FIELD(changes), .metavar = "INSTRUCTION",
          .help = "Alter the image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR" },
        { "format", 'f', .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT", .help = "oci (the default) or docker",
          .complete = COMPLETE_WORDS, .words = commit_formats },
        { "iidfile", .kind = OPTION_STRING, .offset = FIELD(iidfile), .metavar = "FILE", .help = "Write the image's ID to this file",
          .complete = COMPLETE_FILE },
        { "include-volumes", .kind = OPTION_BOOL, .offset = FIELD(include_volumes),
          .help = "The container's volumes become the image's" },
        { "message", 'm', .kind = OPTION_STRING, .offset = FIELD(message), .metavar = "TEXT", .help = "A comment for the image's history" },
        { "pause", 'p', .kind = OPTION_BOOL, .offset = FIELD(pause), .help = "Pause the container meanwhile" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Show no progress" },
        { "squash", 's', .kind = OPTION_BOOL, .offset = FIELD(squash), .help = "Make a single layer of all" },
        {},
};
static const Option *const commit_options[] = { commit_rows, NULL };

static int commit_words(const Invocation *in, const CommitOptions *o, char ***words) {
        const struct {
                const char *option, *value;
        } rows[] = {
                { "author", o->author }, { "format", o->format }, { "iidfile", o->iidfile }, { "message", o->message },
        };
        int r = strv_append(words, "commit");

        for (size_t i = 0; i < ELEMENTSOF(rows) && r >= 0; i++)
                r = image_exec_add(words, rows[i].option, rows[i].value);
        for (char **change = o->changes; r >= 0 && change && *change; change++)
                r = image_exec_add(words, "change", *change);
        if (r >= 0 && o->include_volumes)
                r = strv_append(words, "--include-volumes");
        if (r >= 0 && o->squash)
                r = strv_append(words, "--squash");
        if (r >= 0)
                r = strv_append(words, "--");
        return r < 0 ? r : strv_extend(words, in->arguments);
}

/* The container is frozen while sdpod-image works, and goes on whatever came of it. */
static int run_paused(Invocation *in, char **words, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const Store *store;
        bool paused;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_open(store, in->arguments[0], &c, reterr);
        if (r < 0)
                return r;
        paused = c.status == CONTAINER_RUNNING;
        if (paused) {
                r = engine_pause(store, &c, true, reterr);
                if (r < 0)
                        return r;
        }
        int status = image_run(in, words, reterr);
        if (paused && engine_pause(store, &c, false, &error) < 0) {
                if (status >= 0)
                        return error_move(reterr, &error);
                error_print(&error);
        }
        return status;
}

static int run_commit(Invocation *in, Error *reterr) {
        const CommitOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (commit_words(in, o, &words) < 0)
                return error_oom(reterr);
        return o->pause ? run_paused(in, words, reterr) : image_exec(in, words, reterr);
}

const Verb verb_commit = {
        .arguments = "CONTAINER [IMAGE]",
        .summary = "Make an image of a container",
        .options = commit_options,
        .options_size = sizeof(CommitOptions),
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_CONTAINER,
        .run = run_commit,
};

/* ---- cp ---- */

typedef struct CpOptions {
        bool archive, overwrite, pause;
} CpOptions;

static const CpOptions cp_default = { .archive = true };

#undef FIELD
#define FIELD(member) offsetof(CpOptions, member)
static const Option cp_rows[] = {
        { "archive", 'a', .kind = OPTION_BOOL, .offset = FIELD(archive),
          .help = "Files copied into a container belong to its user (the default)" },
        { "overwrite", .kind = OPTION_BOOL, .offset = FIELD(overwrite), .help = "Directories and other files may replace each other" },
        /* as in Podman: it has no effect any more */
        { "pause", .kind = OPTION_BOOL, .offset = FIELD(pause), .hidden = true },
        {},
};
static const Option *const cp_options[] = { cp_rows, NULL };

static int run_cp(Invocation *in, Error *reterr) {
        const CpOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        int r = strv_append(&words, "cp");

        if (r >= 0 && !o->archive)
                r = strv_append(&words, "--keep-owners");
        if (r >= 0 && o->overwrite)
                r = strv_append(&words, "--overwrite");
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, in->arguments);
        return r < 0 ? error_oom(reterr) : image_exec(in, words, reterr);
}

const Verb verb_cp = {
        .arguments = "[CONTAINER:]SOURCE [CONTAINER:]DESTINATION",
        .summary = "Copy files between containers and the host",
        .description = "Copy files between containers and the host. A path that begins with '.' or '/', or has no colon, is on the host; '-' "
                       "is a tar archive on the standard input or output.",
        .options = cp_options,
        .options_size = sizeof(CpOptions),
        .options_default = &cp_default,
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_COPY,
        .run = run_cp,
};
