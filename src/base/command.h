/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a program's commands: what each has, whatever it does, and what follows from that alone. */
#pragma once

#include <stdio.h>

#include "base/option.h"

/* All is borrowed. */
typedef struct Command {
        const char *program;        /* "sdpod" */
        const char *name;           /* "volume create" */
        const char *arguments;      /* metavar of the positional words; NULL: there are none */
        const char *summary;        /* one line, a capital and no full stop */
        const char *description;    /* more lines for --help; NULL: none */
        const Option *const *options, *const *global_options; /* its own tables, and those that hold behind every command */
        size_t arguments_min, arguments_max;
        bool stop_at_argument;      /* options end at the first positional word */
        const char *unknown;        /* see OptionParse */
} Command;

/* A struct for what the rows of a command's tables fill, as `defaults` (NULL: zeros). Owned: options_free(), free(). NULL when out of
 * memory. */
void *command_options_new(size_t size, const void *defaults);

/* Parses the words behind the command's name into the two structs. ERROR_USAGE where it does not take so many arguments, unless help is
 * wanted. options_parse_done() in any case. */
int command_parse(const Command *command, char **words, void *options, void *global_options, OptionParse *parse, Error *reterr);

/* Its --help. */
void command_print_help(FILE *f, const Command *command);
