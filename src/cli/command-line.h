/* SPDX-License-Identifier: Apache-2.0 */
/* A command line of sdpod's that stands on record, taken apart again. */
#pragma once

#include "cli/verb.h"

typedef struct CommandLine {
        const VerbName *name;
        GlobalOptions global;
        OptionParse before;    /* of the options in front of the verb; its arguments are the verb and what follows */
        OptionParse parse;
        OptionSet sets[3];
        OptionSet global_set;
        void *options;         /* the verb's own struct */
} CommandLine;

#define COMMAND_LINE_NULL ((CommandLine){})

/* `words` (with the program's name, borrowed for as long as the result lives). Faults of the line are errors as they were when it was
 * typed. Nothing is run. */
int command_line_parse(char **words, CommandLine *ret, Error *reterr);

/* The same of a verb's options and arguments alone. */
int command_line_parse_verb(const VerbName *name, char **words, CommandLine *ret, Error *reterr);

void command_line_done(CommandLine *line);
#define _cleanup_command_line_ _cleanup_(command_line_done)
