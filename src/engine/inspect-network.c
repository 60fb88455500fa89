/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect shows of the networks that a container is in. */
#include <arpa/inet.h>

#include "base/str.h"
#include "engine/inspect-view.h"
#include "engine/network-names.h"
#include "spec/ip.h"

/* The first address of each family, and those behind it. */
typedef struct Addresses {
        char first[2][IP_TEXT_SIZE], gateway[2][IP_TEXT_SIZE];
        unsigned prefix[2];
        json_t *more[2];
} Addresses;

static void read_addresses(const ContainerAttachment *at, Addresses *ret) {
        for (char **text = at ? at->addresses : NULL; text && *text; text++) {
                IpSubnet address;

                if (ip_parse_subnet(*text, &address) < 0)
                        continue;
                unsigned i = address.address.family == AF_INET6;
                if (!*ret->first[i]) {
                        (void) ip_format(&address.address, ret->first[i]);
                        ret->prefix[i] = address.prefix;
                        continue;
                }
                if (!ret->more[i])
                        ret->more[i] = json_array();
                (void) json_array_append_new(ret->more[i], json_pack("{s:s, s:i}", "Addr", ip_text(&address.address), "PrefixLength",
                                                                     (int) address.prefix));
        }
        for (char **text = at ? at->gateways : NULL; text && *text; text++) {
                IpAddress gateway;

                if (ip_parse(*text, &gateway) >= 0 && !*ret->gateway[gateway.family == AF_INET6])
                        (void) ip_format(&gateway, ret->gateway[gateway.family == AF_INET6]);
        }
}

void inspect_network_basics(View *v, const ContainerAttachment *at) {
        Addresses a = {};

        read_addresses(at, &a);
        view_string(v, "EndpointID", "");
        view_string(v, "Gateway", a.gateway[0]);
        view_string(v, "IPAddress", a.first[0]);
        view_integer(v, "IPPrefixLen", a.prefix[0]);
        if (a.more[0])
                view_add(v, "SecondaryIPAddresses", a.more[0]);
        view_string(v, "IPv6Gateway", a.gateway[1]);
        view_string(v, "GlobalIPv6Address", a.first[1]);
        view_integer(v, "GlobalIPv6PrefixLen", a.prefix[1]);
        if (a.more[1])
                view_add(v, "SecondaryIPv6Addresses", a.more[1]);
        view_string(v, "MacAddress", at ? at->mac : NULL);
}

const ContainerAttachment *inspect_attachment(const Container *c, const char *network) {
        for (size_t i = 0; c->pidfd >= 0 && i < c->process.n_networks; i++)
                if (str_equal(c->process.networks[i].network, network))
                        return &c->process.networks[i];
        return NULL;
}

/* The names that others in the network can call it by, besides its own. */
static json_t *aliases(const Container *c, const ContainerNetwork *network) {
        _cleanup_json_ json_t *list = json_from_strv(network->aliases);
        _cleanup_free_ char *id = str_format("%.12s", c->config.id);

        return id && json_array_append_new(list, json_string(id)) >= 0 ? TAKE_PTR(list) : NULL;
}

json_t *inspect_networks(const Container *c) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_json_ json_t *all = json_object();

        if (network_names_sorted(&c->config, &names) < 0)
                return NULL;
        for (char **name = names; name && *name; name++) {
                _cleanup_view_ View v = VIEW_NULL;

                inspect_network_basics(&v, inspect_attachment(c, *name));
                view_string(&v, "NetworkID", *name);
                view_add(&v, "DriverOpts", json_null());
                view_add(&v, "IPAMConfig", json_null());
                view_add(&v, "Links", json_null());
                view_add(&v, "Aliases", aliases(c, network_names_find(&c->config, *name)));
                if (json_object_set_new(all, *name, view_take(&v)) < 0)
                        return NULL;
        }
        return TAKE_PTR(all);
}
