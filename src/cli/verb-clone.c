/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod container clone: another container like one that is there. */
#include <stdio.h>

#include "base/str.h"
#include "cli/change-options.h"
#include "cli/registry-options.h"
#include "cli/verbs.h"
#include "engine/clone.h"
#include "engine/create.h"
#include "engine/detached.h"
#include "engine/remove.h"

typedef struct CloneOptions {
        ChangeOptions change;
        bool destroy, force, start;
        char *name;
} CloneOptions;

#define FIELD(member) offsetof(CloneOptions, member)
static const Option rows[] = {
        { "destroy", .kind = OPTION_BOOL, .offset = FIELD(destroy), .help = "Remove the original" },
        { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "With --destroy: also where it runs" },
        { "name", .kind = OPTION_STRING, .offset = FIELD(name), .metavar = "NAME", .help = "Name of the new one" },
        { "pod", .kind = OPTION_REFUSED },
        { "run", .kind = OPTION_BOOL, .offset = FIELD(start), .help = "Start the new one" },
        {},
};
static const Option *const tables[] = { config_limit_rows, rows, NULL };

enum { TRIES_MAX = 100 };

static int pull_image(void *data, const char *image, const char *policy, char ret_id[65], Error *reterr) {
        return registry_pull(data, image, policy, /* quiet= */ false, &(RegistryWords){}, &(PlatformWords){}, ret_id, reterr);
}

/* The record of the new one, with the changes of the command line. */
static int make_one(Invocation *in, const Store *store, const Container *source, Container *ret, Error *reterr) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        const CloneOptions *o = in->options;
        const CreateOptions options = {
                .entrypoint_given = true, .stop_signal_given = true, .stop_timeout_given = true,
                .pull_image = pull_image, .pull_data = in,
                .storage_driver = in->global.storage_driver,
        };
        const char *name = in->n_arguments > 1 ? in->arguments[1] : o->name, *image = in->n_arguments > 2 ? in->arguments[2] : NULL;
        Update update = {};

        if (image && source->config.rootfs)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot clone '%s' with another image: it has a directory (--rootfs)",
                                 source->config.name);
        int r = engine_clone_config(store, &source->config, name, image, &config, reterr);
        if (r >= 0)
                r = change_options_apply(&o->change, &in->parse, &config, &update, reterr);
        return r < 0 ? r : engine_create(store, &config, &options, ret, reterr);
}

/* A name that was free when it was chosen may be another clone's by now. */
static int make(Invocation *in, const Store *store, const Container *source, Container *ret, Error *reterr) {
        const CloneOptions *o = in->options;
        bool named = in->n_arguments > 1 || o->name;

        for (unsigned tries = 0;; tries++) {
                int r = make_one(in, store, source, ret, reterr);

                if (r != -EEXIST || named || tries >= TRIES_MAX)
                        return r;
                error_done(reterr);
        }
}

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container source = CONTAINER_NULL, clone = CONTAINER_NULL;
        const CloneOptions *o = in->options;
        const DetachedOptions detached = { .storage_driver = in->global.storage_driver };
        const Store *store;

        if (o->force && !o->destroy)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --force without --destroy");
        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_open(store, in->arguments[0], &source, reterr);
        if (r >= 0 && o->destroy && !o->force && source.pidfd >= 0) {
                (void) error_set(reterr, -EBUSY, ERROR_STATE, "cannot remove container '%s': it is %s", source.config.name,
                                 container_status_to_string(source.status));
                return error_with_hint(reterr, -EBUSY, "stop it first, or use --force");
        }
        if (r >= 0)
                r = make(in, store, &source, &clone, reterr);
        if (r < 0)
                return r;
        container_settled(store, &clone);
        if (o->destroy)
                r = engine_remove(store, &source, &(RemoveOptions){ .force = o->force }, reterr);
        if (r >= 0 && o->start)
                r = engine_start_detached(store, &clone, &detached, reterr);
        if (r >= 0)
                puts(clone.config.id);
        return r;
}

const Verb verb_clone = {
        .arguments = "CONTAINER [NAME [IMAGE]]",
        .summary = "Create a container like one that is there",
        .options = tables,
        .options_size = sizeof(CloneOptions),
        .options_done = change_options_done,
        .arguments_min = 1,
        .arguments_max = 3,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run,
};
