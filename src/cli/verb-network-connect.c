/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod network connect, disconnect, reload: containers and their networks. */
#include <stdio.h>

#include "base/str.h"
#include "cli/container-args.h"
#include "cli/parse-network.h"
#include "cli/verbs.h"
#include "engine/network-connect.h"
#include "engine/network-names.h"

typedef struct ConnectOptions {
        NetworkWords words;
} ConnectOptions;

static const Option connect_rows[] = {
        OPTION_ROW_ALIAS(ConnectOptions, words, "alias"),
        OPTION_ROW_IP(ConnectOptions, words),
        OPTION_ROW_IP6(ConnectOptions, words),
        OPTION_ROW_MAC(ConnectOptions, words),
        {},
};
static const Option *const connect_options[] = { connect_rows, NULL };

static int run_connect(Invocation *in, Error *reterr) {
        const ConnectOptions *o = in->options;
        _cleanup_(network_names_forget) ContainerNetwork wanted = {};
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_open(store, in->arguments[1], &container, reterr);
        if (r >= 0)
                r = network_words_apply_to(&o->words, &wanted, reterr);
        if (r >= 0 && !(wanted.name = strdup(in->arguments[0])))
                r = error_oom(reterr);
        return r < 0 ? r : engine_network_connect(store, &container, &wanted, reterr);
}

const Verb verb_network_connect = {
        .arguments = "NETWORK CONTAINER",
        .summary = "Put a container into a network",
        .options = connect_options,
        .options_size = sizeof(ConnectOptions),
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_CONNECT,
        .run = run_connect,
};

typedef struct DisconnectOptions {
        bool force;
} DisconnectOptions;

static const Option disconnect_rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(DisconnectOptions, force), .help = "The same as without" },
        {},
};
static const Option *const disconnect_options[] = { disconnect_rows, NULL };

static int run_disconnect(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_open(store, in->arguments[1], &container, reterr);
        return r < 0 ? r : engine_network_disconnect(store, &container, in->arguments[0], reterr);
}

const Verb verb_network_disconnect = {
        .arguments = "NETWORK CONTAINER",
        .summary = "Take a container out of a network",
        .options = disconnect_options,
        .options_size = sizeof(DisconnectOptions),
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_CONNECT,
        .run = run_disconnect,
};

typedef struct ReloadOptions {
        ContainerSelect select;
} ReloadOptions;

static const Option reload_rows[] = {
        CONTAINER_SELECT_ALL_ROW(ReloadOptions, select),
        CONTAINER_SELECT_LATEST_ROW(ReloadOptions, select),
        {},
};
static const Option *const reload_options[] = { reload_rows, NULL };

/* --all is about those that run. */
static int reload_one(const Store *store, Container *container, _unused_ const char *word, void *data, Error *reterr) {
        const ReloadOptions *o = data;

        if (o->select.all && container->pidfd < 0)
                return 0;
        int r = engine_network_reload(store, container, reterr);
        if (r >= 0)
                printf("%s\n", container->config.id);
        return r;
}

static int run_reload(Invocation *in, Error *reterr) {
        ReloadOptions *o = in->options;

        return containers_each(in, &o->select, reload_one, o, reterr);
}

const Verb verb_network_reload = {
        .arguments = "[CONTAINER...]",
        .summary = "Bring back what running containers' networks need",
        .options = reload_options,
        .options_size = sizeof(ReloadOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_reload,
};
