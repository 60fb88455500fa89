/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to nftables. */
#include "net/nft-batch.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

void nft_bracket(NetlinkBatch *batch, uint16_t type) {
        const struct nfgenmsg body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

        netlink_end(batch, netlink_begin_quiet(batch, type, &body, sizeof(body)));
}

size_t nft_begin(NetlinkBatch *batch, uint8_t family, int message, uint16_t flags) {
        const struct nfgenmsg body = { .nfgen_family = family, .version = NFNETLINK_V0 };

        return netlink_begin(batch, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | message), flags, &body, sizeof(body));
}

void nft_text(NetlinkBatch *batch, uint16_t type, const char *value) {
        (void) netlink_attribute(batch, type, value, strlen(value) + 1);
}

void nft_number(NetlinkBatch *batch, uint16_t type, uint32_t value) {
        uint32_t wire = htonl(value);

        (void) netlink_attribute(batch, type, &wire, sizeof(wire));
}

size_t nft_nest(NetlinkBatch *batch, uint16_t type) {
        return netlink_attribute(batch, type | NLA_F_NESTED, NULL, 0);
}

void nft_value(NetlinkBatch *batch, uint16_t type, const void *data, size_t size) {
        size_t inner = nft_nest(batch, type);

        (void) netlink_attribute(batch, NFTA_DATA_VALUE, data, size);
        netlink_attribute_end(batch, inner);
}

int nft_open(void) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);

        return fd < 0 ? -errno : fd;
}
