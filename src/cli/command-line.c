/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a recorded command line apart. */
#include "cli/command-line.h"

#include <stdlib.h>

#include "base/str.h"

int command_line_parse_verb(const VerbName *name, char **words, CommandLine *line, Error *reterr) {
        const Verb *verb = name->verb;

        line->name = name;
        line->options = calloc(1, MAX(verb->options_size, (size_t) 1));
        if (!line->options)
                return error_oom(reterr);
        if (verb->options_default)
                memcpy(line->options, verb->options_default, verb->options_size);
        line->sets[0] = (OptionSet){ verb->options, line->options };
        line->sets[1] = (OptionSet){ global_options_everywhere, &line->global };
        line->parse = (OptionParse){ .sets = line->sets, .n_sets = 2, .words = words, .stop_at_argument = verb->stop_at_argument };
        return options_parse(&line->parse, reterr);
}

int command_line_parse(char **words, CommandLine *line, Error *reterr) {
        size_t n;

        if (!words || !words[0])
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the command line is not on record");
        line->global_set = (OptionSet){ global_options, &line->global };
        line->before = (OptionParse){ .sets = &line->global_set, .n_sets = 1, .words = words, .next = 1, .stop_at_argument = true };
        int r = options_parse(&line->before, reterr);
        if (r < 0)
                return r;
        const VerbName *name = line->before.arguments ? verb_find(line->before.arguments, &n) : NULL;
        if (!name || !name->verb)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the command line on record is none of sdpod's");
        return command_line_parse_verb(name, line->before.arguments + n, line, reterr);
}

void command_line_done(CommandLine *line) {
        if (line->options) {
                options_free(line->name->verb->options, line->options);
                if (line->name->verb->options_done)
                        line->name->verb->options_done(line->options);
                free(line->options);
        }
        options_parse_done(&line->before);
        options_parse_done(&line->parse);
        options_free(global_options, &line->global);
        *line = COMMAND_LINE_NULL;
}
