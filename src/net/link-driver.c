/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for macvlan, ipvlan, vxlan, and token buckets. */
#include "net/link-driver.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

enum {
        QUEUE_MSEC = 100, /* what waits longer than that is dropped, and TCP learns what there is */
        QUEUE_MIN = 256 * 1024,
};

static void put_text(NetlinkBatch *batch, uint16_t type, const char *text) {
        (void) netlink_attribute(batch, type, text, strlen(text) + 1);
}

static void put_u8(NetlinkBatch *batch, uint16_t type, uint8_t value) {
        (void) netlink_attribute(batch, type, &value, sizeof(value));
}

static void put_u16(NetlinkBatch *batch, uint16_t type, uint16_t value) {
        (void) netlink_attribute(batch, type, &value, sizeof(value));
}

static void put_u32(NetlinkBatch *batch, uint16_t type, uint32_t value) {
        (void) netlink_attribute(batch, type, &value, sizeof(value));
}

int link_mode(LinkKind kind, const char *name) {
        static const struct {
                LinkKind kind;
                const char *name;
                int mode;
        } modes[] = {
                { LINK_MACVLAN, "bridge", MACVLAN_MODE_BRIDGE },
                { LINK_MACVLAN, "private", MACVLAN_MODE_PRIVATE },
                { LINK_MACVLAN, "vepa", MACVLAN_MODE_VEPA },
                { LINK_MACVLAN, "passthru", MACVLAN_MODE_PASSTHRU },
                { LINK_IPVLAN, "l2", IPVLAN_MODE_L2 },
                { LINK_IPVLAN, "l3", IPVLAN_MODE_L3 },
                { LINK_IPVLAN, "l3s", IPVLAN_MODE_L3S },
        };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (modes[i].kind == kind && (!name || str_equal(modes[i].name, name)))
                        return modes[i].mode;
        return -EINVAL;
}

void link_add_child(NetlinkBatch *batch, const LinkChild *child) {
        const bool here = child->netns_fd < 0;
        const struct ifinfomsg body = { .ifi_flags = here ? IFF_UP : 0, .ifi_change = here ? IFF_UP : 0 };
        size_t start = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_text(batch, IFLA_IFNAME, child->name);
        put_u32(batch, IFLA_LINK, (uint32_t) child->parent);
        if (child->mac && child->kind == LINK_MACVLAN)
                (void) netlink_attribute(batch, IFLA_ADDRESS, child->mac, 6);
        if (child->mtu > 0)
                put_u32(batch, IFLA_MTU, child->mtu);
        if (!here)
                put_u32(batch, IFLA_NET_NS_FD, (uint32_t) child->netns_fd);
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        put_text(batch, IFLA_INFO_KIND, child->kind == LINK_MACVLAN ? "macvlan" : "ipvlan");
        size_t data = netlink_attribute(batch, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
        if (child->kind == LINK_MACVLAN)
                put_u32(batch, IFLA_MACVLAN_MODE, (uint32_t) child->mode);
        else
                put_u16(batch, IFLA_IPVLAN_MODE, (uint16_t) child->mode);
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_set_vlan(NetlinkBatch *batch, int bridge, uint16_t vlan) {
        const struct ifinfomsg body = { .ifi_index = bridge };
        size_t start = netlink_begin(batch, RTM_NEWLINK, 0, &body, sizeof(body));
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);

        put_text(batch, IFLA_INFO_KIND, "bridge");
        size_t data = netlink_attribute(batch, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
        put_u8(batch, IFLA_BR_VLAN_FILTERING, 1);
        put_u16(batch, IFLA_BR_VLAN_DEFAULT_PVID, vlan);
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_add_vxlan(NetlinkBatch *batch, const LinkVxlan *vxlan) {
        const struct ifinfomsg body = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        /* one source port: each would be a flow of its own for the uplink, with a socket */
        const struct ifla_vxlan_port_range range = { .low = htons(vxlan->port), .high = htons((uint16_t) (vxlan->port + 1)) };
        size_t start = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_text(batch, IFLA_IFNAME, vxlan->name);
        put_u32(batch, IFLA_MTU, vxlan->mtu);
        put_u32(batch, IFLA_MASTER, (uint32_t) vxlan->master);
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        put_text(batch, IFLA_INFO_KIND, "vxlan");
        size_t data = netlink_attribute(batch, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
        put_u32(batch, IFLA_VXLAN_ID, vxlan->vni);
        put_u16(batch, IFLA_VXLAN_PORT, htons(vxlan->port));
        (void) netlink_attribute(batch, IFLA_VXLAN_PORT_RANGE, &range, sizeof(range));
        put_u8(batch, IFLA_VXLAN_LEARNING, 1);
        put_u8(batch, IFLA_VXLAN_UDP_CSUM, 1);
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_add_remote(NetlinkBatch *batch, int ifindex, int family, const void *address) {
        static const uint8_t everybody[6] = {};
        const struct ndmsg body = { .ndm_family = AF_BRIDGE, .ndm_ifindex = ifindex, .ndm_state = NUD_PERMANENT | NUD_NOARP, .ndm_flags = NTF_SELF };
        size_t start = netlink_begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, &body, sizeof(body));

        (void) netlink_attribute(batch, NDA_LLADDR, everybody, sizeof(everybody));
        (void) netlink_attribute(batch, NDA_DST, address, family == AF_INET ? 4 : 16);
        netlink_end(batch, start);
}

/* ---- limits ---- */

void link_limit(NetlinkBatch *batch, int ifindex, uint64_t rate, uint32_t burst) {
        const struct tcmsg body = { .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_handle = TC_H_MAKE(1 << 16, 0), .tcm_parent = TC_H_ROOT };
        const uint64_t bytes = rate / 8, queue = bytes / (1000 / QUEUE_MSEC) + burst;
        struct tc_tbf_qopt options = {
                /* with the link layer said, the kernel computes itself and wants no table of times */
                .rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = (uint32_t) MIN(bytes, (uint64_t) UINT32_MAX) },
                .limit = (uint32_t) MIN(MAX(queue, (uint64_t) QUEUE_MIN), (uint64_t) UINT32_MAX),
        };
        size_t start = netlink_begin(batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));

        put_text(batch, TCA_KIND, "tbf");
        size_t nested = netlink_attribute(batch, TCA_OPTIONS | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, TCA_TBF_PARMS, &options, sizeof(options));
        if (bytes > UINT32_MAX)
                (void) netlink_attribute(batch, TCA_TBF_RATE64, &bytes, sizeof(bytes));
        put_u32(batch, TCA_TBF_BURST, burst);
        netlink_attribute_end(batch, nested);
        netlink_end(batch, start);
}

void link_add_ifb(NetlinkBatch *batch, const char *name) {
        const struct ifinfomsg body = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        size_t start = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_text(batch, IFLA_IFNAME, name);
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        put_text(batch, IFLA_INFO_KIND, "ifb");
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

static void add_ingress(NetlinkBatch *batch, int ifindex) {
        const struct tcmsg body = { .tcm_ifindex = ifindex, .tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0), .tcm_parent = TC_H_INGRESS };
        size_t start = netlink_begin(batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_text(batch, TCA_KIND, "ingress");
        netlink_end(batch, start);
}

void link_redirect(NetlinkBatch *batch, int ifindex, int to) {
        const struct tcmsg body = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0), .tcm_info = TC_H_MAKE(1 << 16, htons(ETH_P_ALL)) };
        const struct tc_mirred mirred = { .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t) to };
        const struct tc_u32_sel head = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
        uint8_t selector[sizeof(struct tc_u32_sel) + sizeof(struct tc_u32_key)] = {}; /* of the key, no bit has to be anything */

        memcpy(selector, &head, sizeof(head));
        add_ingress(batch, ifindex);
        size_t start = netlink_begin(batch, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
        put_text(batch, TCA_KIND, "u32");
        size_t nested = netlink_attribute(batch, TCA_OPTIONS | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, TCA_U32_SEL, selector, sizeof(selector));
        size_t actions = netlink_attribute(batch, TCA_U32_ACT | NLA_F_NESTED, NULL, 0);
        size_t first = netlink_attribute(batch, 1 | NLA_F_NESTED, NULL, 0);
        put_text(batch, TCA_ACT_KIND, "mirred");
        size_t parameters = netlink_attribute(batch, TCA_ACT_OPTIONS | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
        netlink_attribute_end(batch, parameters);
        netlink_attribute_end(batch, first);
        netlink_attribute_end(batch, actions);
        netlink_attribute_end(batch, nested);
        netlink_end(batch, start);
}
