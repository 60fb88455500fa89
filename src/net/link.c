/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for the links of bridge networks. */
#include "net/link.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

static void put_name(NetlinkBatch *batch, const char *name) {
        (void) netlink_attribute(batch, IFLA_IFNAME, name, strlen(name) + 1);
}

static void put_u8(NetlinkBatch *batch, uint16_t type, uint8_t value) {
        (void) netlink_attribute(batch, type, &value, sizeof(value));
}

static void put_u32(NetlinkBatch *batch, uint16_t type, uint32_t value) {
        (void) netlink_attribute(batch, type, &value, sizeof(value));
}

void link_add_bridge(NetlinkBatch *batch, const char *name, const uint8_t mac[static 6], uint32_t mtu) {
        const struct ifinfomsg body = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        size_t start = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_name(batch, name);
        (void) netlink_attribute(batch, IFLA_ADDRESS, mac, 6);
        put_u32(batch, IFLA_MTU, mtu);
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, IFLA_INFO_KIND, "bridge", 6);
        size_t data = netlink_attribute(batch, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
        put_u32(batch, IFLA_BR_FORWARD_DELAY, 0);
        put_u32(batch, IFLA_BR_STP_STATE, 0);
        put_u8(batch, IFLA_BR_MCAST_SNOOPING, 0);
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_add_veth(NetlinkBatch *batch, const LinkVeth *veth) {
        const struct ifinfomsg body = {}, peer_body = {};
        size_t start = netlink_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_name(batch, veth->name);
        put_u32(batch, IFLA_MTU, veth->mtu);
        put_u32(batch, IFLA_MASTER, (uint32_t) veth->master);
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, IFLA_INFO_KIND, "veth", 4);
        size_t data = netlink_attribute(batch, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
        size_t peer = netlink_attribute(batch, VETH_INFO_PEER | NLA_F_NESTED, &peer_body, sizeof(peer_body));
        put_name(batch, veth->peer_name);
        (void) netlink_attribute(batch, IFLA_ADDRESS, veth->peer_mac, 6);
        put_u32(batch, IFLA_MTU, veth->mtu);
        put_u32(batch, IFLA_NET_NS_FD, (uint32_t) veth->peer_netns_fd);
        netlink_attribute_end(batch, peer);
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_tie_port(NetlinkBatch *batch, int ifindex, const uint8_t mac[static 6]) {
        const struct ifinfomsg body = { .ifi_index = ifindex };
        const struct ndmsg neighbour = { .ndm_family = AF_BRIDGE, .ndm_ifindex = ifindex, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER };
        size_t start = netlink_begin(batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &neighbour, sizeof(neighbour));

        (void) netlink_attribute(batch, NDA_LLADDR, mac, 6);
        netlink_end(batch, start);
        start = netlink_begin(batch, RTM_NEWLINK, 0, &body, sizeof(body));
        size_t info = netlink_attribute(batch, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, IFLA_INFO_SLAVE_KIND, "bridge", 6);
        size_t data = netlink_attribute(batch, IFLA_INFO_SLAVE_DATA | NLA_F_NESTED, NULL, 0);
        put_u8(batch, IFLA_BRPORT_LEARNING, 0);
        put_u8(batch, IFLA_BRPORT_UNICAST_FLOOD, 0);
        put_u8(batch, IFLA_BRPORT_LOCKED, 1); /* Linux 5.18; earlier ones do not look at it */
        netlink_attribute_end(batch, data);
        netlink_attribute_end(batch, info);
        netlink_end(batch, start);
}

void link_delete(NetlinkBatch *batch, const char *name) {
        const struct ifinfomsg body = {};
        size_t start = netlink_begin(batch, RTM_DELLINK, 0, &body, sizeof(body));

        put_name(batch, name);
        netlink_end(batch, start);
}

void link_add_route(NetlinkBatch *batch, const LinkRoute *route) {
        size_t width = route->family == AF_INET ? 4 : 16;
        const struct rtmsg body = { .rtm_family = (uint8_t) route->family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                                    .rtm_scope = route->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
                                    .rtm_dst_len = (uint8_t) (route->destination ? route->prefix : 0) };
        size_t start = netlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));

        if (route->destination)
                (void) netlink_attribute(batch, RTA_DST, route->destination, width);
        if (route->gateway)
                (void) netlink_attribute(batch, RTA_GATEWAY, route->gateway, width);
        put_u32(batch, RTA_OIF, (uint32_t) route->ifindex);
        if (route->metric > 0)
                put_u32(batch, RTA_PRIORITY, route->metric);
        netlink_end(batch, start);
}

void link_add_own_mark_rule(NetlinkBatch *batch, int family, uint32_t mark, uint32_t priority) {
        const struct fib_rule_hdr body = { .family = (uint8_t) family, .action = FR_ACT_TO_TBL, .table = RT_TABLE_MAIN };
        size_t start = netlink_begin(batch, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));

        put_u32(batch, FRA_PRIORITY, priority);
        put_u32(batch, FRA_FWMARK, mark);
        (void) netlink_attribute(batch, FRA_IIFNAME, "lo", 3);
        netlink_end(batch, start);
}

int link_index(int netlink_fd, const char *name) {
        const struct ifinfomsg body = {};
        NetlinkBatch batch = {};
        uint8_t buffer[16384];
        struct nlmsghdr header;
        int index;
        size_t start = netlink_begin(&batch, RTM_GETLINK, 0, &body, sizeof(body));

        put_name(&batch, name);
        netlink_end(&batch, start);
        ssize_t n = RETRY_EINTR(send(netlink_fd, batch.data, batch.size, 0));
        if (n < 0)
                return -errno;
        /* the answer, and the acknowledgement that follows it; or an error alone */
        n = RETRY_EINTR(recv(netlink_fd, buffer, sizeof(buffer), 0));
        if (n < (ssize_t) (NLMSG_HDRLEN + sizeof(int)))
                return n < 0 ? -errno : -EBADMSG;
        memcpy(&header, buffer, sizeof(header));
        if (header.nlmsg_type == NLMSG_ERROR) {
                memcpy(&index, buffer + NLMSG_HDRLEN, sizeof(index));
                return index < 0 ? index : -EBADMSG;
        }
        if (n < (ssize_t) (NLMSG_HDRLEN + sizeof(struct ifinfomsg)))
                return -EBADMSG;
        memcpy(&index, buffer + NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_index), sizeof(index));
        if (NLMSG_ALIGN(header.nlmsg_len) >= (size_t) n && RETRY_EINTR(recv(netlink_fd, buffer, sizeof(buffer), 0)) < 0)
                return -errno;
        return index;
}
