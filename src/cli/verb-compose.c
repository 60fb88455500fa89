/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod compose convert: a program of its own reads the YAML. */
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/verbs.h"
#include "config.h"

typedef struct ComposeOptions {
        char **env_files, **files, **profiles;
        char *output, *directory, *project;
        bool pod, replace;
} ComposeOptions;

#define FIELD(member) offsetof(ComposeOptions, member)
static const Option rows[] = {
        { "env-file", .kind = OPTION_STRV, .offset = FIELD(env_files), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "Take variables from this file, not from .env" },
        { "file", 'f', .kind = OPTION_STRV, .offset = FIELD(files), .metavar = "FILE", .complete = COMPLETE_FILE,
          .help = "The compose file; more are laid over the first (default compose.yaml)" },
        { "output", 'o', .kind = OPTION_STRING, .offset = FIELD(output), .metavar = "DIR", .complete = COMPLETE_DIRECTORY,
          .help = "Write files into this directory and print their paths" },
        { "pod", .kind = OPTION_BOOL, .offset = FIELD(pod), .help = "Put all services into one pod, instead of on networks" },
        { "profile", .kind = OPTION_STRV, .offset = FIELD(profiles), .metavar = "NAME", .help = "Take services of this profile, too; *: of all" },
        { "project-directory", .kind = OPTION_STRING, .offset = FIELD(directory), .metavar = "DIR", .complete = COMPLETE_DIRECTORY,
          .help = "Where relative paths and .env are (default: the first file's directory)" },
        { "project-name", 'p', .kind = OPTION_STRING, .offset = FIELD(project), .metavar = "NAME", .help = "Begin all names with this" },
        { "replace", .kind = OPTION_BOOL, .offset = FIELD(replace), .help = "With --output, write over files that are there" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int add_list(char ***words, const char *option, char *const *values) {
        for (; values && *values; values++)
                if (strv_consume(words, str_format("--%s=%s", option, *values)) < 0)
                        return -ENOMEM;
        return 0;
}

static int add_text(char ***words, const char *option, const char *value) {
        return value ? strv_consume(words, str_format("--%s=%s", option, value)) : 0;
}

static int run(Invocation *in, Error *reterr) {
        static const char program[] = SDPOD_LIBEXECDIR "/sdpod-compose";
        const ComposeOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (o->replace && !o->output)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --replace without --output");
        if (strv_append(&words, program) < 0 || add_list(&words, "env-file", o->env_files) < 0 || add_list(&words, "file", o->files) < 0 ||
            add_list(&words, "profile", o->profiles) < 0 || add_text(&words, "output", o->output) < 0 ||
            add_text(&words, "project-directory", o->directory) < 0 || add_text(&words, "project-name", o->project) < 0 ||
            (o->pod && strv_append(&words, "--pod") < 0) || (o->replace && strv_append(&words, "--replace") < 0))
                return error_oom(reterr);
        (void) fflush(NULL);
        (void) execv(program, words);
        return error_set_errno(reterr, -errno, "cannot run '%s'", program);
}

const Verb verb_compose_convert = {
        .summary = "Turn a compose file into unit files",
        .options = tables,
        .options_size = sizeof(ComposeOptions),
        .run = run,
};
