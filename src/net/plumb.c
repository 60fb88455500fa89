/* SPDX-License-Identifier: Apache-2.0 */
/* The router's namespace, its bridges, and the links of containers to them. */
#include "net/plumb.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/guard.h"
#include "net/link.h"
#include "net/net-config.h"
#include "net/netns.h"
#include "net/plumb-driver.h"
#include "net/port-route.h"
#include "ns/visit.h"

enum { DEFAULT_ROUTE_METRIC = 100 };

static uint64_t hash(uint64_t h, const char *text) {
        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * 0x100000001b3ULL; /* FNV-1a */
        return h;
}

void plumb_link_name(const char *container_id, const char *network, char ret[static IFNAMSIZ]) {
        uint64_t h = hash(hash(hash(0xcbf29ce484222325ULL, container_id), "/"), network);

        (void) snprintf(ret, IFNAMSIZ, "v%013llx", (unsigned long long) (h & 0xfffffffffffffULL));
}

void plumb_mac(const char *network, const IpAddress *address, uint8_t ret[static 6]) {
        ret[0] = 0x02; /* locally administered, unicast */
        ret[1] = (uint8_t) hash(0xcbf29ce484222325ULL, network);
        memcpy(ret + 2, address->bytes + (address->family == AF_INET6 ? 12 : 0), 4);
}

const char *plumb_option(const NetworkConfig *network, const char *name) {
        return strv_env_get(network->options, name);
}

uint32_t plumb_mtu(const NetworkConfig *network) {
        const char *text = plumb_option(network, "mtu");
        uint32_t mtu;

        if (text && parse_u32(text, &mtu) >= 0 && mtu > 0)
                return mtu;
        if (!str_equal(network->driver, "vxlan"))
                return NET_MTU_DEFAULT;
        const char *remote = plumb_option(network, "remote");
        return remote && strchr(remote, ':') ? PLUMB_VXLAN_MTU6 : PLUMB_VXLAN_MTU;
}

/* ---- the namespace ---- */

static int write_sysctls(void) {
        static const struct {
                const char *path, *value;
                bool optional;
        } rows[] = {
                { "/proc/sys/net/ipv4/ip_forward", "1", false },
                { "/proc/sys/net/ipv4/conf/all/send_redirects", "0", true },
                { "/proc/sys/net/ipv4/conf/default/send_redirects", "0", true },
                { "/proc/sys/net/ipv6/conf/all/forwarding", "1", true },
                /* the routers' ends of containers' links: no addresses of the kernel's own, and so no talk */
                { "/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1", true },
                { "/proc/sys/net/ipv6/conf/default/accept_ra", "0", true },
                /* neighbours of a full network (RFC 4861 leaves their number to us) */
                { "/proc/sys/net/ipv4/neigh/default/gc_thresh3", "16384", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r = file_write_string(AT_FDCWD, rows[i].path, rows[i].value);
                if (r < 0 && !rows[i].optional)
                        return r;
        }
        return 0;
}

/* Sockets of published ports have their mark so that answers find back to them (net/port-route.h): those come in by a bridge. What
 * goes out to a container has the same mark. */
static int add_rules(void) {
        static const int families[] = { AF_INET, AF_INET6 };
        _cleanup_fd_ int fd = netlink_open();
        NetlinkBatch batch = {};

        for (size_t i = 0; i < ELEMENTSOF(families) && fd >= 0; i++) {
                link_add_own_mark_rule(&batch, families[i], PORT_ROUTE_MARK, PORT_ROUTE_PRIORITY - 1);
                int r = netlink_run(fd, &batch);
                if (r < 0 && families[i] == AF_INET)
                        return r;
        }
        return fd < 0 ? fd : 0;
}

static int make_namespace(void *data, Error *reterr) {
        int *ret = data;

        if (unshare(CLONE_NEWNET) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot make the network namespace of the bridge networks");
                return r == -ENOSPC ? error_with_hint(reterr, r, "raise sysctl user.max_net_namespaces") : r;
        }
        int r = netns_loopback_up();
        if (r >= 0)
                r = write_sysctls();
        if (r >= 0)
                r = add_rules();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set up the network namespace of the bridge networks");
        *ret = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        return *ret < 0 ? error_set_errno(reterr, -errno, "cannot keep the network namespace of the bridge networks") : 0;
}

int plumb_namespace(int userns_fd, Error *reterr) {
        int fd = -EBADF, r = ns_visit(userns_fd, /* netns_fd= */ -EBADF, make_namespace, &fd, reterr);

        return r < 0 ? r : fd;
}

/* ---- bridges ---- */

static int parse_gateway(const NetworkSubnet *subnet, IpSubnet *ret) {
        if (!subnet->gateway)
                return 0;
        int r = ip_parse_subnet(subnet->subnet, ret);

        if (r >= 0)
                r = ip_parse(subnet->gateway, &ret->address);
        return r < 0 ? r : 1;
}

static int add_gateways(int fd, int index, const NetworkConfig *network) {
        NetlinkBatch batch = {};

        for (size_t i = 0; i < network->n_subnets; i++) {
                IpSubnet gateway;
                int r = parse_gateway(&network->subnets[i], &gateway);

                if (r > 0) {
                        netlink_address(&batch, index, gateway.address.family, gateway.address.bytes, gateway.prefix);
                        r = netlink_run(fd, &batch);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

void plumb_link_local(const uint8_t mac[static 6], uint8_t ret[static 16]) {
        const uint8_t address[16] = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };

        memcpy(ret, address, sizeof(address));
}

/* Link-local addresses are how routers know each other (RFC 4861); with ours there is no wait for duplicates. */
static int add_link_local(int fd, int index, const uint8_t mac[static 6]) {
        NetlinkBatch batch = {};
        uint8_t address[16];

        plumb_link_local(mac, address);
        netlink_address(&batch, index, AF_INET6, address, 64);
        return netlink_run(fd, &batch);
}

static bool has_ipv6(const NetworkConfig *network) {
        for (size_t i = 0; i < network->n_subnets; i++)
                if (strchr(network->subnets[i].subnet, ':'))
                        return true;
        return false;
}

static int visit_bridge(void *data, Error *reterr) {
        const NetworkConfig *network = data;
        const char *name = network->network_interface;
        IpAddress key = { .family = AF_INET };
        _cleanup_fd_ int fd = netlink_open();
        NetlinkBatch batch = {};
        uint8_t mac[6];

        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot make the bridge of network '%s'", network->name);
        uint64_t h = hash(0xcbf29ce484222325ULL, network->id ?: network->name);
        memcpy(key.bytes, &h, 4);
        plumb_mac(network->name, &key, mac);
        mac[0] = 0x06; /* apart from those of containers */
        if (plumb_has_children(network)) {
                int q = plumb_add_carrier(fd, network);
                if (q < 0)
                        return error_set_errno(reterr, q, "cannot use the parent of network '%s'", network->name);
                if (!plumb_has_own_child(network))
                        return 0;
        }
        link_add_bridge(&batch, name, mac, plumb_mtu(network));
        int r = plumb_has_children(network) ? plumb_add_own_child(fd, network, mac) : netlink_run(fd, &batch);
        int index = r >= 0 || r == -EEXIST ? link_index(fd, name) : r;
        if (index < 0) {
                r = error_set_errno(reterr, index, "cannot make the link '%s' of network '%s'", name, network->name);
                return r == -EOPNOTSUPP ? error_with_hint(reterr, r, "this needs the kernel's module '%s'", network->driver) : r;
        }
        if (!plumb_has_children(network)) {
                r = plumb_complete_bridge(fd, index, network, reterr);
                if (r < 0)
                        return r;
        }
        if (has_ipv6(network))
                (void) add_link_local(fd, index, mac);
        r = add_gateways(fd, index, network);
        return r < 0 ? error_set_errno(reterr, r, "cannot give the bridge '%s' of network '%s' its addresses", name, network->name) : 0;
}

int plumb_bridge(const Router *router, const NetworkConfig *network, Error *reterr) {
        return ns_visit(router->userns_fd, router->netns_fd, visit_bridge, (void *) network, reterr);
}

static int visit_remove(void *data, Error *reterr) {
        const char *name = data;
        _cleanup_fd_ int fd = netlink_open();
        NetlinkBatch batch = {};

        link_delete(&batch, name);
        int r = fd < 0 ? fd : netlink_run(fd, &batch);
        return r < 0 && r != -ENODEV ? error_set_errno(reterr, r, "cannot remove the link '%s'", name) : 0;
}

int plumb_remove(const Router *router, const char *name, Error *reterr) {
        return ns_visit(router->userns_fd, router->netns_fd, visit_remove, (void *) name, reterr);
}

/* ---- containers ---- */

typedef struct AttachVisit {
        int container_netns_fd;
        PlumbLink *links;
        size_t n_links;
} AttachVisit;

static int add_veth(int fd, int container_netns_fd, const PlumbLink *link, Error *reterr) {
        NetlinkBatch batch = {};
        int bridge = link_index(fd, link->network->network_interface);

        if (bridge < 0)
                return error_set_errno(reterr, bridge, "cannot find the bridge of network '%s'", link->network->name);
        const LinkVeth veth = {
                .name = link->name,
                .master = bridge,
                .peer_name = link->interface,
                .peer_netns_fd = container_netns_fd,
                .peer_mac = link->mac,
                .mtu = plumb_mtu(link->network),
        };
        link_add_veth(&batch, &veth);
        int r = netlink_run(fd, &batch);
        if (r == -EEXIST) { /* an earlier run's whose namespace the kernel has not taken down yet; or the container has that name */
                link_delete(&batch, link->name);
                if (netlink_run(fd, &batch) >= 0) {
                        link_add_veth(&batch, &veth);
                        r = netlink_run(fd, &batch);
                }
        }
        if (r == -EXFULL)
                return error_set(reterr, r, ERROR_UNSUPPORTED, "cannot connect the container to network '%s': its bridge is full (the kernel takes 1023 of them)",
                                 link->network->name);
        if (r == -EPERM) {
                r = error_set_errno(reterr, r, "cannot connect the container to network '%s'", link->network->name);
                return error_with_hint(reterr, r, "its user namespace is not inside that of the bridge networks");
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot connect the container to network '%s' as '%s'", link->network->name, link->interface) : 0;
}

/* Where nobody is a gateway, everything is on the wire. */
static void add_wire_routes(NetlinkBatch *batch, int index, const PlumbLink *link, uint32_t metric) {
        bool done[2] = {};

        for (size_t i = 0; i < link->n_addresses; i++) {
                const LinkRoute route = { .ifindex = index, .family = link->addresses[i].address.family, .metric = metric };

                if (!done[route.family == AF_INET6])
                        link_add_route(batch, &route);
                done[route.family == AF_INET6] = true;
        }
}

static int add_default_routes(NetlinkBatch *batch, int index, const PlumbLink *link) {
        const char *metric_text = plumb_option(link->network, "metric"), *none = plumb_option(link->network, "no_default_route");
        bool no_default = false;
        uint32_t metric;

        if (link->network->internal || (none && parse_bool(none, &no_default) >= 0 && no_default))
                return 0;
        if (!metric_text || parse_u32(metric_text, &metric) < 0)
                metric = link->metric ?: DEFAULT_ROUTE_METRIC;
        if (plumb_is_routed(link->network)) {
                add_wire_routes(batch, index, link, metric);
                return 0;
        }
        for (size_t i = 0; i < link->network->n_subnets; i++) {
                IpSubnet gateway;
                int r = parse_gateway(&link->network->subnets[i], &gateway);

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                const LinkRoute route = { .ifindex = index, .family = gateway.address.family, .gateway = gateway.address.bytes, .metric = metric };
                link_add_route(batch, &route);
        }
        return 0;
}

static int add_own_routes(NetlinkBatch *batch, int index, const NetworkConfig *network) {
        for (size_t i = 0; i < network->n_routes; i++) {
                const NetworkRoute *from = &network->routes[i];
                IpSubnet destination;
                IpAddress gateway;
                int r = ip_parse_subnet(from->destination, &destination);

                if (r >= 0)
                        r = ip_parse(from->gateway, &gateway);
                if (r < 0)
                        return r;
                const LinkRoute route = { .ifindex = index, .family = gateway.family, .destination = destination.address.bytes,
                                          .prefix = destination.prefix, .gateway = gateway.bytes, .metric = from->metric ?: DEFAULT_ROUTE_METRIC };
                link_add_route(batch, &route);
        }
        return 0;
}

/* Both ends of a link take large pieces, so that a stream between two containers is cut nowhere; but not where a queue measures what passes,
 * or a tunnel packs it. */
static void enlarge_pieces(int fd, int index, const NetworkConfig *network) {
        NetlinkBatch batch = {};

        if (!str_equal(network->driver, "bridge") || plumb_option(network, "rate"))
                return;
        netlink_link_big_tcp(&batch, index);
        (void) netlink_run(fd, &batch);
}

/* A container's neighbours are no routers of its, whatever they say (CVE-2020-13401). */
static void hear_no_routers(const char *interface) {
        static const char *const names[] = { "accept_ra", "autoconf", "accept_redirects" };
        char path[128];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void) snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", interface, names[i]);
                (void) file_write_string(AT_FDCWD, path, "0"); /* a kernel without IPv6 has none of them */
        }
}

/* In the container's namespace. */
static int configure(int fd, const PlumbLink *link, Error *reterr) {
        NetlinkBatch batch = {};
        int index = link_index(fd, link->interface);
        bool ipv6 = false;

        if (index < 0)
                return error_set_errno(reterr, index, "cannot find the container's interface '%s'", link->interface);
        hear_no_routers(link->interface);
        netlink_link_no_link_local(&batch, index);
        (void) netlink_run(fd, &batch); /* a kernel without IPv6 does not know it */
        enlarge_pieces(fd, index, link->network);
        netlink_link_up(&batch, index, 0, NULL);
        for (size_t i = 0; i < link->n_addresses; i++) {
                const IpSubnet *address = &link->addresses[i];

                ipv6 = ipv6 || address->address.family == AF_INET6;
                netlink_address(&batch, index, address->address.family, address->address.bytes, address->prefix);
        }
        int r = netlink_run(fd, &batch);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot give the container's interface '%s' its addresses", link->interface);
        if (ipv6)
                (void) add_link_local(fd, index, link->mac);
        r = add_default_routes(&batch, index, link);
        if (r >= 0)
                r = add_own_routes(&batch, index, link->network);
        if (r >= 0 && batch.n > 0)
                r = netlink_run(fd, &batch);
        return r < 0 ? error_set_errno(reterr, r, "cannot give the container its routes through network '%s'", link->network->name) : 0;
}

static int enter_and_configure(const AttachVisit *visit, Error *reterr) {
        if (setns(visit->container_netns_fd, CLONE_NEWNET) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the container's network namespace");
        _cleanup_fd_ int fd = netlink_open();
        int r = fd < 0 ? fd : netns_loopback_up();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set up the container's network");
        for (size_t i = 0; i < visit->n_links && r >= 0; i++)
                r = visit->links[i].kept ? 0 : configure(fd, &visit->links[i], reterr);
        for (size_t i = 0; i < visit->n_links && r < 0; i++) { /* of those that have no other end, by which they could be removed */
                NetlinkBatch batch = {};

                if (!plumb_has_children(visit->links[i].network) || visit->links[i].kept)
                        continue;
                link_delete(&batch, visit->links[i].interface);
                (void) netlink_run(fd, &batch);
        }
        return r;
}

/* What the router has of a link. */
static void remove_ends(int fd, const PlumbLink *link) {
        NetlinkBatch batch = {};
        char limit[IFNAMSIZ];

        link_delete(&batch, link->name);
        plumb_limit_name(link->name, limit);
        link_delete(&batch, limit);
        (void) netlink_run(fd, &batch);
}

/* The router's end; one that is up already stays so. */
static int bring_up(int fd, const PlumbLink *link, Error *reterr) {
        NetlinkBatch batch = {};
        int r = link_index(fd, link->name);

        if (r >= 0) {
                if (!guard_is_free(link->network))
                        link_tie_port(&batch, r, link->mac);
                netlink_link_up(&batch, r, 0, NULL);
                enlarge_pieces(fd, r, link->network);
                r = netlink_run(fd, &batch);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot bring the container's link to network '%s' up", link->network->name) : 0;
}

static int add_link(int fd, int container_netns_fd, PlumbLink *link, Error *reterr) {
        if (plumb_has_children(link->network))
                return plumb_add_child(fd, container_netns_fd, link, reterr);
        link->kept = link->keep && link_index(fd, link->name) >= 0;
        if (link->kept)
                return bring_up(fd, link, reterr);
        int r = add_veth(fd, container_netns_fd, link, reterr);
        if (r >= 0)
                r = bring_up(fd, link, reterr);
        if (r >= 0)
                r = plumb_limit(fd, link, reterr);
        if (r < 0)
                remove_ends(fd, link);
        return r;
}

static int visit_attach(void *data, Error *reterr) {
        AttachVisit *visit = data;
        _cleanup_fd_ int fd = netlink_open();
        size_t n = 0;
        int r = fd < 0 ? error_set_errno(reterr, fd, "cannot connect the container") : 0;

        while (n < visit->n_links && r >= 0) {
                PlumbLink *link = &visit->links[n];

                r = add_link(fd, visit->container_netns_fd, link, reterr);
                if (r >= 0)
                        n++;
        }
        if (r >= 0)
                r = enter_and_configure(visit, reterr);
        for (size_t i = 0; i < n && r < 0; i++)
                if (!visit->links[i].kept && !plumb_has_children(visit->links[i].network))
                        remove_ends(fd, &visit->links[i]);
        return r;
}

/* In the container's namespace: the ends of links whose other ends were in the namespace of a router that died. The kernel takes that
 * down in its own time, and them with it. */
static int visit_stale(void *data, _unused_ Error *reterr) {
        const AttachVisit *visit = data;
        _cleanup_fd_ int fd = netlink_open();

        for (size_t i = 0; i < visit->n_links && fd >= 0; i++) {
                NetlinkBatch batch = {};

                if (!visit->links[i].keep || visit->links[i].kept || plumb_has_children(visit->links[i].network))
                        continue;
                link_delete(&batch, visit->links[i].interface);
                (void) netlink_run(fd, &batch); /* it may have gone by now */
        }
        return fd < 0 ? fd : 0;
}

int plumb_attach(const Router *router, int container_netns_fd, PlumbLink *links, size_t n_links, Error *reterr) {
        AttachVisit visit = { .container_netns_fd = container_netns_fd, .links = links, .n_links = n_links };
        _cleanup_error_ Error error = ERROR_NULL;
        int r = ns_visit(router->userns_fd, router->netns_fd, visit_attach, &visit, &error);

        if (r != -EEXIST)
                return r < 0 ? error_move(reterr, &error) : r;
        r = ns_visit(router->userns_fd, container_netns_fd, visit_stale, &visit, reterr);
        return r < 0 ? r : ns_visit(router->userns_fd, router->netns_fd, visit_attach, &visit, reterr);
}
