/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command's words, and prints its help. */
#include "base/command.h"

#include <string.h>

#include "base/option-help.h"

void *command_options_new(size_t size, const void *defaults) {
        void *options = calloc(1, MAX(size, (size_t) 1));

        if (options && defaults)
                memcpy(options, defaults, size);
        return options;
}

static int check_arguments(const Command *command, size_t n, Error *reterr) {
        size_t min = command->arguments_min, max = command->arguments_max;

        if (n < min)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'%s %s' requires at least %zu argument%s", command->program, command->name,
                                 min, min == 1 ? "" : "s");
        if (n > max && max == 0)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'%s %s' takes no arguments", command->program, command->name);
        if (n > max)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'%s %s' takes at most %zu argument%s, not %zu", command->program,
                                 command->name, max, max == 1 ? "" : "s", n);
        return 0;
}

int command_parse(const Command *command, char **words, void *options, void *global_options, OptionParse *parse, Error *reterr) {
        const OptionSet sets[] = { { command->options, options }, { command->global_options, global_options } };

        *parse = (OptionParse){ .sets = sets, .n_sets = ELEMENTSOF(sets), .words = words, .unknown = command->unknown,
                                .stop_at_argument = command->stop_at_argument };
        int r = options_parse(parse, reterr);
        if (r >= 0 && !parse->help)
                r = check_arguments(command, parse->n_arguments, reterr);
        parse->sets = NULL; /* they end here */
        parse->n_sets = 0;
        return r;
}

void command_print_help(FILE *f, const Command *command) {
        fprintf(f, "%s\n", command->summary);
        if (command->description) {
                fputs("\nDescription:\n  ", f);
                help_print_wrapped(f, command->description, 2);
        }
        fprintf(f, "\nUsage:\n  %s %s%s%s%s\n", command->program, command->name, options_are_shown(command->options) ? " [options]" : "",
                command->arguments ? " " : "", command->arguments ?: "");
        help_print_options(f, "Options", command->options, NULL);
        help_print_options(f, "Global options", command->global_options, command->options);
}
