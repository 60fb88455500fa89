/* SPDX-License-Identifier: Apache-2.0 */
/* macvlan, ipvlan, vxlan; VLANs of bridges; limits. */
#include "net/plumb-driver.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/link-driver.h"
#include "net/link.h"
#include "net/net-config.h"
#include "spec/network-option.h"

enum {
        BURST_MSEC = 50,          /* without burst=: what comes in that time, */
        BURST_MIN = 128 * 1024,   /* at least the largest packet that a veth carries (64 KiB) and one more */
};

bool plumb_has_children(const NetworkConfig *network) {
        return str_equal(network->driver, "macvlan") || str_equal(network->driver, "ipvlan");
}

bool plumb_is_routed(const NetworkConfig *network) {
        const char *mode = plumb_option(network, "mode");

        return str_equal(network->driver, "ipvlan") && mode && !str_equal(mode, "l2");
}

bool plumb_has_own_child(const NetworkConfig *network) {
        const char *mode = plumb_option(network, "mode");

        if (!plumb_has_children(network) || plumb_is_routed(network))
                return false;
        /* in the other modes of macvlan the children do not hear each other, or there is only one */
        return str_equal(network->driver, "ipvlan") || !mode || str_equal(mode, "bridge");
}

/* The parent's name is in the options (the router puts it there). */
static int prepare_child(int fd, const NetworkConfig *network, LinkChild *ret) {
        const char *parent = plumb_option(network, "parent"), *mtu = plumb_option(network, "mtu");
        LinkKind kind = str_equal(network->driver, "macvlan") ? LINK_MACVLAN : LINK_IPVLAN;
        int mode = link_mode(kind, plumb_option(network, "mode")), index = parent ? link_index(fd, parent) : -ENODEV;

        if (mode < 0 || index < 0)
                return mode < 0 ? mode : index;
        *ret = (LinkChild){ .kind = kind, .mode = mode, .parent = index, .netns_fd = -EBADF };
        if (mtu)
                (void) parse_u32(mtu, &ret->mtu);
        return 0;
}

int plumb_add_own_child(int fd, const NetworkConfig *network, const uint8_t mac[static 6]) {
        NetlinkBatch batch = {};
        LinkChild child;
        int r = prepare_child(fd, network, &child);

        if (r < 0)
                return r;
        child.name = network->network_interface;
        child.mac = mac;
        link_add_child(&batch, &child);
        return netlink_run(fd, &batch);
}

void plumb_carrier_name(const NetworkConfig *network, char ret[static IFNAMSIZ]) {
        plumb_link_name("carrier", network->name, ret);
        ret[0] = 'k';
}

int plumb_add_carrier(int fd, const NetworkConfig *network) {
        _cleanup_fd_ int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        const char *parent = plumb_option(network, "parent");
        const IpAddress key = { .family = AF_INET };
        char name[IFNAMSIZ], other[IFNAMSIZ];
        NetlinkBatch batch = {};
        uint8_t mac[6];

        if (netns < 0)
                return -errno;
        int index = parent ? link_index(fd, parent) : -ENODEV;
        if (index < 0)
                return index;
        plumb_carrier_name(network, name);
        memcpy(other, name, sizeof(other));
        other[0] = 'l';
        plumb_mac(other, &key, mac);
        const LinkVeth veth = { .name = name, .master = index, .peer_name = other, .peer_netns_fd = netns, .peer_mac = mac, .mtu = NET_MTU_MAX };
        link_add_veth(&batch, &veth);
        int r = netlink_run(fd, &batch);
        if (r == -EEXIST)
                return 0;
        int peer = r < 0 ? r : link_index(fd, other);
        if (peer < 0)
                return peer;
        netlink_link_no_link_local(&batch, peer);
        (void) netlink_run(fd, &batch); /* a kernel without IPv6 does not know it */
        netlink_link_up(&batch, link_index(fd, name), 0, NULL);
        netlink_link_up(&batch, peer, 0, NULL);
        return netlink_run(fd, &batch);
}

int plumb_add_child(int fd, int container_netns_fd, PlumbLink *link, Error *reterr) {
        const NetworkConfig *network = link->network;
        NetlinkBatch batch = {};
        LinkChild child;
        int r = prepare_child(fd, network, &child);

        if (r >= 0) {
                child.name = link->interface;
                child.netns_fd = container_netns_fd;
                child.mac = link->mac;
                link_add_child(&batch, &child);
                r = netlink_run(fd, &batch);
        }
        if (r == -EEXIST && link->keep) {
                link->kept = true;
                return 0;
        }
        if (r >= 0)
                return 0;
        r = error_set_errno(reterr, r, "cannot connect the container to network '%s' as '%s'", network->name, link->interface);
        return r == -EOPNOTSUPP ? error_with_hint(reterr, r, "this needs the kernel's module '%s'", network->driver) : r;
}

/* ---- bridges ---- */

static int set_vlan(int fd, int bridge, const NetworkConfig *network, Error *reterr) {
        const char *text = plumb_option(network, "vlan");
        NetlinkBatch batch = {};
        uint32_t vlan;

        if (!text || parse_u32(text, &vlan) < 0 || vlan == 0)
                return 0;
        link_set_vlan(&batch, bridge, (uint16_t) vlan);
        int r = netlink_run(fd, &batch);
        if (r >= 0)
                return 0;
        r = error_set_errno(reterr, r, "cannot set VLAN %s of network '%s'", text, network->name);
        return error_with_hint(reterr, r, "this needs a kernel with CONFIG_BRIDGE_VLAN_FILTERING");
}

int plumb_remotes(const NetworkConfig *network, char ***ret) {
        const char *text = plumb_option(network, "remote");

        *ret = NULL;
        return text ? network_remotes_parse(text, ret) : 0;
}

static int add_remotes(int fd, int index, const NetworkConfig *network) {
        _cleanup_strv_ char **remotes = NULL;
        int r = plumb_remotes(network, &remotes);

        for (char **text = remotes; text && *text && r >= 0; text++) {
                NetlinkBatch batch = {};
                IpAddress address;

                r = ip_parse(*text, &address);
                if (r < 0)
                        break;
                link_add_remote(&batch, index, address.family, address.bytes);
                r = netlink_run(fd, &batch);
                r = r == -EEXIST ? 0 : r;
        }
        return r;
}

void plumb_tunnel_name(const NetworkConfig *network, char ret[static IFNAMSIZ]) {
        plumb_link_name("vxlan", network->name, ret);
        ret[0] = 'x';
}

static int add_tunnel(int fd, int bridge, const NetworkConfig *network, Error *reterr) {
        const char *vni = plumb_option(network, "vni"), *port = plumb_option(network, "port");
        uint32_t vni_number = 0, port_number = PLUMB_VXLAN_PORT;
        NetlinkBatch batch = {};
        char name[IFNAMSIZ];

        if (!vni || parse_u32(vni, &vni_number) < 0 || (port && parse_u32(port, &port_number) < 0))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot make the tunnel of network '%s': it has no vni= (--opt vni=NUMBER)", network->name);
        plumb_tunnel_name(network, name);
        const LinkVxlan vxlan = { .name = name, .master = bridge, .vni = vni_number, .port = (uint16_t) port_number, .mtu = plumb_mtu(network) };
        link_add_vxlan(&batch, &vxlan);
        int r = netlink_run(fd, &batch), index = r >= 0 || r == -EEXIST ? link_index(fd, name) : r;
        r = index < 0 ? index : add_remotes(fd, index, network);
        if (r >= 0)
                return 0;
        r = error_set_errno(reterr, r, "cannot make the tunnel of network '%s'", network->name);
        if (r == -EEXIST)
                error_hint(reterr, "another network has the same vni= and port=");
        return r == -EOPNOTSUPP ? error_with_hint(reterr, r, "this needs the kernel's module 'vxlan'") : r;
}

int plumb_complete_bridge(int fd, int bridge, const NetworkConfig *network, Error *reterr) {
        int r = set_vlan(fd, bridge, network, reterr);

        return r >= 0 && str_equal(network->driver, "vxlan") ? add_tunnel(fd, bridge, network, reterr) : r;
}

/* ---- limits ---- */

void plumb_limit_name(const char *link, char ret[static IFNAMSIZ]) {
        (void) snprintf(ret, IFNAMSIZ, "i%s", link + 1); /* link names begin with a 'v' */
}

/* What the container receives waits at the router's end of the veth pair; what it sends, where it cannot reach either, behind that end. */
int plumb_limit(int fd, const PlumbLink *link, Error *reterr) {
        const char *rate_text = plumb_option(link->network, "rate"), *burst_text = plumb_option(link->network, "burst");
        NetlinkBatch batch = {};
        char name[IFNAMSIZ];
        uint64_t rate, burst = 0;
        int queue, index;

        if (!rate_text || network_rate_parse(rate_text, &rate) < 0)
                return 0;
        if (!burst_text || parse_bytes(burst_text, &burst) < 0)
                burst = rate / 8 / 1000 * BURST_MSEC;
        burst = MIN(MAX(burst, (uint64_t) BURST_MIN), (uint64_t) UINT32_MAX);
        plumb_limit_name(link->name, name);
        link_delete(&batch, name); /* of an earlier run, if its end was not seen */
        (void) netlink_run(fd, &batch);
        link_add_ifb(&batch, name);
        int r = netlink_run(fd, &batch);
        if (r >= 0)
                r = queue = link_index(fd, name);
        if (r >= 0)
                r = index = link_index(fd, link->name);
        if (r >= 0) {
                link_limit(&batch, index, rate, (uint32_t) burst);
                link_limit(&batch, queue, rate, (uint32_t) burst);
                link_redirect(&batch, index, queue);
                r = netlink_run(fd, &batch);
        }
        if (r >= 0)
                return 0;
        r = error_set_errno(reterr, r, "cannot limit the bandwidth of network '%s' to %s", link->network->name, rate_text);
        return error_with_hint(reterr, r, "rate= needs the kernel's modules ifb, sch_tbf, sch_ingress, cls_u32 and act_mirred");
}
