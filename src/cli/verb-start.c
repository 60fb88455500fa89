/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod start, restart, and the internal verbs through which units start, stop and end their containers. */
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/container-args.h"
#include "cli/detach-keys.h"
#include "cli/run-rmi.h"
#include "cli/verbs.h"
#include "engine/attach.h"
#include "engine/depend.h"
#include "engine/detached.h"
#include "engine/router.h"
#include "engine/foreground.h"
#include "engine/network-restart.h"
#include "engine/notify-relay.h"
#include "engine/pod.h"
#include "engine/stop.h"
#include "engine/timeout.h"
#include "state/events.h"

/* ---- start ---- */

typedef struct StartVerbOptions {
        ContainerSelect select;
        bool attach, interactive, sig_proxy;
        bool single; /* one container, by its name */
        char *detach_keys;
        char keys[DETACH_KEYS_MAX]; /* what they send */
        const char *storage_driver;
        int exit_code;
} StartVerbOptions;

static const StartVerbOptions start_default = { .sig_proxy = true };

static const Option start_rows[] = {
        { "all", .kind = OPTION_BOOL, .offset = offsetof(StartVerbOptions, select.all), .help = "All containers" }, /* -a is --attach */
        { "attach", 'a', .kind = OPTION_BOOL, .offset = offsetof(StartVerbOptions, attach), .help = "In the foreground, with its output" },
        { "detach-keys", .kind = OPTION_STRING, .offset = offsetof(StartVerbOptions, detach_keys), .metavar = "KEYS",
          .help = "With --attach: type these to leave it running (default ctrl-p,ctrl-q)" },
        CONTAINER_SELECT_FILTER_ROW(StartVerbOptions, select, 'f'),
        { "interactive", 'i', .kind = OPTION_BOOL, .offset = offsetof(StartVerbOptions, interactive), .help = "With our standard input, where it is attached" },
        CONTAINER_SELECT_LATEST_ROW(StartVerbOptions, select),
        { "sig-proxy", .kind = OPTION_BOOL, .offset = offsetof(StartVerbOptions, sig_proxy), .help = "Pass signals on (default true)" },
        {},
};
static const Option *const start_options[] = { start_rows, NULL };

static int start_foreground(const Store *store, Container *container, StartVerbOptions *o, Error *reterr) {
        const ForegroundOptions foreground = {
                .open_stdin = o->interactive && container->config.open_stdin,
                .sig_proxy = o->sig_proxy,
                .show_stdout = true,
                .show_stderr = true,
                .detach_keys = o->keys,
                .storage_driver = o->storage_driver,
        };

        return engine_run_foreground(store, container, &foreground, &o->exit_code, reterr);
}

/* Only `run` tells of a command that is not there by its own codes (podman-start(1)). */
static int start_failed(int r, Error *reterr) {
        if (reterr && (reterr->kind == ERROR_NOT_EXECUTABLE || reterr->kind == ERROR_COMMAND_NOT_FOUND))
                reterr->kind = ERROR_STATE;
        return r;
}

/* As the ExecStart= of a service for one container (sdpod-generate(1)): the container is that service then. */
static bool in_unit(const StartVerbOptions *o) {
        return o->single && getenv("NOTIFY_SOCKET") && getenv("PODMAN_SYSTEMD_UNIT");
}

static int start_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        StartVerbOptions *o = data;
        const DetachedOptions detached = { .storage_driver = o->storage_driver };
        int r = engine_pod_start_infra(store, &container->config, &detached, reterr);

        if (r >= 0)
                r = container_lock(store, container, reterr);
        if (r < 0)
                return r;
        if (container->pidfd >= 0) { /* Podman: starting what runs changes nothing */
                if (o->attach) {
                        const AttachOptions attach = { .open_stdin = o->interactive, .sig_proxy = o->sig_proxy, .detach_keys = o->keys };

                        container_unlock(container);
                        return engine_attach(store, container, &attach, &o->exit_code, reterr);
                }
                if (container->status == CONTAINER_PAUSED) {
                        (void) error_set(reterr, -EBUSY, ERROR_STATE, "cannot start container '%s': it is paused", container->config.name);
                        return error_with_hint(reterr, -EBUSY, "sdpod unpause %s", container->config.name);
                }
                container_unlock(container);
                puts(word);
                return 0;
        }
        r = dependencies_start(store, &container->config, &detached, reterr);
        if (r < 0)
                return r;
        if (o->attach) {
                r = start_foreground(store, container, o, reterr);
                return r < 0 ? start_failed(r, reterr) : r;
        }
        r = in_unit(o) ? engine_start_in_unit(store, container, &detached, reterr) : engine_start_detached(store, container, &detached, reterr);
        if (r < 0)
                return start_failed(r, reterr);
        puts(word);
        return 0;
}

static int run_start(Invocation *in, Error *reterr) {
        StartVerbOptions *o = in->options;

        if (o->attach && (in->n_arguments > 1 || o->select.all))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "you cannot start and attach multiple containers at once");
        o->storage_driver = in->global.storage_driver;
        o->single = in->n_arguments == 1;
        int r = detach_keys_parse(o->detach_keys, o->keys, reterr);
        if (r >= 0)
                r = containers_each(in, &o->select, start_one, o, reterr);
        return r < 0 ? r : o->exit_code;
}

const Verb verb_start = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Start one or more containers",
        .options = start_options,
        .options_size = sizeof(StartVerbOptions),
        .options_default = &start_default,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run_start,
};

/* ---- restart ---- */

typedef struct RestartOptions {
        ContainerSelect select;
        bool running, timeout_given;
        int64_t timeout;
        const char *storage_driver;
} RestartOptions;

static int set_restart_timeout(void *options, const char *value, Error *reterr) {
        RestartOptions *o = options;

        if (parse_i64(value, &o->timeout) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number of seconds");
        o->timeout_given = true;
        return 0;
}

static const Option restart_rows[] = {
        CONTAINER_SELECT_ALL_ROW(RestartOptions, select),
        CONTAINER_SELECT_CIDFILE_ROW(RestartOptions, select),
        CONTAINER_SELECT_FILTER_ROW(RestartOptions, select, 'f'),
        CONTAINER_SELECT_LATEST_ROW(RestartOptions, select),
        { "running", .kind = OPTION_BOOL, .offset = offsetof(RestartOptions, running), .help = "Only those that run" },
        { "time", 't', .kind = OPTION_SET, .set = set_restart_timeout, .metavar = "SECONDS",
          .help = "Time before it is killed; -1 waits for ever" },
        { "timeout", .hidden = true, .kind = OPTION_SET, .set = set_restart_timeout }, /* as Docker has it */
        {},
};
static const Option *const restart_options[] = { restart_rows, NULL };

static int restart_one(const Store *store, Container *container, const char *word, void *data, Error *reterr) {
        const RestartOptions *o = data;
        const DetachedOptions detached = { .storage_driver = o->storage_driver };

        if (o->running && container->pidfd < 0)
                return 0;
        if (container->pidfd >= 0 && container->process.unit && !container->state.unit) {
                int r = engine_restart_in_unit(container, o->timeout_given ? &o->timeout : NULL, reterr);

                if (r >= 0)
                        puts(word);
                return r;
        }
        int r = dependencies_check(store, &container->config, reterr); /* before anything ends */
        if (r >= 0)
                r = engine_stop(store, container, o->timeout_given ? o->timeout : container->config.stop_timeout, /* by_user= */ true, reterr);
        if (r >= 0)
                r = container_lock(store, container, reterr);
        if (r >= 0)
                r = engine_start_detached(store, container, &detached, reterr);
        if (r >= 0) {
                event_container(store, &container->config, "restart", EVENT_NO_EXIT_CODE);
                puts(word);
        }
        return r;
}

static int run_restart(Invocation *in, Error *reterr) {
        RestartOptions *o = in->options;

        o->storage_driver = in->global.storage_driver;
        if (o->running && in->n_arguments == 0)
                o->select.all = true;
        return containers_each(in, &o->select, restart_one, o, reterr);
}

const Verb verb_restart = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Restart one or more containers",
        .options = restart_options,
        .options_size = sizeof(RestartOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .enters_container = true,
        .run = run_restart,
};

/* ---- what units call ---- */

static int run_unit_start(Invocation *in, Error *reterr) {
        const DetachedOptions options = { .storage_driver = in->global.storage_driver };
        const Store *store;
        int r = invocation_store(in, &store, reterr);
        int status = r < 0 ? r : engine_unit_start(store, in->arguments[0], &options, reterr);

        if (status > 0 && reterr->code < 0) /* a status of our own, and yet the reason belongs into the journal */
                error_print(reterr);
        return status;
}

static int run_unit_ended(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL, left = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r < 0)
                return r;
        bool removes_image = container_load(store, in->arguments[0], &container, /* reterr= */ NULL) >= 0 && container.config.remove_image;
        r = engine_unit_ended(store, in->arguments[0], in->arguments[1], reterr);
        if (removes_image && container_load(store, in->arguments[0], &left, /* reterr= */ NULL) == -ENOENT)
                run_remove_image(store, &container.config);
        return r;
}

static int run_unit_timeout(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_load(store, in->arguments[0], &container, reterr);
        return r < 0 ? r : timeout_watch(store, &container, reterr);
}

const Verb verb_unit_timeout = {
        .arguments = "ID", .summary = "End a container when its time is over", .arguments_min = 1, .arguments_max = 1,
        .run = run_unit_timeout,
};

static int run_unit_notify(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_load(store, in->arguments[0], &container, reterr);
        return r < 0 ? r : notify_relay_run(&container, reterr);
}

const Verb verb_unit_notify = {
        .arguments = "ID", .summary = "Pass on what a container tells systemd", .arguments_min = 1, .arguments_max = 1,
        .run = run_unit_notify,
};

static int run_network_restart(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_load(store, in->arguments[0], &container, reterr);
        return r < 0 ? r : network_restart(store, &container, reterr);
}

const Verb verb_network_restart = {
        .arguments = "ID", .summary = "Start a container's network process again", .arguments_min = 1, .arguments_max = 1,
        .run = run_network_restart,
};

static int run_unit_stop(Invocation *in, Error *reterr) {
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        return r < 0 ? r : engine_unit_stop(store, in->arguments[0], reterr);
}

/* What the generator found wrong with a unit file becomes an error of the unit, as all others are. */
static int run_unit_fault(Invocation *in, Error *reterr) {
        return error_set(reterr, -EINVAL, ERROR_INVALID, "%s", in->arguments[0]);
}

const Verb verb_unit_fault = {
        .arguments = "MESSAGE", .summary = "Fail with a message", .arguments_min = 1, .arguments_max = 1, .stop_at_argument = true,
        .run = run_unit_fault,
};

const Verb verb_unit_start = {
        .arguments = "ID", .summary = "Start a container as this unit's main process", .arguments_min = 1, .arguments_max = 1,
        .enters_container = true,
        .run = run_unit_start,
};

const Verb verb_unit_ended = {
        .arguments = "ID [EXITCODE]", .summary = "Record the end of a unit's container", .arguments_min = 1, .arguments_max = 2,
        .run = run_unit_ended,
};

const Verb verb_unit_stop = {
        .arguments = "ID", .summary = "Stop a unit's container", .arguments_min = 1, .arguments_max = 1, .run = run_unit_stop,
};

/* Started by no manager, it has a descriptor that is waited for, and an environment that is somebody else's (engine/router-client.c). */
static int run_network(Invocation *in, Error *reterr) {
        static const char *const words[] = { "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC" };
        enum { READY_FD = 3 };
        bool alone = str_equal(in->arguments[0], ROUTER_ALONE);
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        for (size_t i = 0; i < ELEMENTSOF(words) && alone; i++)
                (void) unsetenv(words[i]);
        return r < 0 ? r : router_run(store, alone ? READY_FD : -EBADF, reterr);
}

const Verb verb_unit_network = {
        .arguments = "HOW", .summary = "Be the router of the bridge networks", .arguments_min = 1, .arguments_max = 1, .run = run_network,
};
