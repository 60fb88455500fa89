/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod network rm, prune, update: networks that go or change. */
#include <stdio.h>

#include "base/io.h"
#include "base/str.h"
#include "cli/network-json.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "engine/bridge.h"
#include "engine/pod.h"
#include "engine/remove.h"

/* ---- network rm ---- */

typedef struct RemoveNetworkOptions {
        bool force;
        int64_t time;
} RemoveNetworkOptions;

static const RemoveNetworkOptions remove_default = { .time = -1 };
static const Option remove_rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(RemoveNetworkOptions, force),
          .help = "Remove the containers and pods that are in it first, and do not fail when it is not there" },
        { "time", 't', .kind = OPTION_INT64, .offset = offsetof(RemoveNetworkOptions, time), .metavar = "SECONDS",
          .help = "Time that such a container has to stop" },
        {},
};
static const Option *const remove_options[] = { remove_rows, NULL };

static int remove_user(const Store *store, const char *id, int64_t time, Error *reterr) {
        const RemoveOptions options = { .force = true, .volumes = true, .has_timeout = time >= 0, .timeout = time };
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = container_open(store, id, &container, reterr);

        if (r >= 0 && container.config.infra)
                r = pod_open(store, container.config.pod, &pod, reterr);
        if (r >= 0)
                r = container.config.infra ? engine_pod_remove(store, &pod, /* force= */ true, time >= 0 ? &time : NULL, reterr)
                                           : engine_remove(store, &container, &options, reterr);
        if (r == -ENOENT) { /* gone meanwhile */
                error_done(reterr);
                return 0;
        }
        return r;
}

static int remove_users(const Store *store, const NetworkUse *use, const char *network, int64_t time, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < use->n && r >= 0; i++)
                if (str_equal(use->items[i].network, network))
                        r = remove_user(store, use->items[i].id, time, reterr);
        return r;
}

/* Under the lock no other network command looks at it; a container that is made meanwhile finds no network when it starts. */
static int remove_record(const Store *store, const char *name, const char *id, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        _cleanup_network_use_ NetworkUse use = {};
        _cleanup_fd_ int lock = network_lock(store, reterr);
        int r = lock < 0 ? lock : network_load(store, name, &network, reterr);

        if (r >= 0 && id && !str_equal(network.id, id)) /* another one has its name by now */
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "network %s was removed meanwhile: network not found", name);
        if (r >= 0)
                r = network_use_read(store, &use, reterr);
        if (r >= 0 && network_is_used(&use, name)) {
                (void) error_set(reterr, -EBUSY, ERROR_IN_USE, "\"%s\" has associated containers with it. Use -f to forcibly delete "
                                 "containers and pods: network is being used", name);
                return -EBUSY;
        }
        return r < 0 ? r : network_remove(store, &network, reterr);
}

static int remove_one(const Store *store, const char *word, const RemoveNetworkOptions *o, Error *reterr) {
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        _cleanup_network_use_ NetworkUse use = {};
        int r = network_open(store, word, &network, reterr);

        if (r >= 0 && str_equal(network.name, NETWORK_DEFAULT))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "default network %s cannot be removed", network.name);
        if (r >= 0 && o->force)
                r = network_use_read(store, &use, reterr);
        if (r >= 0 && o->force)
                r = remove_users(store, &use, network.name, o->time, reterr);
        return r < 0 ? r : remove_record(store, network.name, network.id, reterr);
}

/* Podman's exit statuses: 1 for a network that is not there, 2 for one that is in use, 125 for all else. */
static int run_remove(Invocation *in, Error *reterr) {
        const RemoveNetworkOptions *o = in->options;
        const Store *store;
        int r = invocation_store(in, &store, reterr), status = 0;

        if (r < 0)
                return r;
        for (char **word = in->arguments; *word; word++) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = remove_one(store, *word, o, &error);
                if (r >= 0)
                        printf("%s\n", *word);
                if (r >= 0 || (r == -ENOENT && o->force))
                        continue;
                error_print(&error);
                status = r == -ENOENT ? MAX(status, 1) : r == -EBUSY ? MAX(status, 2) : 125;
        }
        return status;
}

const Verb verb_network_rm = {
        .arguments = "NETWORK [NETWORK...]",
        .summary = "Remove networks",
        .options = remove_options,
        .options_size = sizeof(RemoveNetworkOptions),
        .options_default = &remove_default,
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_NETWORK,
        .run = run_remove,
};

/* ---- network prune ---- */

typedef struct PruneOptions {
        char **filters;
        bool force;
} PruneOptions;

static const char *const prune_words[] = { "label=", "label!=", "until=", NULL };
static const Option prune_rows[] = {
        { "filter", .kind = OPTION_STRV, .offset = offsetof(PruneOptions, filters), .metavar = "KEY=VALUE", .help = "Remove only what matches",
          .complete = COMPLETE_WORDS, .words = prune_words },
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(PruneOptions, force), .help = "Do not ask" },
        {},
};
static const Option *const prune_options[] = { prune_rows, NULL };

static int add_unused(const NetworkConfig *network, const NetworkUse *use, void *data, Error *reterr) {
        if (str_equal(network->name, NETWORK_DEFAULT) || network_is_used(use, network->name))
                return 0;
        return strv_append(data, network->name) < 0 ? error_oom(reterr) : 0;
}

int prune_networks(const Store *store, char *const *filters, Pruned *ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = networks_check_prune_filters(filters, reterr);

        if (r >= 0)
                r = networks_each(store, filters, /* want_use= */ true, add_unused, &names, reterr);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;
                int code = remove_record(store, *name, /* id= */ NULL, &error);

                if (code >= 0 && strv_append(&ret->names, *name) < 0)
                        return error_oom(reterr);
                /* one that was taken or removed meanwhile is simply not unused any more */
                if (code >= 0 || code == -EBUSY || code == -ENOENT)
                        continue;
                error_print(&error);
                ret->failed = true;
        }
        return r;
}

static int run_prune(Invocation *in, Error *reterr) {
        const PruneOptions *o = in->options;
        _cleanup_pruned_ Pruned pruned = {};
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = networks_check_prune_filters(o->filters, reterr);
        if (r >= 0 && !o->force) {
                r = prune_ask("WARNING! This will remove all networks not used by at least one container.\n", "prune networks", reterr);
                if (r == 0)
                        return 0;
        }
        if (r >= 0)
                r = prune_networks(store, o->filters, &pruned, reterr);
        for (char **name = pruned.names; name && *name; name++)
                printf("%s\n", *name);
        return r < 0 ? r : pruned.failed ? 125 : 0;
}

const Verb verb_network_prune = {
        .summary = "Remove the networks that no container is in",
        .options = prune_options,
        .options_size = sizeof(PruneOptions),
        .run = run_prune,
};

/* ---- network update ---- */

typedef struct UpdateOptions {
        char **dns_add, **dns_drop;
} UpdateOptions;

static const Option update_rows[] = {
        { "dns-add", .kind = OPTION_LIST, .offset = offsetof(UpdateOptions, dns_add), .metavar = "ADDRESS", .help = "Ask this name server, too" },
        { "dns-drop", .kind = OPTION_LIST, .offset = offsetof(UpdateOptions, dns_drop), .metavar = "ADDRESS",
          .help = "Ask this name server no more" },
        {},
};
static const Option *const update_options[] = { update_rows, NULL };

static int parse_server(const char *text, char **ret, Error *reterr) {
        IpAddress address;

        if (ip_parse(text, &address) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "unable to parse ip %s", text);
        return (*ret = strdup(ip_text(&address))) ? 0 : error_oom(reterr);
}

static int drop_server(NetworkConfig *network, const char *text, Error *reterr) {
        _cleanup_free_ char *server = NULL;
        int r = parse_server(text, &server, reterr);

        if (r < 0)
                return r;
        for (char **at = network->network_dns_servers; at && *at; at++) {
                if (!str_equal(*at, server))
                        continue;
                free(*at);
                do
                        at[0] = at[1];
                while (*at++);
                if (!*network->network_dns_servers) {
                        strv_free(network->network_dns_servers);
                        network->network_dns_servers = NULL;
                }
                return 0;
        }
        return error_set(reterr, -ENOENT, ERROR_INVALID, "cannot drop name server %s: network '%s' does not have it", server, network->name);
}

static int add_server(NetworkConfig *network, const char *text, Error *reterr) {
        _cleanup_free_ char *server = NULL;
        int r = parse_server(text, &server, reterr);

        if (r < 0 || strv_contains(network->network_dns_servers, server))
                return r;
        return strv_append(&network->network_dns_servers, server) < 0 ? error_oom(reterr) : 0;
}

static int run_update(Invocation *in, Error *reterr) {
        const UpdateOptions *o = in->options;
        _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
        _cleanup_fd_ int lock = -EBADF;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0 && !o->dns_add && !o->dns_drop)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod %s' requires --dns-add or --dns-drop", in->name);
        if (r >= 0)
                r = lock = network_lock(store, reterr);
        if (r >= 0)
                r = network_open(store, in->arguments[0], &network, reterr);
        if (r >= 0 && !network.dns_enabled)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot update network '%s': DNS is not enabled for it", network.name);
        for (char **server = o->dns_drop; r >= 0 && server && *server; server++)
                r = drop_server(&network, *server, reterr);
        for (char **server = o->dns_add; r >= 0 && server && *server; server++)
                r = add_server(&network, *server, reterr);
        if (r >= 0)
                r = network_save(store, &network, reterr);
        lock = fd_close(lock); /* the router may want it */
        if (r >= 0)
                r = bridge_update_network(store, network.name, reterr);
        if (r < 0)
                return r;
        printf("%s\n", network.name);
        return 0;
}

const Verb verb_network_update = {
        .arguments = "NETWORK",
        .summary = "Change the name servers of a network",
        .options = update_options,
        .options_size = sizeof(UpdateOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_NETWORK,
        .run = run_update,
};
