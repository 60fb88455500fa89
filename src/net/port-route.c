/* SPDX-License-Identifier: Apache-2.0 */
/* The sysctls, rules and routes of published ports (tcp(7), ip-sysctl, rtnetlink(7)). */
#include "net/port-route.h"

#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/file.h"
#include "net/netlink.h"

static void add_route(NetlinkBatch *batch, int family) {
        const struct rtmsg body = { .rtm_family = (uint8_t) family, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST,
                                    .rtm_type = RTN_LOCAL };
        const uint32_t table = PORT_ROUTE_TABLE, link = LOOPBACK;

        size_t start = netlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
        (void) netlink_attribute(batch, RTA_TABLE, &table, sizeof(table));
        (void) netlink_attribute(batch, RTA_OIF, &link, sizeof(link));
        netlink_end(batch, start);
}

static void add_rule(NetlinkBatch *batch, int family) {
        const struct fib_rule_hdr body = { .family = (uint8_t) family, .action = FR_ACT_TO_TBL };
        const uint32_t mark = PORT_ROUTE_MARK, table = PORT_ROUTE_TABLE, priority = PORT_ROUTE_PRIORITY;

        size_t start = netlink_begin(batch, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
        (void) netlink_attribute(batch, FRA_PRIORITY, &priority, sizeof(priority));
        (void) netlink_attribute(batch, FRA_FWMARK, &mark, sizeof(mark));
        (void) netlink_attribute(batch, FRA_TABLE, &table, sizeof(table));
        netlink_end(batch, start);
}

int port_route_set_up(int netlink_fd, bool ipv6) {
        static const char *const names[] = { "/proc/sys/net/ipv4/tcp_fwmark_accept", "/proc/sys/net/ipv4/fwmark_reflect",
                                             "/proc/sys/net/ipv6/fwmark_reflect" };
        static const int families[] = { AF_INET, AF_INET6 };
        NetlinkBatch batch = {};

        for (size_t i = 0; i < ELEMENTSOF(names) - !ipv6; i++) {
                int r = file_write_string(AT_FDCWD, names[i], "1");
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(families) - !ipv6; i++) {
                add_route(&batch, families[i]);
                int r = netlink_run(netlink_fd, &batch);
                if (r < 0)
                        return r;
                add_rule(&batch, families[i]);
                r = netlink_run(netlink_fd, &batch);
                if (r < 0 && r != -EEXIST) /* from an sdpod-net before this one */
                        return r;
        }
        return 0;
}
