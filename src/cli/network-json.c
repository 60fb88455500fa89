/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as JSON, and the filters over them. */
#include "cli/network-json.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/time-text.h"

static const char *const maps[] = { "Labels", "Options", "IPAMOptions", "Containers", NULL };
static const char *const times[] = { "Created", NULL };
const TemplateTypes network_template_types = { .maps = maps, .times = times };

/* ---- objects ---- */

/* A key of the JSON, and the field's name in Go. */
typedef struct Key {
        const char *json, *field;
} Key;

/* Sets a key, by one of its two names; `value` is taken over, and NULL is a failure. */
static int set(json_t *object, bool fields, Key key, json_t *value) {
        return json_object_set_new(object, fields ? key.field : key.json, value);
}

#define SET(json, field, value) (set(object, fields, (Key){ json, field }, value) < 0)

/* In templates there are all fields, in JSON none that are empty. */
static bool is_shown(bool fields, bool filled) {
        return fields || filled;
}

static json_t *text(const char *value) {
        return json_text(value ?: "");
}

static json_t *range_object(const NetworkRange *range, bool fields) {
        _cleanup_json_ json_t *object = json_object();

        if (is_shown(fields, range->start_ip) && SET("start_ip", "StartIP", text(range->start_ip)))
                return NULL;
        if (is_shown(fields, range->end_ip) && SET("end_ip", "EndIP", text(range->end_ip)))
                return NULL;
        return TAKE_PTR(object);
}

static json_t *subnet_object(const NetworkSubnet *subnet, bool fields) {
        _cleanup_json_ json_t *object = json_object();
        bool ranged = subnet->lease_range.start_ip || subnet->lease_range.end_ip;

        if (SET("subnet", "Subnet", text(subnet->subnet)))
                return NULL;
        if (is_shown(fields, subnet->gateway) && SET("gateway", "Gateway", text(subnet->gateway)))
                return NULL;
        if (ranged && SET("lease_range", "LeaseRange", range_object(&subnet->lease_range, fields)))
                return NULL;
        if (!ranged && fields && SET("", "LeaseRange", json_null()))
                return NULL;
        return TAKE_PTR(object);
}

static json_t *route_object(const NetworkRoute *route, bool fields) {
        _cleanup_json_ json_t *object = json_object();

        if (SET("destination", "Destination", text(route->destination)) || SET("gateway", "Gateway", text(route->gateway)))
                return NULL;
        if (is_shown(fields, route->metric > 0) && SET("metric", "Metric", json_integer(route->metric)))
                return NULL;
        return TAKE_PTR(object);
}

static json_t *subnets_array(const NetworkConfig *network, bool fields) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < network->n_subnets; i++)
                if (json_array_append_new(array, subnet_object(&network->subnets[i], fields)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *routes_array(const NetworkConfig *network, bool fields) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < network->n_routes; i++)
                if (json_array_append_new(array, route_object(&network->routes[i], fields)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* Of one container: what Podman 5 shows. */
static json_t *interfaces_object(const ContainerAttachment *at) {
        _cleanup_json_ json_t *subnets = json_array(), *object = json_object();

        for (size_t i = 0; at->addresses && at->addresses[i]; i++) {
                json_t *subnet = json_pack("{s:s}", "ipnet", at->addresses[i]);
                const char *gateway = i < strv_length(at->gateways) ? at->gateways[i] : NULL;

                if (subnet && gateway && json_object_set_new(subnet, "gateway", json_string(gateway)) < 0)
                        return NULL;
                if (json_array_append_new(subnets, subnet) < 0)
                        return NULL;
        }
        json_t *interface = json_pack("{s:O, s:s}", "subnets", subnets, "mac_address", at->mac ?: "");
        return json_object_set_new(object, at->interface_name ?: "", interface) < 0 ? NULL : TAKE_PTR(object);
}

static json_t *containers_object(const NetworkConfig *network, const NetworkUse *use) {
        _cleanup_json_ json_t *object = json_object();

        for (size_t i = 0; use && i < use->n; i++) {
                const NetworkUser *user = &use->items[i];

                if (!str_equal(user->network, network->name) || !user->at)
                        continue;
                if (json_object_set_new(object, user->id,
                                        json_pack("{s:s, s:o}", "name", user->name, "interfaces", interfaces_object(user->at))) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *network_object(const NetworkConfig *n, const NetworkUse *use, bool fields) {
        _cleanup_free_ char *created = time_format_rfc3339(n->created_usec ?: time_now_usec()); /* the default one is made now */
        _cleanup_json_ json_t *object = json_object(), *containers = containers_object(n, use);

        if (!created || SET("name", "Name", text(n->name)) || SET("id", "ID", text(n->id)) || SET("driver", "Driver", text(n->driver)))
                return NULL;
        if (is_shown(fields, n->network_interface) && SET("network_interface", "NetworkInterface", text(n->network_interface)))
                return NULL;
        if (SET("created", "Created", json_string(created)))
                return NULL;
        if (is_shown(fields, n->n_subnets > 0) && SET("subnets", "Subnets", subnets_array(n, fields)))
                return NULL;
        if (is_shown(fields, n->n_routes > 0) && SET("routes", "Routes", routes_array(n, fields)))
                return NULL;
        if (SET("ipv6_enabled", "IPv6Enabled", json_boolean(n->ipv6_enabled)) || SET("internal", "Internal", json_boolean(n->internal)) ||
            SET("dns_enabled", "DNSEnabled", json_boolean(n->dns_enabled)))
                return NULL;
        if (is_shown(fields, n->network_dns_servers) &&
            SET("network_dns_servers", "NetworkDNSServers", json_from_strv(n->network_dns_servers)))
                return NULL;
        if (is_shown(fields, n->labels) && SET("labels", "Labels", json_from_pairs(n->labels)))
                return NULL;
        if (is_shown(fields, n->options) && SET("options", "Options", json_from_pairs(n->options)))
                return NULL;
        if (is_shown(fields, n->ipam_options) && SET("ipam_options", "IPAMOptions", json_from_pairs(n->ipam_options)))
                return NULL;
        if (is_shown(fields, json_object_size(containers) > 0) && SET("containers", "Containers", json_incref(containers)))
                return NULL;
        return TAKE_PTR(object);
}

json_t *network_to_json(const NetworkConfig *network, const NetworkUse *use) {
        return network_object(network, use, /* fields= */ false);
}

json_t *network_to_fields(const NetworkConfig *network, const NetworkUse *use) {
        return network_object(network, use, /* fields= */ true);
}

/* ---- filters ---- */

typedef struct Item {
        const NetworkConfig *network;
        bool used;
} Item;

#define NETWORK(item) (((const Item *) (item))->network)

static int match_name(const void *item, const char *value, Error *reterr) {
        return filter_regex(NETWORK(item)->name, value, reterr);
}

static int match_id(const void *item, const char *value, Error *reterr) {
        return filter_regex(NETWORK(item)->id, value, reterr);
}

static int match_driver(const void *item, const char *value, _unused_ Error *reterr) {
        return str_equal(NETWORK(item)->driver, value);
}

static int match_label(const void *item, const char *value, _unused_ Error *reterr) {
        return filter_label(NETWORK(item)->labels, value);
}

static int match_not_label(const void *item, const char *value, _unused_ Error *reterr) {
        return !filter_label(NETWORK(item)->labels, value);
}

static int match_until(const void *item, const char *value, Error *reterr) {
        int64_t until, created = NETWORK(item)->created_usec;
        int r = time_text_parse(value, time_now_usec(), &until, reterr);

        return r < 0 ? r : created > 0 && created < until;
}

/* The default network is never one that could go. */
static int match_dangling(const void *item, const char *value, Error *reterr) {
        bool wanted;

        if (parse_bool(value, &wanted) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "neither true nor false");
        return (!((const Item *) item)->used && !str_equal(NETWORK(item)->name, NETWORK_DEFAULT)) == wanted;
}

static const FilterKey list_keys[] = {
        { "dangling", .match = match_dangling },
        { "driver", .match = match_driver },
        { "id", .match = match_id },
        { "label", .all = true, .match = match_label },
        { "label!", .all = true, .match = match_not_label },
        { "name", .match = match_name },
        { "until", .all = true, .match = match_until },
        {},
};

static const FilterKey prune_keys[] = {
        { "label", .all = true, .match = match_label },
        { "label!", .all = true, .match = match_not_label },
        { "until", .all = true, .match = match_until },
        {},
};

int networks_check_prune_filters(char *const *filters, Error *reterr) {
        int r = filters_match(filters, prune_keys, NULL, reterr);

        return r < 0 ? r : 0;
}

static bool asks_for_use(char *const *filters) {
        for (; filters && *filters; filters++)
                if (str_after(*filters, "dangling="))
                        return true;
        return false;
}

int networks_each(const Store *store, char *const *filters, bool want_use, NetworkVisit visit, void *data, Error *reterr) {
        _cleanup_network_use_ NetworkUse use = {};
        _cleanup_strv_ char **names = NULL;
        int r = filters_match(filters, list_keys, NULL, reterr);

        if (r >= 0)
                r = network_list(store, &names, reterr);
        if (r >= 0 && (want_use || asks_for_use(filters)))
                r = network_use_read(store, &use, reterr);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = network_load(store, *name, &network, &error);
                if (r == -ENOENT) { /* removed meanwhile */
                        r = 0;
                        continue;
                }
                if (r < 0) { /* one that is damaged hides no other */
                        error_print(&error);
                        r = 0;
                        continue;
                }
                const Item item = { &network, network_is_used(&use, network.name) };
                r = filters_match(filters, list_keys, &item, reterr);
                if (r > 0)
                        r = visit(&network, &use, data, reterr);
        }
        return r < 0 ? r : 0;
}
