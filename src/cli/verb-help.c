/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod help [COMMAND...] */
#include "cli/help.h"
#include "cli/verbs.h"

static int run(Invocation *in, Error *reterr) {
        size_t n;

        if (in->n_arguments == 0) {
                help_print_main(stdout);
                return 0;
        }
        const VerbName *name = verb_find(in->arguments, &n);
        if (!name || in->arguments[n])
                return error_set(reterr, -EINVAL, ERROR_USAGE, "unrecognized command 'sdpod %s'", in->arguments[name ? n : 0]);
        if (name->verb)
                help_print_verb(stdout, name);
        else if (name->heading)
                help_print_group(stdout, name);
        else
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot explain 'sdpod %s': it is not there yet",
                                 name->name);
        return 0;
}

const Verb verb_help = {
        .arguments = "[COMMAND]",
        .summary = "Explain a command",
        .arguments_max = 3,
        .complete = COMPLETE_COMMAND,
        .run = run,
};
