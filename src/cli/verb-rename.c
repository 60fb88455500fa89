/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod rename CONTAINER NAME */
#include "cli/verbs.h"
#include "state/events.h"

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_open(store, in->arguments[0], &container, reterr);
        if (r < 0)
                return r;
        if (!container_name_is_valid(in->arguments[1]))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot rename '%s' to '%s': names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
                                 in->arguments[0], in->arguments[1]);
        r = container_lock(store, &container, reterr);
        if (r >= 0)
                r = container_rename(store, &container, in->arguments[1], reterr);
        if (r >= 0)
                event_container(store, &container.config, "rename", EVENT_NO_EXIT_CODE);
        return r;
}

const Verb verb_rename = {
        .arguments = "CONTAINER NAME",
        .summary = "Give a container another name",
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
