/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod load, import: handed over to sdpod-image, which takes this process's place. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/verbs.h"
#include "config.h"

/* Replaces this process. Only returns with an error. */
static int exec_image(const Invocation *in, char **words, Error *reterr) {
        static const char program[] = SDPOD_LIBEXECDIR "/sdpod-image";
        _cleanup_strv_ char **argv = NULL;
        const struct {
                const char *option, *value;
        } globals[] = {
                { "--root", in->global.root },
                { "--runroot", in->global.runroot },
                { "--log-level", log_get_level() >= LOG_LEVEL_DEBUG ? "debug" : log_get_level() >= LOG_LEVEL_INFO ? "info" : NULL },
        };

        if (strv_append(&argv, program) < 0)
                return error_oom(reterr);
        for (size_t i = 0; i < ELEMENTSOF(globals); i++)
                if (globals[i].value && (strv_append(&argv, globals[i].option) < 0 || strv_append(&argv, globals[i].value) < 0))
                        return error_oom(reterr);
        if (strv_extend(&argv, words) < 0)
                return error_oom(reterr);
        (void) fflush(NULL);
        (void) execv(program, argv);
        return error_set_errno(reterr, -errno, "cannot run '%s'", program);
}

/* Appends "--option=value" where there is a value. */
static int add(char ***words, const char *option, const char *value) {
        return value ? strv_consume(words, str_format("--%s=%s", option, value)) : 0;
}

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

        if (strv_append(&words, "load") < 0 || add(&words, "input", o->input) < 0)
                return error_oom(reterr);
        return exec_image(in, words, reterr);
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
                r = add(&words, "message", o->message);
        if (r >= 0)
                r = add(&words, "arch", o->architecture);
        if (r >= 0)
                r = add(&words, "os", o->os);
        if (r >= 0)
                r = add(&words, "variant", o->variant);
        for (char **change = o->changes; r >= 0 && change && *change; change++)
                r = add(&words, "change", *change);
        if (r >= 0)
                r = strv_append(&words, "--");
        if (r >= 0)
                r = strv_extend(&words, in->arguments);
        return r < 0 ? error_oom(reterr) : exec_image(in, words, reterr);
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
