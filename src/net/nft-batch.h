/* SPDX-License-Identifier: Apache-2.0 */
/* The few parts that requests to nftables are made of (linux/netfilter/nf_tables.h), for what cannot wait for a program that reads
 * nft(8)'s language. They go into a batch of net/netlink.h, between its two brackets: the kernel does all of it or nothing. */
#pragma once

#include "net/netlink.h"

/* A batch's brackets: NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END. They have no answer of their own. */
void nft_bracket(NetlinkBatch *batch, uint16_t type);

/* Begins a request about the table family's objects; `message` is NFT_MSG_*. netlink_end() ends it. */
size_t nft_begin(NetlinkBatch *batch, uint8_t family, int message, uint16_t flags);

void nft_text(NetlinkBatch *batch, uint16_t type, const char *value);
void nft_number(NetlinkBatch *batch, uint16_t type, uint32_t value);

/* An attribute with others inside; netlink_attribute_end() ends it. */
size_t nft_nest(NetlinkBatch *batch, uint16_t type);

/* NFTA_DATA_VALUE inside of an attribute. */
void nft_value(NetlinkBatch *batch, uint16_t type, const void *data, size_t size);

/* A NETLINK_NETFILTER socket in the caller's network namespace, or -errno. */
int nft_open(void);
