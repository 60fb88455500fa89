/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod update: other limits, restart policy, environment and health checks for a container that is there. */
#include <stdio.h>

#include "cli/change-options.h"
#include "cli/container-choose.h"
#include "cli/verbs.h"

typedef struct UpdateOptions {
        ChangeOptions change;
        bool latest;
} UpdateOptions;

static const Option rows[] = {
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(UpdateOptions, latest), .help = "Take the container made last" },
        {},
};
static const Option *const tables[] = { config_limit_rows, config_life_change_rows, change_rows, rows, NULL };

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        UpdateOptions *o = in->options;
        Update update = {};
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_one(store, in->arguments[0], o->latest, &c, reterr);
        if (r >= 0)
                r = engine_update_begin(store, &c, reterr);
        if (r >= 0)
                r = change_options_apply(&o->change, &in->parse, &c.config, &update, reterr);
        update.storage_driver = in->global.storage_driver;
        if (r >= 0)
                r = engine_update(store, &c, &update, reterr);
        if (r >= 0)
                puts(c.config.id);
        return r;
}

const Verb verb_update = {
        .arguments = "CONTAINER",
        .summary = "Change the limits, restart policy, environment and health checks of a container",
        .options = tables,
        .options_size = sizeof(UpdateOptions),
        .options_done = change_options_done,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
