/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod __complete -- WORDS...: candidates for the shells' completion. */
#include "cli/complete.h"
#include "cli/verbs.h"

static int run(Invocation *in, _unused_ Error *reterr) {
        complete_print(stdout, in, in->arguments);
        return 0;
}

const Verb verb_complete = {
        .arguments = "[WORD...]",
        .summary = "Answer the shells' completion",
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .run = run,
};
