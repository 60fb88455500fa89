/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a verb: finds it, fills its options, runs it, and tells what went wrong. */
#include "oci/main.h"

#include <stdio.h>
#include <unistd.h>

#include "base/command.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/help.h"

/* The words of runc, which engines and tests know. */
#define UNKNOWN_OPTION "flag provided but not defined"

static char *nothing[] = { NULL };

static Command command_of(const Verb *verb) {
        return (Command){
                .program = "sdpod-oci",
                .name = verb->name,
                .arguments = verb->arguments,
                .summary = verb->summary,
                .description = verb->description,
                .options = verb->options,
                .global_options = global_options_everywhere,
                .arguments_min = verb->arguments_min,
                .arguments_max = verb->arguments_max,
                .stop_at_argument = verb->stop_at_argument,
                .unknown = UNKNOWN_OPTION,
        };
}

static void print_help(const Verb *verb) {
        const Command command = command_of(verb);

        command_print_help(stdout, &command);
}

/* Runs the verb with the words that follow its name. */
static int run_verb(Invocation *in, char **words, Error *reterr) {
        const Verb *verb = in->verb;
        const Command command = command_of(verb);

        in->arguments = nothing;
        if (!verb->ignores_options) {
                int r = command_parse(&command, words, in->options, &in->global, &in->parse, reterr);
                if (r < 0)
                        return r;
                if (in->parse.help) {
                        print_help(verb);
                        return 0;
                }
                in->arguments = in->parse.arguments ?: nothing;
                in->n_arguments = in->parse.n_arguments;
        }
        int r = global_options_apply(&in->global, reterr);
        if (r < 0)
                return r;
        log_debug("%s %s: process %d", verb->name, in->n_arguments > 0 ? in->arguments[0] : "", (int) getpid());
        r = verb->run(in, reterr);
        log_debug("%s: %s %d", verb->name, r < 0 ? "error" : "exit status", r < 0 ? -r : r);
        return r;
}

static int prepare_and_run(Invocation *in, char **words, Error *reterr) {
        const Verb *verb = in->verb;
        _cleanup_free_ void *options = command_options_new(verb->options_size, verb->options_default);

        if (!options)
                return error_oom(reterr);
        in->options = options;
        int r = run_verb(in, words, reterr);
        options_free(verb->options, options);
        options_parse_done(&in->parse);
        in->options = NULL;
        return r;
}

static int dispatch(Invocation *in, char **words, Error *reterr) {
        if (!words[0] || str_equal(words[0], "help")) {
                in->verb = words[0] && words[1] ? verb_find(words[1]) : NULL;
                if (in->verb)
                        print_help(in->verb);
                else
                        help_print_main(stdout);
                return words[0] ? 0 : 1;
        }
        in->verb = verb_find(words[0]);
        if (!in->verb) {
                int r = global_options_apply(&in->global, reterr);
                return r < 0 ? r : error_set(reterr, -EINVAL, ERROR_USAGE, "unknown command '%s'", words[0]);
        }
        return prepare_and_run(in, words + 1, reterr);
}

static int parse_and_dispatch(Invocation *in, char **argv, Error *reterr) {
        const OptionSet set = { global_options, &in->global };
        OptionParse parse = {
                .sets = &set, .n_sets = 1, .words = argv, .next = argv[0] ? 1 : 0, .stop_at_argument = true, .unknown = UNKNOWN_OPTION,
        };
        int r = options_parse(&parse, reterr);

        if (r >= 0 && parse.help)
                help_print_main(stdout);
        else if (r >= 0 && in->global.version)
                help_print_version(stdout);
        else if (r >= 0)
                r = dispatch(in, parse.arguments ?: nothing, reterr);
        options_parse_done(&parse);
        return r;
}

/* A line of its own, as the file of --log has one: whoever reads them takes the hint as a part of it. */
static void print_error(const Error *error, int r) {
        if (error->hint)
                log_line(LOG_LEVEL_ERROR, "%s (%s)", error->message, error->hint);
        else
                log_line(LOG_LEVEL_ERROR, "%s", error->message ?: strerror(-r));
}

bool oci_main_enters(char **argv) {
        for (char **word = argv; *word; word++) {
                const Verb *verb = verb_find(*word);

                if (verb && verb->enters)
                        return true;
        }
        return false;
}

int oci_main(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        Invocation in = { .global = GLOBAL_OPTIONS_NULL };
        int r;

        (void) argc;
        log_set_program("sdpod-oci");
        r = fd_open_standard();
        if (r >= 0)
                r = parse_and_dispatch(&in, argv, &error);
        else
                (void) error_set_errno(&error, r, "cannot open '/dev/null'");
        if (r >= 0 && fflush(stdout) != 0)
                r = error_set_errno(&error, -errno, "cannot write to standard output");
        if (r < 0) {
                /* a log that was asked for gets the faults of the command line as well */
                if (in.global.log_fd < 0)
                        (void) global_options_apply(&in.global, /* reterr= */ NULL);
                print_error(&error, r);
                r = in.verb && in.verb->error_status && error.kind != ERROR_USAGE ? in.verb->error_status : 1;
        }
        global_options_done(&in.global);
        return r;
}
