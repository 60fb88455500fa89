/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod init, container cleanup: what comes before a start, and after an end. */
#include <stdio.h>

#include "cli/container-args.h"
#include "cli/run-rmi.h"
#include "cli/verbs.h"
#include "engine/prepare.h"
#include "engine/remove.h"
#include "engine/stop.h"

/* ---- init ---- */

typedef struct InitOptions {
        ContainerSelect select;
        const char *storage_driver;
} InitOptions;

static const Option init_rows[] = {
        CONTAINER_SELECT_ALL_ROW(InitOptions, select),
        CONTAINER_SELECT_LATEST_ROW(InitOptions, select),
        {},
};
static const Option *const init_options[] = { init_rows, NULL };

static int init_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const InitOptions *o = data;

        if (o->select.all && container->status != CONTAINER_CREATED && container->status != CONTAINER_EXITED)
                return 0;
        int r = engine_prepare(store, container, o->storage_driver, reterr);
        if (r >= 0)
                puts(o->select.all || o->select.latest ? container->config.id : word);
        return r;
}

static int run_init(Invocation *in, Error *reterr) {
        InitOptions *o = in->options;

        o->storage_driver = in->global.storage_driver;
        return containers_each(in, &o->select, init_one, o, reterr);
}

const Verb verb_init = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Prepare containers for their start, and check whether they can",
        .options = init_options,
        .options_size = sizeof(InitOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run_init,
};

/* ---- cleanup ---- */

typedef struct CleanupOptions {
        ContainerSelect select;
        bool remove, remove_image;
} CleanupOptions;

static const Option cleanup_rows[] = {
        CONTAINER_SELECT_ALL_ROW(CleanupOptions, select),
        { "exec", .kind = OPTION_REFUSED, .refused = "there are no exec sessions" },
        CONTAINER_SELECT_LATEST_ROW(CleanupOptions, select),
        { "rm", .kind = OPTION_BOOL, .offset = offsetof(CleanupOptions, remove), .help = "Then remove them, with their anonymous volumes" },
        { "rmi", .kind = OPTION_BOOL, .offset = offsetof(CleanupOptions, remove_image), .help = "Then remove them, and their image" },
        {},
};
static const Option *const cleanup_options[] = { cleanup_rows, NULL };

static int cleanup_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const CleanupOptions *o = data;
        int r;

        if (o->select.all && container->pidfd >= 0)
                return 0;
        if (container->pidfd >= 0)
                return error_set(reterr, -EBUSY, ERROR_STATE, "cannot clean up container '%s': it is %s", container->config.name,
                                 container_status_to_string(container->status));
        r = engine_settle(store, container, reterr);
        if (r >= 0)
                engine_drop_cgroup(container->config.id);
        if (r >= 0 && (o->remove || o->remove_image))
                r = engine_remove(store, container, &(RemoveOptions){ .volumes = true }, reterr);
        container->config.remove_image = o->remove_image;
        if (r >= 0)
                run_remove_image(store, &container->config);
        if (r >= 0)
                puts(word);
        return r;
}

static int run_cleanup(Invocation *in, Error *reterr) {
        CleanupOptions *o = in->options;

        return containers_each(in, &o->select, cleanup_one, o, reterr);
}

const Verb verb_cleanup = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Clear away what an ended container left, where nobody did",
        .options = cleanup_options,
        .options_size = sizeof(CleanupOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_cleanup,
};
