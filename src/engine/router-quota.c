/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of connections that were one too many. */
#include "engine/router-quota.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "net/netlink.h"
#include "net/nft-batch.h"
#include "net/router-rules.h"
#include "ns/visit.h"

enum {
        HEADER = 40, /* of IPv6; that of IPv4 is shorter */
        MESSAGES = 16,
        IP4_SOURCE = 12, /* RFC 791, section 3.1 */
        IP6_SOURCE = 8,  /* RFC 8200, section 3 */
};

static int visit_open(void *data, _unused_ Error *reterr) {
        const struct nfgenmsg body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(ROUTER_LOG_GROUP) };
        const struct nfulnl_msg_config_cmd bind_group = { .command = NFULNL_CFG_CMD_BIND };
        const struct nfulnl_msg_config_mode mode = { .copy_range = htonl(HEADER), .copy_mode = NFULNL_COPY_PACKET };
        const uint16_t message = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
        _cleanup_fd_ int fd = nft_open();
        NetlinkBatch batch = {};

        if (fd < 0)
                return fd;
        size_t start = netlink_begin(&batch, message, 0, &body, sizeof(body));
        (void) netlink_attribute(&batch, NFULA_CFG_CMD, &bind_group, sizeof(bind_group));
        netlink_end(&batch, start);
        int r = netlink_run(fd, &batch);
        if (r < 0)
                return r;
        start = netlink_begin(&batch, message, 0, &body, sizeof(body));
        (void) netlink_attribute(&batch, NFULA_CFG_MODE, &mode, sizeof(mode));
        nft_number(&batch, NFULA_CFG_QTHRESH, 1); /* at once */
        netlink_end(&batch, start);
        r = netlink_run(fd, &batch);
        if (r < 0)
                return r;
        *(int *) data = TAKE_FD(fd);
        return 0;
}

int router_quota_open(const RouterState *state) {
        int fd = -EBADF, r = ns_visit(state->router.userns_fd, state->router.netns_fd, visit_open, &fd, /* reterr= */ NULL);

        return r < 0 ? r : fd;
}

/* The source of the packet in a message. */
static bool find_source(const uint8_t *message, size_t size, IpAddress *ret) {
        for (size_t at = NLMSG_LENGTH(sizeof(struct nfgenmsg)); at + NLA_HDRLEN <= size;) {
                struct nlattr attribute;

                memcpy(&attribute, message + at, sizeof(attribute));
                if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > size - at)
                        return false;
                const uint8_t *packet = message + at + NLA_HDRLEN;
                size_t n = attribute.nla_len - NLA_HDRLEN;

                if ((attribute.nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD && n > 0) {
                        bool ip4 = packet[0] >> 4 == 4;
                        size_t offset = ip4 ? IP4_SOURCE : IP6_SOURCE, width = ip4 ? 4 : 16;

                        if (n < offset + width)
                                return false;
                        *ret = (IpAddress){ .family = ip4 ? AF_INET : AF_INET6 };
                        memcpy(ret->bytes, packet + offset, width);
                        return true;
                }
                at += NLA_ALIGN(attribute.nla_len);
        }
        return false;
}

static bool link_has(const RouterLink *link, const IpAddress *address) {
        for (char **text = link->addresses; text && *text; text++) {
                IpSubnet own;

                if (ip_parse_subnet(*text, &own) >= 0 && ip_equal(&own.address, address))
                        return true;
        }
        return false;
}

static void tell(const RouterState *state, const IpAddress *source) {
        for (const RoutedContainer *container = state->containers; container; container = container->next)
                for (size_t i = 0; i < container->n_links; i++) {
                        if (!link_has(&container->links[i], source))
                                continue;
                        log_warning("container '%s' has as many connections as network '%s' lets it have: new ones are dropped until others end "
                                    "(option connections= of the network)", container->name, container->links[i].network);
                        return;
                }
}

void router_quota_hear(const RouterState *state, int fd) {
        _Alignas(struct nlmsghdr) uint8_t buffer[4096];

        for (int i = 0; i < MESSAGES; i++) {
                ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
                struct nlmsghdr header;
                IpAddress source;

                if (n < (ssize_t) sizeof(header))
                        return;
                memcpy(&header, buffer, sizeof(header));
                if (header.nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) && header.nlmsg_len <= (size_t) n &&
                    find_source(buffer, header.nlmsg_len, &source))
                        tell(state, &source);
        }
}
