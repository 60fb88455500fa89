/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod port: where the ports of running containers are published. */
#include "base/str.h"
#include "cli/container-choose.h"
#include "cli/parse-port.h"
#include "cli/verbs.h"
#include "engine/inspect.h"
#include "engine/namespaces.h"

typedef struct PortOptions {
        bool all, latest;
} PortOptions;

static const Option rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(PortOptions, all),
          .help = "Show the ports of all containers" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(PortOptions, latest), .help = "Take the container made last" },
        {},
};
static const Option *const options[] = { rows, NULL };

static void print_address(const ContainerPort *port) {
        bool v6 = port->host_ip && strchr(port->host_ip, ':');

        printf("%s%s%s:%u\n", v6 ? "[" : "", port->host_ip ?: "0.0.0.0", v6 ? "]" : "", port->host_port);
}

/* Prints all ports, or the addresses of the one that is wanted; returns how many. */
static size_t print_ports(const Container *container, const ContainerPort *wanted, bool with_id) {
        size_t n, printed = 0;
        const ContainerPort *ports = inspect_ports(container, &n);

        for (size_t i = 0; i < n; i++) {
                if (wanted && (ports[i].container_port != wanted->container_port ||
                               !str_equal(ports[i].protocol, wanted->protocol)))
                        continue;
                if (!wanted) {
                        if (with_id)
                                printf("%.12s\t", container->config.id);
                        printf("%u/%s -> ", ports[i].container_port, ports[i].protocol);
                }
                print_address(&ports[i]);
                printed++;
        }
        return printed;
}

static int run_all(const Store *store, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = container_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (container_load(store, *id, &container, NULL) >= 0 && container.status == CONTAINER_RUNNING) {
                        namespaces_take_ports(store, &container);
                        (void) print_ports(&container, NULL, /* with_id= */ true);
                }
        }
        return r < 0 ? r : 0;
}

/* "80" or "80/udp", as -p has it behind the last colon. */
static int parse_wanted(const char *text, ContainerConfig *config, Error *reterr) {
        if (strchr(text, ':') || strchr(text, '-'))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s' as a port: it is PORT[/PROTOCOL]",
                                 text);
        int r = parse_publish(config, text, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot use '%s' as a port", text) : 0;
}

static int run(Invocation *in, Error *reterr) {
        const PortOptions *o = in->options;
        size_t port = o->latest ? 0 : 1; /* the argument */
        _cleanup_container_config_ ContainerConfig wanted = CONTAINER_CONFIG_NULL;
        _cleanup_container_ Container container = CONTAINER_NULL;
        const Store *store;

        if (o->all ? in->n_arguments > 0 || o->latest : in->n_arguments < port)
                return error_set(reterr, -EINVAL, ERROR_USAGE,
                                 o->all ? "'sdpod port' takes a container, or --all, not both"
                                        : "'sdpod port' requires a container, or --all");
        if (in->n_arguments > port + 1)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--latest and arguments cannot be used together");
        int r = in->n_arguments > port ? parse_wanted(in->arguments[port], &wanted, reterr) : 0;
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0 && o->all)
                return run_all(store, reterr);
        if (r >= 0)
                r = container_choose_one(store, o->latest ? NULL : in->arguments[0], o->latest, &container, reterr);
        if (r < 0)
                return r;
        namespaces_take_ports(store, &container);
        size_t n =
                container.status == CONTAINER_RUNNING ? print_ports(&container, wanted.ports, /* with_id= */ false) : 0;
        if (n == 0 && wanted.ports)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND,
                                 "cannot show port '%s' of '%s': failed to find published port", in->arguments[port],
                                 container.config.name);
        return 0;
}

const Verb verb_port = {
        .arguments = "CONTAINER [PORT[/PROTOCOL]]",
        .summary = "Show where a container's ports are published",
        .options = options,
        .options_size = sizeof(PortOptions),
        .arguments_max = 2,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
