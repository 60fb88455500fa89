/* SPDX-License-Identifier: Apache-2.0 */
/* The few rtnetlink(7) requests that set an interface up: put into one buffer, sent at once, each one's answer read. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/macro.h"

enum { LOOPBACK = 1 }; /* the index of `lo` in every network namespace */

typedef struct NetlinkBatch {
        uint8_t data[8192];
        size_t size;     /* bytes used; beyond the room: `overflow` */
        uint32_t n;      /* requests */
        bool overflow;
} NetlinkBatch;

/* The parts that requests are made of: begin and end one, and put an attribute into it; one with others inside is begun with
 * its type | NLA_F_NESTED and no data. What begin and attribute return is for the end. */
size_t netlink_begin(NetlinkBatch *batch, uint16_t type, uint16_t flags, const void *body, size_t size);
void netlink_end(NetlinkBatch *batch, size_t start);

/* A request that is not to be answered, as the brackets of a batch of nftables. */
size_t netlink_begin_quiet(NetlinkBatch *batch, uint16_t type, const void *body, size_t size);
size_t netlink_attribute(NetlinkBatch *batch, uint16_t type, const void *data, size_t size);
void netlink_attribute_end(NetlinkBatch *batch, size_t start);

/* Brings the link up. `mtu` 0 and `mac` NULL leave those as they are. */
void netlink_link_up(NetlinkBatch *batch, int ifindex, uint32_t mtu, const uint8_t *mac);

/* Lets the kernel send 256 KiB of a TCP stream by this link in one piece instead of 64 (BIG TCP: Linux 5.19 for IPv6, 6.3 for IPv4): what a
 * piece costs on its way does not depend on its size. Not at a link's birth, where older kernels take sizes that they cannot handle; later
 * they refuse them, so the result of the batch says nothing. */
void netlink_link_big_tcp(NetlinkBatch *batch, int ifindex);

/* No automatic link-local address on this link: netlink_address() gives it one without the wait for duplicates. */
void netlink_link_no_link_local(NetlinkBatch *batch, int ifindex);

/* Adds an address; `address` has 4 or 16 bytes by `family`. IPv6 ones are usable at once (no duplicate detection). */
void netlink_address(NetlinkBatch *batch, int ifindex, int family, const void *address, unsigned prefix);

/* Adds the default route through `gateway`. */
void netlink_default_route(NetlinkBatch *batch, int ifindex, int family, const void *gateway);

/* Sends all of it over `fd`, a netlink socket, and empties the batch. Returns the first error; -EAGAIN from a socket that does not block:
 * the kernel has said less than one answer a request. */
int netlink_run(int fd, NetlinkBatch *batch);

/* A NETLINK_ROUTE socket in the caller's network namespace, or -errno. */
int netlink_open(void);
