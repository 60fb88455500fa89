/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod stop, kill, pause, unpause, rm: what ends, holds or removes containers. */
#include <signal.h>
#include <stdio.h>

#include "base/parse.h"
#include "cli/container-args.h"
#include "cli/verbs.h"
#include "engine/depend.h"
#include "engine/pod.h"
#include "engine/remove.h"
#include "engine/stop.h"

/* ---- stop ---- */

typedef struct StopOptions {
        ContainerSelect select;
        int64_t timeout;
        bool timeout_given, service;
        StopRound round;
} StopOptions;

static int set_stop_timeout(void *options, const char *value, Error *reterr) {
        StopOptions *o = options;

        if (parse_i64(value, &o->timeout) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of seconds");
        o->timeout_given = true;
        return 0;
}

static const Option stop_rows[] = {
        CONTAINER_SELECT_ALL_ROW(StopOptions, select),
        CONTAINER_SELECT_CIDFILE_ROW(StopOptions, select),
        CONTAINER_SELECT_FILTER_ROW(StopOptions, select, 'f'),
        CONTAINER_SELECT_IGNORE_ROW(StopOptions, select),
        CONTAINER_SELECT_LATEST_ROW(StopOptions, select),
        { "service", .hidden = true, .kind = OPTION_BOOL, .offset = offsetof(StopOptions, service),
          .help = "Not a person's wish: restart policies stay in force" },
        { "time", 't', .kind = OPTION_SET, .set = set_stop_timeout, .metavar = "SECONDS",
          .help = "Time before it is killed; -1 waits for ever" },
        { "timeout", .hidden = true, .kind = OPTION_SET, .set = set_stop_timeout }, /* as Docker has it */
        {},
};
static const Option *const stop_options[] = { stop_rows, NULL };

static int64_t stop_timeout(const StopOptions *o, const Container *container) {
        return o->timeout_given ? o->timeout : container->config.stop_timeout;
}

static bool stop_begin(const Store *store, Container *container, void *data) {
        StopOptions *o = data;

        if (container)
                return engine_stop_begin(store, container, stop_timeout(o, container), !o->service, &o->round);
        engine_stop_expire(&o->round);
        return false;
}

/* One that it needs must not end under it. */
static int stop_dependent(const Store *store, Container *container, void *data, Error *reterr) {
        const StopOptions *o = data;

        engine_stop_resume(&o->round, container);
        return container->pidfd < 0 ? 0 : engine_stop(store, container, stop_timeout(o, container), !o->service, reterr);
}

static int stop_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const StopOptions *o = data;
        int r = o->select.all ? dependents_first(store, container, stop_dependent, data, reterr) : 0;

        if (r >= 0) {
                engine_stop_resume(&o->round, container);
                r = engine_stop(store, container, stop_timeout(o, container), !o->service, reterr);
        }

        if (r >= 0)
                puts(word);
        return r;
}

static int run_stop(Invocation *in, Error *reterr) {
        StopOptions *o = in->options;

        int r = containers_each_prepared(in, &o->select, stop_begin, stop_one, o, reterr);
        stop_round_done(&o->round);
        return r;
}

const Verb verb_stop = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Stop one or more containers",
        .description = "Sends the stop signal, and kills what has not ended when the time is over.",
        .options = stop_options,
        .options_size = sizeof(StopOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_stop,
};

/* ---- kill ---- */

typedef struct KillOptions {
        ContainerSelect select;
        int signal;
} KillOptions;

static int set_kill_signal(void *options, const char *value, Error *reterr) {
        return parse_signal(value, &((KillOptions *) options)->signal) < 0 ? error_set(reterr, -EINVAL, ERROR_INVALID, "not a signal") : 0;
}

static const KillOptions kill_default = { .signal = SIGKILL };

static const Option kill_rows[] = {
        CONTAINER_SELECT_ALL_ROW(KillOptions, select),
        CONTAINER_SELECT_CIDFILE_ROW(KillOptions, select),
        CONTAINER_SELECT_LATEST_ROW(KillOptions, select),
        { "signal", 's', .kind = OPTION_SET, .set = set_kill_signal, .metavar = "SIGNAL", .help = "The signal; default KILL",
          .complete = COMPLETE_SIGNAL },
        {},
};
static const Option *const kill_options[] = { kill_rows, NULL };

static int kill_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const KillOptions *o = data;

        if (o->select.all && container->pidfd < 0)
                return 0;
        int r = engine_kill(store, container, o->signal, reterr);
        if (r >= 0)
                puts(word);
        return r;
}

static int run_kill(Invocation *in, Error *reterr) {
        KillOptions *o = in->options;

        return containers_each(in, &o->select, kill_one, o, reterr);
}

const Verb verb_kill = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Send a signal to one or more containers",
        .options = kill_options,
        .options_size = sizeof(KillOptions),
        .options_default = &kill_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_kill,
};

/* ---- pause, unpause ---- */

typedef struct PauseOptions {
        ContainerSelect select;
        bool pause;
} PauseOptions;

static const PauseOptions pause_default = { .pause = true };

static const Option pause_rows[] = {
        CONTAINER_SELECT_ALL_ROW(PauseOptions, select),
        CONTAINER_SELECT_CIDFILE_ROW(PauseOptions, select),
        CONTAINER_SELECT_FILTER_ROW(PauseOptions, select, 'f'),
        CONTAINER_SELECT_LATEST_ROW(PauseOptions, select),
        {},
};
static const Option *const pause_options[] = { pause_rows, NULL };

static int pause_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const PauseOptions *o = data;

        if (o->select.all && container->status != (o->pause ? CONTAINER_RUNNING : CONTAINER_PAUSED))
                return 0;
        int r = engine_pause(store, container, o->pause, reterr);
        if (r >= 0)
                puts(word);
        return r;
}

static int run_pause(Invocation *in, Error *reterr) {
        PauseOptions *o = in->options;

        return containers_each(in, &o->select, pause_one, o, reterr);
}

const Verb verb_pause = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Freeze all processes of one or more containers",
        .options = pause_options,
        .options_size = sizeof(PauseOptions),
        .options_default = &pause_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_pause,
};

const Verb verb_unpause = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Thaw the processes of one or more containers",
        .options = pause_options,
        .options_size = sizeof(PauseOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_pause,
};

/* ---- rm ---- */

typedef struct RmOptions {
        ContainerSelect select;
        RemoveOptions remove;
        StopRound round;
        bool depend;
} RmOptions;

static int set_rm_timeout(void *options, const char *value, Error *reterr) {
        RmOptions *o = options;

        if (parse_i64(value, &o->remove.timeout) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of seconds");
        o->remove.has_timeout = true;
        return 0;
}

static const Option rm_rows[] = {
        CONTAINER_SELECT_ALL_ROW(RmOptions, select),
        CONTAINER_SELECT_CIDFILE_ROW(RmOptions, select),
        { "depend", .kind = OPTION_BOOL, .offset = offsetof(RmOptions, depend), .help = "Remove those that need them, too" },
        CONTAINER_SELECT_FILTER_ROW(RmOptions, select, 0 /* -f is --force */),
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(RmOptions, remove.force), .help = "Stop those that run first" },
        CONTAINER_SELECT_IGNORE_ROW(RmOptions, select),
        CONTAINER_SELECT_LATEST_ROW(RmOptions, select),
        { "time", 't', .kind = OPTION_SET, .set = set_rm_timeout, .metavar = "SECONDS", .help = "Time before it is killed; needs --force" },
        { "volumes", 'v', .kind = OPTION_BOOL, .offset = offsetof(RmOptions, remove.volumes), .help = "Remove their anonymous volumes, too" },
        {},
};
static const Option *const rm_options[] = { rm_rows, NULL };

static bool rm_begin(const Store *store, Container *container, void *data) {
        RmOptions *o = data;
        const RemoveOptions *remove = &o->remove;

        if (!container)
                engine_stop_expire(&o->round);
        return container && remove->force &&
               engine_stop_begin(store, container, remove->has_timeout ? remove->timeout : container->config.stop_timeout,
                                 /* by_user= */ true, &o->round);
}

static int remove_pod(const Store *store, const char *id, const RmOptions *o, Error *reterr) {
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = pod_load(store, id, &pod, reterr);

        return r < 0 ? r : engine_pod_remove(store, &pod, o->remove.force, o->remove.has_timeout ? &o->remove.timeout : NULL, reterr);
}

/* Of an infra container all of the pod's depend: with them the pod goes. */
static int rm_dependent(const Store *store, Container *container, void *data, Error *reterr) {
        const RmOptions *o = data;

        engine_stop_resume(&o->round, container);
        int r = container->config.infra ? remove_pod(store, container->config.pod, o, reterr)
                                        : engine_remove(store, container, &o->remove, reterr);
        if (r >= 0)
                puts(container->config.id);
        return r;
}

static int rm_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const RmOptions *o = data;

        if (o->depend)
                return dependents_first(store, container, rm_dependent, data, reterr);

        engine_stop_resume(&o->round, container);
        int r = engine_remove(store, container, &o->remove, reterr);
        if (r >= 0)
                puts(word);
        return r;
}

static int run_rm(Invocation *in, Error *reterr) {
        RmOptions *o = in->options;

        if (o->remove.has_timeout && !o->remove.force)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--force option must be specified to use the --time option");
        if (o->remove.force) /* Podman: what is not there is not an error then */
                o->select.ignore = true;
        if (o->select.all && !o->select.filters)
                o->depend = true;
        if (o->depend) /* what went with another one is not missed */
                o->select.ignore = true;
        int r = containers_each_prepared(in, &o->select, rm_begin, rm_one, o, reterr);
        stop_round_done(&o->round);
        if (r != -ENOENT && r != -EBUSY)
                return r;
        error_print(reterr); /* podman-rm(1), EXIT STATUS: 1 it does not exist, 2 it runs */
        return r == -ENOENT ? 1 : 2;
}

const Verb verb_rm = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Remove one or more containers",
        .options = rm_options,
        .options_size = sizeof(RmOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_rm,
};
