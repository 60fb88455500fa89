/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod load, import, save: handed over to sdpod-image. */
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/verbs.h"

typedef struct LoadOptions {
        char *input;
        bool quiet;
} LoadOptions;

static const Option load_rows[] = {
        { "input", 'i', .kind = OPTION_STRING, .offset = offsetof(LoadOptions, input), .metavar = "FILE",
          .help = "Read this archive, or OCI layout directory, instead of the standard input", .complete = COMPLETE_FILE },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = offsetof(LoadOptions, quiet), .help = "Show no progress" },
        {},
};
static const Option *const load_options[] = { load_rows, NULL };

static int run_load(Invocation *in, Error *reterr) {
        LoadOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (strv_append(&words, "load") < 0 || image_exec_add(&words, "input", o->input) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_load = {
        .summary = "Load images from an archive",
        .description = "Load images from an archive that podman, buildah, skopeo or docker saved: an OCI image layout, also as a "
                       "directory, or a docker-archive; compressed or not.",
        .options = load_options,
        .options_size = sizeof(LoadOptions),
        .run = run_load,
};

typedef struct ImportOptions {
        char **changes, *message, *architecture, *os, *variant;
        bool quiet;
} ImportOptions;

#define FIELD(member) offsetof(ImportOptions, member)
static const Option import_rows[] = {
        { "arch", .kind = OPTION_STRING, .offset = FIELD(architecture), .metavar = "ARCH", .help = "The architecture of what is in it" },
        { "change", 'c', .kind = OPTION_STRV, .offset = FIELD(changes), .metavar = "INSTRUCTION",
          .help = "Apply CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR" },
        { "message", 'm', .kind = OPTION_STRING, .offset = FIELD(message), .metavar = "TEXT", .help = "A comment for the history" },
        { "os", .kind = OPTION_STRING, .offset = FIELD(os), .metavar = "OS", .help = "The operating system of what is in it" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Show no progress" },
        { "variant", .kind = OPTION_STRING, .offset = FIELD(variant), .metavar = "VARIANT", .help = "The variant of the architecture" },
        {},
};
static const Option *const import_options[] = { import_rows, NULL };

static int run_import(Invocation *in, Error *reterr) {
        ImportOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        int r = strv_append(&words, "import");

        if (r >= 0)
                r = image_exec_add(&words, "message", o->message);
        if (r >= 0)
                r = image_exec_add(&words, "arch", o->architecture);
        if (r >= 0)
                r = image_exec_add(&words, "os", o->os);
        if (r >= 0)
                r = image_exec_add(&words, "variant", o->variant);
        for (char **change = o->changes; r >= 0 && change && *change; change++)
                r = image_exec_add(&words, "change", *change);
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, in->arguments);
        return r < 0 ? error_oom(reterr) : image_exec(in, words, reterr);
}

const Verb verb_import = {
        .arguments = "FILE [NAME]",
        .summary = "Make an image from a root file system's archive",
        .options = import_options,
        .options_size = sizeof(ImportOptions),
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_FILE,
        .run = run_import,
};

typedef struct SaveOptions {
        char *format, *output;
        bool compress, multiple, quiet, uncompressed;
} SaveOptions;

static const char *const save_formats[] = { "docker-archive", "oci-archive", "oci-dir", "docker-dir", NULL };

#undef FIELD
#define FIELD(member) offsetof(SaveOptions, member)
static const Option save_rows[] = {
        { "compress", .kind = OPTION_BOOL, .offset = FIELD(compress), .help = "Compress layers, with --format docker-dir" },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT",
          .help = "Write a docker-archive (the default), an oci-archive, an oci-dir or a docker-dir", .complete = COMPLETE_WORDS, .words = save_formats },
        { "multi-image-archive", 'm', .kind = OPTION_BOOL, .offset = FIELD(multiple),
          .help = "Further words are images, not names of the first" },
        { "output", 'o', .kind = OPTION_STRING, .offset = FIELD(output), .metavar = "FILE",
          .help = "Write to this file, or directory, instead of the standard output", .complete = COMPLETE_FILE },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Show no progress" },
        /* layers are always written uncompressed */
        { "uncompressed", .kind = OPTION_BOOL, .offset = FIELD(uncompressed), .hidden = true },
        {},
};
static const Option *const save_options[] = { save_rows, NULL };

static int run_save(Invocation *in, Error *reterr) {
        SaveOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        int r = strv_append(&words, "save");

        if (r >= 0)
                r = image_exec_add(&words, "save-format", o->format);
        if (r >= 0)
                r = image_exec_add(&words, "output", o->output);
        if (r >= 0 && o->multiple)
                r = strv_append(&words, "--multiple");
        if (r >= 0 && o->compress)
                r = strv_append(&words, "--compress");
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, in->arguments);
        return r < 0 ? error_oom(reterr) : image_exec(in, words, reterr);
}

const Verb verb_save = {
        .arguments = "IMAGE [NAME...]",
        .summary = "Save an image to an archive",
        .description = "Save an image to an archive or a directory that sdpod, podman, skopeo and docker load. Layers are written as "
                       "they came, uncompressed unless it is asked.",
        .options = save_options,
        .options_size = sizeof(SaveOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_save,
};
