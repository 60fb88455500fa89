/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod pod start, stop, restart, kill, pause, unpause, rm, prune, exists. */
#include <signal.h>
#include <stdio.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/pod-args.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "engine/pod.h"

typedef struct PodVerbOptions {
        PodSelect select;
        bool force, pause, timeout_given;
        int64_t timeout;
        int signal;
        const char *storage_driver;
} PodVerbOptions;

static int set_timeout(void *options, const char *value, Error *reterr) {
        PodVerbOptions *o = options;

        if (parse_i64(value, &o->timeout) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of seconds");
        o->timeout_given = true;
        return 0;
}

#define TIME_ROW(text)                                                                                             \
        { "time", 't', .kind = OPTION_SET, .set = set_timeout, .metavar = "SECONDS", .help = text }

static const int64_t *timeout_of(const PodVerbOptions *o) {
        return o->timeout_given ? &o->timeout : NULL;
}

/* ---- start, restart ---- */

static const Option start_rows[] = {
        POD_SELECT_ALL_ROW(PodVerbOptions, select),
        POD_SELECT_LATEST_ROW(PodVerbOptions, select),
        POD_SELECT_ID_FILE_ROW(PodVerbOptions, select),
        {},
};
static const Option *const start_options[] = { start_rows, NULL };

static int start_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        const DetachedOptions options = { .storage_driver = ((PodVerbOptions *) data)->storage_driver };

        return engine_pod_start(store, pod, /* again= */ false, &options, reterr);
}

static int run_start(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        o->storage_driver = in->global.storage_driver;
        return pods_each(in, &o->select, start_one, o, reterr);
}

const Verb verb_pod_start = {
        .arguments = "POD [POD...]",
        .summary = "Start the containers of pods",
        .options = start_options,
        .options_size = sizeof(PodVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .enters_container = true,
        .run = run_start,
};

static const Option restart_rows[] = {
        POD_SELECT_ALL_ROW(PodVerbOptions, select),
        POD_SELECT_LATEST_ROW(PodVerbOptions, select),
        {},
};
static const Option *const restart_options[] = { restart_rows, NULL };

static int restart_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        const DetachedOptions options = { .storage_driver = ((PodVerbOptions *) data)->storage_driver };

        return engine_pod_restart(store, pod, &options, reterr);
}

static int run_restart(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        o->storage_driver = in->global.storage_driver;
        return pods_each(in, &o->select, restart_one, o, reterr);
}

const Verb verb_pod_restart = {
        .arguments = "POD [POD...]",
        .summary = "Restart the containers of pods",
        .options = restart_options,
        .options_size = sizeof(PodVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .enters_container = true,
        .run = run_restart,
};

/* ---- stop, kill ---- */

static const Option stop_rows[] = {
        POD_SELECT_ALL_ROW(PodVerbOptions, select),
        POD_SELECT_IGNORE_ROW(PodVerbOptions, select),
        POD_SELECT_LATEST_ROW(PodVerbOptions, select),
        POD_SELECT_ID_FILE_ROW(PodVerbOptions, select),
        TIME_ROW("Time before containers are killed; -1 waits for ever"),
        {},
};
static const Option *const stop_options[] = { stop_rows, NULL };

static int stop_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        return engine_pod_stop(store, pod, timeout_of(data), reterr);
}

static int run_stop(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        return pods_each(in, &o->select, stop_one, o, reterr);
}

const Verb verb_pod_stop = {
        .arguments = "POD [POD...]",
        .summary = "Stop the containers of pods",
        .options = stop_options,
        .options_size = sizeof(PodVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_stop,
};

static int set_signal(void *options, const char *value, Error *reterr) {
        return parse_signal(value, &((PodVerbOptions *) options)->signal) < 0 ? error_set(reterr, -EINVAL, ERROR_INVALID, "not a signal") : 0;
}

static const PodVerbOptions kill_default = { .signal = SIGKILL };

static const Option kill_rows[] = {
        POD_SELECT_ALL_ROW(PodVerbOptions, select),
        POD_SELECT_LATEST_ROW(PodVerbOptions, select),
        { "signal", 's', .kind = OPTION_SET, .set = set_signal, .metavar = "SIGNAL", .help = "The signal; default KILL",
          .complete = COMPLETE_SIGNAL },
        {},
};
static const Option *const kill_options[] = { kill_rows, NULL };

static int kill_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        return engine_pod_kill(store, pod, ((PodVerbOptions *) data)->signal, reterr);
}

static int run_kill(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        return pods_each(in, &o->select, kill_one, o, reterr);
}

const Verb verb_pod_kill = {
        .arguments = "POD [POD...]",
        .summary = "Send a signal to the containers of pods",
        .options = kill_options,
        .options_size = sizeof(PodVerbOptions),
        .options_default = &kill_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_kill,
};

/* ---- pause, unpause ---- */

static const PodVerbOptions pause_default = { .pause = true };

static int pause_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        return engine_pod_pause(store, pod, ((PodVerbOptions *) data)->pause, reterr);
}

static int run_pause(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        return pods_each(in, &o->select, pause_one, o, reterr);
}

const Verb verb_pod_pause = {
        .arguments = "POD [POD...]",
        .summary = "Freeze all processes of pods",
        .options = restart_options,
        .options_size = sizeof(PodVerbOptions),
        .options_default = &pause_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_pause,
};

const Verb verb_pod_unpause = {
        .arguments = "POD [POD...]",
        .summary = "Thaw the processes of pods",
        .options = restart_options,
        .options_size = sizeof(PodVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_pause,
};

/* ---- rm, prune ---- */

static const Option rm_rows[] = {
        POD_SELECT_ALL_ROW(PodVerbOptions, select),
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(PodVerbOptions, force), .help = "Stop containers that run first" },
        POD_SELECT_IGNORE_ROW(PodVerbOptions, select),
        POD_SELECT_LATEST_ROW(PodVerbOptions, select),
        POD_SELECT_ID_FILE_ROW(PodVerbOptions, select),
        TIME_ROW("Time before containers are killed; needs --force"),
        {},
};
static const Option *const rm_options[] = { rm_rows, NULL };

static int rm_one(const Store *store, Pod *pod, void *data, Error *reterr) {
        const PodVerbOptions *o = data;

        return engine_pod_remove(store, pod, o->force, timeout_of(o), reterr);
}

static int run_rm(Invocation *in, Error *reterr) {
        PodVerbOptions *o = in->options;

        if (o->timeout_given && !o->force)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--force option must be specified to use the --time option");
        o->select.ignore = o->select.ignore || o->force;
        int r = pods_each(in, &o->select, rm_one, o, reterr);
        if (r != -ENOENT)
                return r;
        error_print(reterr); /* podman-pod-rm(1), EXIT STATUS: 1 where it does not exist */
        return 1;
}

const Verb verb_pod_rm = {
        .arguments = "POD [POD...]",
        .summary = "Remove pods with their containers",
        .options = rm_options,
        .options_size = sizeof(PodVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_POD,
        .run = run_rm,
};

static const Option prune_rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(PodVerbOptions, force), .help = "Do not ask" },
        {},
};
static const Option *const prune_options[] = { prune_rows, NULL };

static int run_prune(Invocation *in, Error *reterr) {
        const PodVerbOptions *o = in->options;
        _cleanup_pruned_ Pruned pruned = {};
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && !o->force) {
                r = prune_ask("WARNING! This will remove all stopped/exited pods..\n", "prune pods", reterr);
                if (r == 0)
                        return 0;
        }
        if (r >= 0)
                r = prune_pods(store, &pruned, reterr);
        for (char **id = pruned.names; id && *id; id++)
                puts(*id);
        return r < 0 ? r : pruned.failed ? 125 : 0;
}

const Verb verb_pod_prune = {
        .summary = "Remove the pods that have ended",
        .options = prune_options,
        .options_size = sizeof(PodVerbOptions),
        .run = run_prune,
};

/* ---- exists ---- */

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_free_ char *id = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = pod_find(store, in->arguments[0], &id, reterr);
        if (r != -ENOENT)
                return r;
        error_done(reterr);
        return 1;
}

const Verb verb_pod_exists = {
        .arguments = "POD",
        .summary = "Tell by the exit status whether there is such a pod",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_POD,
        .run = run_exists,
};
