/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod container exists: the answer is the exit status, 0 or 1. */
#include "cli/verbs.h"
#include "state/container.h"

static const Option rows[] = {
        /* no other program keeps containers in this store */
        { "external", .kind = OPTION_NOTHING, .hidden = true },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        _cleanup_free_ char *id = NULL;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_find(store, in->arguments[0], &id, reterr);
        if (r == -ENOENT) {
                error_done(reterr);
                return 1;
        }
        return r;
}

const Verb verb_container_exists = {
        .arguments = "CONTAINER",
        .summary = "Tell by the exit status whether there is such a container",
        .options = tables,
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
