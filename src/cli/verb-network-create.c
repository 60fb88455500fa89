/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod network create. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/parse-env.h"
#include "cli/quadlet.h"
#include "cli/verbs.h"
#include "engine/network-create.h"
#include "spec/container.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

typedef struct CreateOptions {
        char **subnets, **gateways, **ranges, **routes, **dns, **labels, **opts;
        char *driver, *ipam_driver, *interface_name, *macvlan;
        bool disable_dns, ignore, internal, ipv6, print_quadlet;
} CreateOptions;

static const char *const driver_words[] = { "bridge", "ipvlan", "macvlan", "vxlan", NULL };
static const char *const ipam_words[] = { "host-local", "none", NULL };

/* An unknown one is refused with the reason that fits, later. */
static int set_driver(void *options, const char *value, Error *reterr) {
        return str_replace(&((CreateOptions *) options)->driver, value) < 0 ? error_oom(reterr) : 0;
}

static int set_ipam_driver(void *options, const char *value, Error *reterr) {
        return str_replace(&((CreateOptions *) options)->ipam_driver, value) < 0 ? error_oom(reterr) : 0;
}

#define FIELD(member) offsetof(CreateOptions, member)
static const Option create_rows[] = {
        { "disable-dns", .kind = OPTION_BOOL, .offset = FIELD(disable_dns), .help = "Answer no names of containers" },
        { "dns", .kind = OPTION_LIST, .offset = FIELD(dns), .metavar = "ADDRESS", .help = "Ask this name server for all other names" },
        { "driver", 'd', .kind = OPTION_SET, .set = set_driver, .metavar = "DRIVER", .complete = COMPLETE_WORDS, .words = driver_words,
          .help = "What the network is: bridge (the default), macvlan, ipvlan, vxlan" },
        { "gateway", .kind = OPTION_LIST, .offset = FIELD(gateways), .metavar = "ADDRESS", .help = "The gateway of the subnet" },
        { "ignore", .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when the network exists" },
        { "interface-name", .kind = OPTION_STRING, .offset = FIELD(interface_name), .metavar = "NAME",
          .help = "Name of the bridge, or the parent of macvlan and ipvlan" },
        { "internal", .kind = OPTION_BOOL, .offset = FIELD(internal), .help = "No way out of the network, and none in" },
        { "ip-range", .kind = OPTION_STRV, .offset = FIELD(ranges), .metavar = "CIDR|ADDRESS-ADDRESS",
          .help = "Give containers addresses of this part of the subnet" },
        { "ipam-driver", .kind = OPTION_SET, .set = set_ipam_driver, .metavar = "DRIVER", .complete = COMPLETE_WORDS, .words = ipam_words,
          .help = "Who gives addresses: host-local, none" },
        { "ipv6", .kind = OPTION_BOOL, .offset = FIELD(ipv6), .help = "Also an IPv6 subnet" },
        { "label", .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "macvlan", .kind = OPTION_STRING, .offset = FIELD(macvlan), .metavar = "PARENT", .help = "Old word for -d macvlan -o parent=", .hidden = true },
        { "opt", 'o', .kind = OPTION_STRV, .offset = FIELD(opts), .metavar = "NAME=VALUE", .help = "Set an option of the driver" },
        { "print-quadlet", .kind = OPTION_BOOL, .offset = FIELD(print_quadlet),
          .help = "Print the .network file whose service does the same, and do nothing else" },
        { "route", .kind = OPTION_STRV, .offset = FIELD(routes), .metavar = "SUBNET,GATEWAY[,METRIC]", .help = "Add a route to containers" },
        { "subnet", .kind = OPTION_STRV, .offset = FIELD(subnets), .metavar = "CIDR", .help = "The subnet" },
        {},
};
static const Option *const create_options[] = { create_rows, NULL };

/* ADDRESS/PREFIX is all of it but its first address, which is no container's. */
static int parse_range(const char *text, NetworkRange *ret, Error *reterr) {
        const char *dash = strchr(text, '-');
        _cleanup_free_ char *start_text = dash ? strndup(text, (size_t) (dash - text)) : NULL;
        IpSubnet subnet;
        IpAddress start, end;

        if (dash && !start_text)
                return error_oom(reterr);
        if (dash) {
                if (ip_parse(start_text, &start) < 0 || ip_parse(dash + 1, &end) < 0 || start.family != end.family)
                        return INVALID("invalid range: %s", text);
                if (ip_compare(&start, &end) > 0)
                        return INVALID("invalid range: %s ends before it begins", text);
        } else {
                if (ip_parse_subnet(text, &subnet) < 0)
                        return INVALID("invalid CIDR address: %s", text);
                start = ip_first(&subnet);
                if (subnet.prefix < ip_bits(subnet.address.family))
                        start = ip_add(&start, 1);
                end = ip_last(&subnet);
        }
        ret->start_ip = strdup(ip_text(&start));
        ret->end_ip = strdup(ip_text(&end));
        return ret->start_ip && ret->end_ip ? 0 : error_oom(reterr);
}

/* Gateways and ranges belong to the subnets in the order in which they were given. */
static int fill_subnets(const CreateOptions *o, NetworkConfig *config, Error *reterr) {
        size_t n = strv_length(o->subnets), n_gateways = strv_length(o->gateways), n_ranges = strv_length(o->ranges);

        if (n == 0 && (n_gateways > 0 || n_ranges > 0))
                return INVALID("cannot set gateway or range without subnet");
        if (n_gateways > n)
                return INVALID("cannot set more gateways than subnets");
        if (n_ranges > n)
                return INVALID("cannot set more ranges than subnets");
        for (size_t i = 0; i < n; i++) {
                NetworkSubnet *subnet = container_array_add((void **) &config->subnets, &config->n_subnets, sizeof(*subnet));
                IpSubnet parsed;
                IpAddress gateway;

                if (!subnet)
                        return error_oom(reterr);
                if (ip_parse_subnet(o->subnets[i], &parsed) < 0)
                        return INVALID("invalid CIDR address: %s", o->subnets[i]);
                if (!(subnet->subnet = strdup(ip_subnet_text(&parsed))))
                        return error_oom(reterr);
                if (i < n_gateways) {
                        if (ip_parse(o->gateways[i], &gateway) < 0)
                                return INVALID("invalid argument \"%s\" for \"--gateway\" flag: invalid string being converted to IP address: %s",
                                               o->gateways[i], o->gateways[i]);
                        if (!(subnet->gateway = strdup(ip_text(&gateway))))
                                return error_oom(reterr);
                }
                int r = i < n_ranges ? parse_range(o->ranges[i], &subnet->lease_range, reterr) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_route(const char *text, NetworkConfig *config, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text, ",");
        NetworkRoute *route;
        IpSubnet destination;
        IpAddress gateway;
        uint32_t metric = 0;

        if (!words)
                return error_oom(reterr);
        size_t n = strv_length(words);
        if (n < 2 || n > 3)
                return INVALID("invalid route: %s\nFormat: --route <destination in CIDR>,<gateway>,<metric (optional)>", text);
        if (ip_parse_subnet(words[0], &destination) < 0)
                return INVALID("invalid route destination %s", words[0]);
        if (ip_parse(words[1], &gateway) < 0)
                return INVALID("invalid route gateway %s", words[1]);
        if (n == 3 && (parse_u32(words[2], &metric) < 0 || metric == 0 || metric > INT32_MAX))
                return INVALID("invalid route metric %s", words[2]);
        destination.address = ip_first(&destination);
        route = container_array_add((void **) &config->routes, &config->n_routes, sizeof(*route));
        if (!route || !(route->destination = strdup(ip_subnet_text(&destination))) || !(route->gateway = strdup(ip_text(&gateway))))
                return error_oom(reterr);
        route->metric = metric;
        return 0;
}

static int fill_dns(const CreateOptions *o, NetworkConfig *config, Error *reterr) {
        for (char **server = o->dns; server && *server; server++) {
                IpAddress address;

                if (ip_parse(*server, &address) < 0)
                        return INVALID("unable to parse ip %s", *server);
                if (strv_append(&config->network_dns_servers, ip_text(&address)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

/* `parent` and Docker's name of a bridge are the interface. */
static int fill_options(const CreateOptions *o, NetworkConfig *config, Error *reterr) {
        static const char *const interfaces[] = { "parent=", "com.docker.network.bridge.name=" };

        for (char **opt = o->opts; opt && *opt; opt++) {
                const char *interface = NULL;

                for (size_t i = 0; i < ELEMENTSOF(interfaces) && !interface; i++)
                        interface = str_equal(config->driver, "bridge") == (i == 1) ? str_after(*opt, interfaces[i]) : NULL;
                if (interface ? str_replace(&config->network_interface, interface) < 0 : strv_append(&config->options, *opt) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int fill_in(const CreateOptions *o, NetworkConfig *config, Error *reterr) {
        int r;

        if (str_replace(&config->driver, o->macvlan ? "macvlan" : o->driver ?: "bridge") < 0 ||
            str_replace(&config->network_interface, o->macvlan ?: o->interface_name) < 0)
                return error_oom(reterr);
        if (o->macvlan)
                log_warning("The --macvlan option is deprecated, use `--driver macvlan --opt parent=<device>` instead");
        config->internal = o->internal;
        config->ipv6_enabled = o->ipv6;
        config->dns_enabled = !o->disable_dns;
        r = parse_labels(/* files= */ NULL, o->labels, &config->labels, reterr);
        if (r >= 0)
                r = fill_options(o, config, reterr);
        if (r >= 0)
                r = fill_subnets(o, config, reterr);
        for (char **route = o->routes; r >= 0 && route && *route; route++)
                r = fill_route(*route, config, reterr);
        if (r >= 0)
                r = fill_dns(o, config, reterr);
        if (r < 0 || !o->ipam_driver)
                return r;
        _cleanup_free_ char *ipam = str_format("driver=%s", o->ipam_driver);
        return ipam && strv_append(&config->ipam_options, ipam) >= 0 ? 0 : error_oom(reterr);
}

static int run_create(Invocation *in, Error *reterr) {
        const CreateOptions *o = in->options;
        _cleanup_network_config_ NetworkConfig config = NETWORK_CONFIG_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const char *name = in->n_arguments > 0 ? in->arguments[0] : NULL;
        const Store *store;
        int r = fill_in(o, &config, reterr);

        if (r >= 0 && o->print_quadlet)
                return quadlet_print_one(&(QuadletRequest){ .type = UNIT_NETWORK, .tables = create_options, .parse = &in->parse, .environment = environ,
                                                            .arguments = in->arguments, .global = &in->global }, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        if (!str_empty(name) && !(config.name = strdup(name)))
                return error_oom(reterr);
        r = engine_network_create(store, &config, &error);
        if (r < 0 && !(r == -EEXIST && o->ignore))
                return error_move(reterr, &error);
        printf("%s\n", config.name);
        return 0;
}

static void create_options_done(void *options) {
        CreateOptions *o = options;

        free(o->driver);
        free(o->ipam_driver);
}

const Verb verb_network_create = {
        .arguments = "[NAME]",
        .summary = "Create a network",
        .options = create_options,
        .options_size = sizeof(CreateOptions),
        .options_done = create_options_done,
        .arguments_max = 1,
        .run = run_create,
};
