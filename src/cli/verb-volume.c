/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod volume exists, rm, prune: which are there, and which go. */
#include <stdio.h>

#include "base/str.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "cli/volume-json.h"
#include "cli/volume-use.h"
#include "engine/remove.h"

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r < 0)
                return r;
        r = volume_load(store, in->arguments[0], &volume, &error);
        if (r == -ENOENT || error.kind == ERROR_INVALID)
                return 1;
        return r < 0 ? error_move(reterr, &error) : 0;
}

const Verb verb_volume_exists = {
        .arguments = "NAME",
        .summary = "Tell by the exit status whether a volume exists",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_VOLUME,
        .run = run_exists,
};

enum { REMOVE_TRIES_MAX = 20 };

typedef struct VolumeRemoveOptions {
        bool all, force;
        int64_t time;
} VolumeRemoveOptions;

static const VolumeRemoveOptions remove_default = { .time = -1 };
static const Option remove_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(VolumeRemoveOptions, all), .help = "Remove all volumes" },
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(VolumeRemoveOptions, force),
          .help = "Remove the containers that use a volume first, and do not fail when it is not there" },
        { "time", 't', .kind = OPTION_INT64, .offset = offsetof(VolumeRemoveOptions, time), .metavar = "SECONDS",
          .help = "Time that such a container has to stop" },
        {},
};
static const Option *const remove_options[] = { remove_rows, NULL };

static int remove_users(const Store *store, char *const *users, int64_t time, Error *reterr) {
        const RemoveOptions options = { .force = true, .volumes = true, .has_timeout = time >= 0, .timeout = time };

        for (; *users; users++) {
                _cleanup_container_ Container container = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = container_open(store, *users, &container, &error);

                if (r == -ENOENT)
                        continue; /* removed meanwhile */
                if (r >= 0)
                        r = engine_remove(store, &container, &options, &error);
                if (r < 0)
                        return error_move(reterr, &error);
        }
        return 0;
}

/* New ones may come while the old ones go. */
static int remove_with_users(const Store *store, const char *name, int64_t time, Error *reterr) {
        for (unsigned tries = 1;; tries++) {
                _cleanup_strv_ char **users = NULL;
                int r = volume_users(store, name, &users, reterr);

                if (r >= 0 && users)
                        r = remove_users(store, users, time, reterr);
                if (r >= 0)
                        r = volume_remove_unused(store, name, volume_refuse_used, reterr);
                if (r != -EBUSY || tries >= REMOVE_TRIES_MAX)
                        return r;
                error_done(reterr);
        }
}

static int remove_one(const Store *store, const char *word, const VolumeRemoveOptions *o, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = volume_open(store, word, &volume, &error);

        if (r == -ENOENT && o->force)
                return 0;
        bool damaged = r == -EBADMSG || r == -EFBIG;
        if (damaged && o->force) { /* a record that cannot be read is no reason to keep it; by its whole name */
                error_done(&error);
                r = (volume.name = strdup(word)) ? 0 : error_oom(&error);
        }
        if (r < 0)
                return error_move(reterr, &error);
        r = o->force ? remove_with_users(store, volume.name, o->time, &error)
                     : volume_remove_unused(store, volume.name, volume_refuse_used, &error);
        if (r < 0 && !(r == -ENOENT && o->force && !damaged)) /* an anonymous one went with its container */
                return error_move(reterr, &error);
        printf("%s\n", word);
        return 0;
}

/* Podman's exit statuses: 1 for a volume that is not there, 2 for one that is in use, 125 for all else. */
static int run_remove(Invocation *in, Error *reterr) {
        VolumeRemoveOptions *o = in->options;
        _cleanup_strv_ char **names = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r < 0)
                return r;
        if (o->all == (in->n_arguments > 0))
                return error_set(reterr, -EINVAL, ERROR_USAGE,
                                 o->all ? "'sdpod %s' takes names, or --all, not both"
                                        : "'sdpod %s' requires a name, or --all",
                                 in->name);
        r = o->all ? volume_list(store, &names, reterr) : 0;
        if (r < 0)
                return r;
        for (char **name = o->all ? names : in->arguments; name && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = remove_one(store, *name, o, &error);
                if (r >= 0)
                        continue;
                error_print(&error);
                status = r == -ENOENT ? MAX(status, 1) : r == -EBUSY ? MAX(status, 2) : 125;
        }
        volume_collect(store);
        return status;
}

const Verb verb_volume_rm = {
        .arguments = "NAME [NAME...]",
        .summary = "Remove volumes",
        .options = remove_options,
        .options_size = sizeof(VolumeRemoveOptions),
        .options_default = &remove_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_VOLUME,
        .run = run_remove,
};

typedef struct PruneOptions {
        char **filters;
        bool all, force;
} PruneOptions;

static const char *const prune_words[] = { "label=", "label!=", "until=", NULL };
static const Option prune_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(PruneOptions, all), .help = "Also those with a name, as without" },
        { "filter", .kind = OPTION_STRV, .offset = offsetof(PruneOptions, filters), .metavar = "KEY=VALUE",
          .help = "Remove only what matches", .complete = COMPLETE_WORDS, .words = prune_words },
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(PruneOptions, force), .help = "Do not ask" },
        {},
};
static const Option *const prune_options[] = { prune_rows, NULL };

static int run_prune(Invocation *in, Error *reterr) {
        PruneOptions *o = in->options;
        _cleanup_json_ json_t *volumes = NULL;
        const json_t *volume;
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;
        size_t i;

        if (r >= 0)
                r = volumes_to_json(store, o->filters, /* unused= */ true, &volumes, reterr);
        if (r < 0)
                return r;
        volume_collect(store);
        if (json_array_size(volumes) == 0)
                return 0;
        if (!o->force) {
                printf("WARNING! This will remove all volumes not used by at least one container. The following "
                       "volumes will be removed:\n");
                json_array_foreach(volumes, i, volume)
                        printf("%s\n", json_get_string(volume, "Name"));
                r = prune_ask("", "prune volumes", reterr);
                if (r <= 0)
                        return r;
        }
        json_array_foreach(volumes, i, volume) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = remove_one(store, json_get_string(volume, "Name"), &remove_default, &error);
                /* One that was taken while the person thought is simply not unused any more. */
                if (r < 0 && r != -EBUSY && r != -ENOENT) {
                        error_print(&error);
                        status = 125;
                }
        }
        return status;
}

const Verb verb_volume_prune = {
        .summary = "Remove the volumes that no container uses",
        .options = prune_options,
        .options_size = sizeof(PruneOptions),
        .run = run_prune,
};
