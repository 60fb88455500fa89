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

/* ---- values ---- */

static int parse_subnet(const char *text, IpSubnet *ret, Error *reterr) {
        return ip_parse_subnet(text, ret) < 0 ? INVALID("invalid CIDR address: %s", text) : 0;
}

static int parse_gateway(const char *text, IpAddress *ret, Error *reterr) {
        return ip_parse(text, ret) < 0 ? INVALID("invalid string being converted to IP address: %s", text) : 0;
}

/* ADDRESS/PREFIX is all of it but its first address, which is no container's. */
static int parse_range(const char *text, IpAddress *ret_start, IpAddress *ret_end, Error *reterr) {
        const char *dash = strchr(text, '-');
        _cleanup_free_ char *start = dash ? strndup(text, (size_t) (dash - text)) : NULL;
        IpSubnet subnet;

        if (dash && !start)
                return error_oom(reterr);
        if (dash) {
                if (ip_parse(start, ret_start) < 0 || ip_parse(dash + 1, ret_end) < 0 || ret_start->family != ret_end->family)
                        return INVALID("invalid range: %s", text);
                if (ip_compare(ret_start, ret_end) > 0)
                        return INVALID("invalid range: %s ends before it begins", text);
                return 0;
        }
        int r = parse_subnet(text, &subnet, reterr);
        if (r < 0)
                return r;
        *ret_start = ip_first(&subnet);
        if (subnet.prefix < ip_bits(subnet.address.family))
                *ret_start = ip_add(ret_start, 1);
        *ret_end = ip_last(&subnet);
        return 0;
}

static int parse_route(const char *text, IpSubnet *ret_destination, IpAddress *ret_gateway, uint32_t *ret_metric, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text, ",");

        if (!words)
                return error_oom(reterr);
        size_t n = strv_length(words);
        *ret_metric = 0;
        if (n < 2 || n > 3)
                return INVALID("invalid route: %s\nFormat: --route <destination in CIDR>,<gateway>,<metric (optional)>", text);
        if (ip_parse_subnet(words[0], ret_destination) < 0)
                return INVALID("invalid route destination %s", words[0]);
        if (ip_parse(words[1], ret_gateway) < 0)
                return INVALID("invalid route gateway %s", words[1]);
        if (n == 3 && (parse_u32(words[2], ret_metric) < 0 || *ret_metric == 0 || *ret_metric > INT32_MAX))
                return INVALID("invalid route metric %s", words[2]);
        return 0;
}

static int parse_server(const char *text, IpAddress *ret, Error *reterr) {
        return ip_parse(text, ret) < 0 ? INVALID("unable to parse ip %s", text) : 0;
}

/* Each is looked at where it stands on the command line, which `quadlet verify` sees; and is read again with the others. */

static int check_subnet(const char *text, Error *reterr) {
        return parse_subnet(text, &(IpSubnet){}, reterr);
}

static int check_gateway(const char *text, Error *reterr) {
        return parse_gateway(text, &(IpAddress){}, reterr);
}

static int check_range(const char *text, Error *reterr) {
        return parse_range(text, &(IpAddress){}, &(IpAddress){}, reterr);
}

static int check_route(const char *text, Error *reterr) {
        return parse_route(text, &(IpSubnet){}, &(IpAddress){}, &(uint32_t){ 0 }, reterr);
}

static int check_server(const char *text, Error *reterr) {
        return parse_server(text, &(IpAddress){}, reterr);
}

/* ---- the options ---- */

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
        { "dns", .kind = OPTION_LIST, .offset = FIELD(dns),
          .check = check_server, .metavar = "ADDRESS", .help = "Ask this name server for all other names" },
        { "driver", 'd', .kind = OPTION_SET, .set = set_driver, .metavar = "DRIVER", .complete = COMPLETE_WORDS, .words = driver_words,
          .help = "What the network is: bridge (the default), macvlan, ipvlan, vxlan" },
        { "gateway", .kind = OPTION_LIST, .offset = FIELD(gateways),
          .check = check_gateway, .metavar = "ADDRESS", .help = "The gateway of the subnet" },
        { "ignore", .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when the network exists" },
        { "interface-name", .kind = OPTION_STRING, .offset = FIELD(interface_name), .metavar = "NAME",
          .help = "Name of the bridge, or the parent of macvlan and ipvlan" },
        { "internal", .kind = OPTION_BOOL, .offset = FIELD(internal), .help = "No way out of the network, and none in" },
        { "ip-range", .kind = OPTION_STRV, .offset = FIELD(ranges), .check = check_range, .metavar = "CIDR|ADDRESS-ADDRESS",
          .help = "Give containers addresses of this part of the subnet" },
        { "ipam-driver", .kind = OPTION_SET, .set = set_ipam_driver, .metavar = "DRIVER", .complete = COMPLETE_WORDS, .words = ipam_words,
          .help = "Who gives addresses: host-local, none" },
        { "ipv6", .kind = OPTION_BOOL, .offset = FIELD(ipv6), .help = "Also an IPv6 subnet" },
        { "label", .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "macvlan", .kind = OPTION_STRING, .offset = FIELD(macvlan), .metavar = "PARENT", .help = "Old word for -d macvlan -o parent=", .hidden = true },
        { "opt", 'o', .kind = OPTION_STRV, .offset = FIELD(opts), .metavar = "NAME=VALUE", .help = "Set an option of the driver" },
        { "print-quadlet", .kind = OPTION_BOOL, .offset = FIELD(print_quadlet),
          .help = "Print the .network file whose service does the same, and do nothing else" },
        { "route", .kind = OPTION_STRV, .offset = FIELD(routes),
          .check = check_route, .metavar = "SUBNET,GATEWAY[,METRIC]", .help = "Add a route to containers" },
        { "subnet", .kind = OPTION_STRV, .offset = FIELD(subnets),
          .check = check_subnet, .metavar = "CIDR", .help = "The subnet" },
        {},
};
static const Option *const create_options[] = { create_rows, NULL };

static int fill_subnet(NetworkSubnet *subnet, const char *text, const char *gateway_text, const char *range, Error *reterr) {
        IpAddress gateway, start, end;
        IpSubnet parsed;
        int r = parse_subnet(text, &parsed, reterr);

        if (r >= 0 && !(subnet->subnet = strdup(ip_subnet_text(&parsed))))
                r = error_oom(reterr);
        if (r >= 0 && gateway_text)
                r = parse_gateway(gateway_text, &gateway, reterr);
        if (r >= 0 && gateway_text && !(subnet->gateway = strdup(ip_text(&gateway))))
                r = error_oom(reterr);
        if (r >= 0 && range)
                r = parse_range(range, &start, &end, reterr);
        if (r < 0 || !range)
                return r;
        subnet->lease_range.start_ip = strdup(ip_text(&start));
        subnet->lease_range.end_ip = strdup(ip_text(&end));
        return subnet->lease_range.start_ip && subnet->lease_range.end_ip ? 0 : error_oom(reterr);
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
                const char *gateway = i < n_gateways ? o->gateways[i] : NULL, *range = i < n_ranges ? o->ranges[i] : NULL;
                int r = subnet ? fill_subnet(subnet, o->subnets[i], gateway, range, reterr) : error_oom(reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill_route(const char *text, NetworkConfig *config, Error *reterr) {
        NetworkRoute *route = container_array_add((void **) &config->routes, &config->n_routes, sizeof(*route));
        IpSubnet destination;
        IpAddress gateway;
        int r = route ? parse_route(text, &destination, &gateway, &route->metric, reterr) : error_oom(reterr);

        if (r < 0)
                return r;
        destination.address = ip_first(&destination);
        route->destination = strdup(ip_subnet_text(&destination));
        route->gateway = strdup(ip_text(&gateway));
        return route->destination && route->gateway ? 0 : error_oom(reterr);
}

static int fill_dns(const CreateOptions *o, NetworkConfig *config, Error *reterr) {
        for (char **server = o->dns; server && *server; server++) {
                IpAddress address;
                int r = parse_server(*server, &address, reterr);

                if (r < 0)
                        return r;
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
