/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod quadlet install, rm, enable, disable, edit: changing unit files. */
#include <stdio.h>

#include "base/str.h"
#include "cli/quadlet-judge.h"
#include "cli/verbs.h"
#include "engine/linger.h"
#include "quadlet/edit.h"
#include "quadlet/enable.h"
#include "quadlet/install.h"

static void print_lines(char *const *lines) {
        for (; lines && *lines; lines++) {
                _cleanup_free_ char *clean = str_escape_control(*lines);

                puts(clean ?: *lines);
        }
}

/* Services of a user end with the last login, unless the user lingers: said once, where it is about to matter. */
static void tell_of_linger(Invocation *in) {
        const Store *store;

        if (invocation_store(in, &store, NULL) >= 0)
                linger_tell(store);
}

/* ---- install ---- */

#define FIELD(member) offsetof(QuadletInstall, member)
static const Option install_rows[] = {
        { "reload-systemd", .kind = OPTION_BOOL, .offset = FIELD(reload), .help = "Have systemd read the files (default true)" },
        { "replace", 'r', .kind = OPTION_BOOL, .offset = FIELD(replace), .help = "Replace what is there under the same names" },
        {},
};
#undef FIELD
static const Option *const install_options[] = { install_rows, NULL };

static int run_install(Invocation *in, Error *reterr) {
        _cleanup_strv_ char **paths = NULL;
        int r = quadlet_install(in->arguments, in->options, &paths, reterr);

        if (r < 0)
                return r;
        print_lines(paths);
        tell_of_linger(in);
        return 0;
}

const Verb verb_quadlet_install = {
        .arguments = "FILE|DIRECTORY [FILE...]",
        .summary = "Install unit files",
        .description = "Verify unit files, put them where systemd's generator reads them, and have systemd do so. A directory, or a .quadlets file "
                       "with several units, is an application: what comes together is removed together. All of it is installed, or nothing.",
        .options = install_options,
        .options_size = sizeof(QuadletInstall),
        .options_default = &(const QuadletInstall){ .reload = true, .judge = quadlet_judge },
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_FILE,
        .run = run_install,
};

/* ---- rm ---- */

#define FIELD(member) offsetof(QuadletRemove, member)
static const Option remove_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Remove all that are yours" },
        { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "Stop those that run" },
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when one is not there" },
        { "reload-systemd", .kind = OPTION_BOOL, .offset = FIELD(reload), .help = "Have systemd forget the services (default true)" },
        {},
};
#undef FIELD
static const Option *const remove_options[] = { remove_rows, NULL };

static int run_remove(Invocation *in, Error *reterr) {
        const QuadletRemove *o = in->options;
        _cleanup_strv_ char **removed = NULL;
        unsigned failed = 0;

        if (o->all == (in->n_arguments > 0))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod %s' requires at least one argument, or the --all flag", in->name);
        int r = quadlet_remove(in->arguments, o, &removed, &failed, reterr);
        print_lines(removed);
        return r < 0 ? r : failed > 0 ? 125 : 0;
}

const Verb verb_quadlet_rm = {
        .arguments = "UNIT [UNIT...]",
        .summary = "Remove unit files",
        .description = "Remove unit files, each with all that was installed with it.",
        .options = remove_options,
        .options_size = sizeof(QuadletRemove),
        .options_default = &(const QuadletRemove){ .reload = true },
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_UNIT,
        .run = run_remove,
};

/* ---- enable, disable ---- */

#define FIELD(member) offsetof(QuadletEnable, member)
static const Option enable_rows[] = {
        { "now", .kind = OPTION_BOOL, .offset = FIELD(now), .help = "Start the services, too" },
        { "reload-systemd", .kind = OPTION_BOOL, .offset = FIELD(reload), .help = "Have systemd read the files (default true)" },
        {},
};
static const Option disable_rows[] = {
        { "now", .kind = OPTION_BOOL, .offset = FIELD(now), .help = "Stop the services, too" },
        { "reload-systemd", .kind = OPTION_BOOL, .offset = FIELD(reload), .help = "Have systemd read the files (default true)" },
        {},
};
#undef FIELD
static const Option *const enable_options[] = { enable_rows, NULL };
static const Option *const disable_options[] = { disable_rows, NULL };

static int run_enable(Invocation *in, Error *reterr) {
        const QuadletEnable *o = in->options;
        int r = 0;

        for (char **word = in->arguments; *word && r >= 0; word++) {
                _cleanup_strv_ char **said = NULL;

                r = quadlet_enable(*word, o, &said, reterr);
                print_lines(said);
        }
        if (r >= 0 && o->enable)
                tell_of_linger(in);
        return r < 0 ? r : 0;
}

const Verb verb_quadlet_enable = {
        .arguments = "UNIT [UNIT...]",
        .summary = "Have services start by themselves",
        .description = "Have the services of unit files start at boot, or when the user's manager starts. systemctl enable does not work on what a "
                       "generator has made; this writes a drop-in with WantedBy=, and says so.",
        .options = enable_options,
        .options_size = sizeof(QuadletEnable),
        .options_default = &(const QuadletEnable){ .enable = true, .reload = true },
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_UNIT,
        .run = run_enable,
};

const Verb verb_quadlet_disable = {
        .arguments = "UNIT [UNIT...]",
        .summary = "Have services not start by themselves",
        .description = "Undo 'sdpod quadlet enable'; or, where the file itself says WantedBy=, write a drop-in that takes it back.",
        .options = disable_options,
        .options_size = sizeof(QuadletEnable),
        .options_default = &(const QuadletEnable){ .reload = true },
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_UNIT,
        .run = run_enable,
};

/* ---- edit ---- */

#define FIELD(member) offsetof(QuadletEdit, member)
static const Option edit_rows[] = {
        { "drop-in", .kind = OPTION_BOOL, .offset = FIELD(drop_in), .help = "Edit UNIT.d/override.conf, which goes on top of the file" },
        { "reload-systemd", .kind = OPTION_BOOL, .offset = FIELD(reload), .help = "Have systemd read the files (default true)" },
        {},
};
#undef FIELD
static const Option *const edit_options[] = { edit_rows, NULL };

static int run_edit(Invocation *in, Error *reterr) {
        _cleanup_free_ char *said = NULL;
        int r = quadlet_edit(in->arguments[0], in->options, &said, reterr);

        if (r >= 0)
                print_lines((char *[]){ said, NULL });
        return r;
}

const Verb verb_quadlet_edit = {
        .arguments = "UNIT",
        .summary = "Edit a unit file",
        .description = "Edit a copy of a unit file with $EDITOR. It takes the file's place when it is right, and systemd reads it.",
        .options = edit_options,
        .options_size = sizeof(QuadletEdit),
        .options_default = &(const QuadletEdit){ .reload = true },
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_UNIT,
        .run = run_edit,
};
