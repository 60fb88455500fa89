/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and sends rtnetlink requests (rtnetlink(7), netlink(7)). */
#include "net/netlink.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>


/* Room for `size` more bytes, zeroed and aligned; NULL once the batch is full. */
static void *take(NetlinkBatch *b, size_t size) {
        size_t aligned = NLMSG_ALIGN(size);

        if (b->overflow || aligned > sizeof(b->data) - b->size) {
                b->overflow = true;
                return NULL;
        }
        void *p = b->data + b->size;
        memset(p, 0, aligned);
        b->size += aligned;
        return p;
}

static size_t begin(NetlinkBatch *b, uint16_t type, uint16_t flags, uint32_t sequence, const void *body, size_t size) {
        size_t start = b->size;
        uint8_t *p = take(b, NLMSG_HDRLEN + size);

        if (p) {
                struct nlmsghdr header = { .nlmsg_type = type, .nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags), .nlmsg_seq = sequence };

                memcpy(p, &header, sizeof(header));
                memcpy(p + NLMSG_HDRLEN, body, size);
        }
        return start;
}

/* Begins a request; returns where its header stands. */
size_t netlink_begin(NetlinkBatch *b, uint16_t type, uint16_t flags, const void *body, size_t size) {
        return begin(b, type, NLM_F_ACK | flags, ++b->n, body, size);
}

size_t netlink_begin_quiet(NetlinkBatch *b, uint16_t type, const void *body, size_t size) {
        return begin(b, type, 0, 0, body, size);
}

void netlink_end(NetlinkBatch *b, size_t start) {
        uint32_t length = (uint32_t) (b->size - start);

        if (!b->overflow)
                memcpy(b->data + start + offsetof(struct nlmsghdr, nlmsg_len), &length, sizeof(length));
}

size_t netlink_attribute(NetlinkBatch *b, uint16_t type, const void *data, size_t size) {
        size_t start = b->size;
        uint8_t *p = take(b, RTA_LENGTH(size));

        if (p) {
                struct rtattr header = { .rta_type = type, .rta_len = (uint16_t) RTA_LENGTH(size) };

                memcpy(p, &header, sizeof(header));
                if (size > 0)
                        memcpy(p + RTA_LENGTH(0), data, size);
        }
        return start;
}

void netlink_attribute_end(NetlinkBatch *b, size_t start) {
        uint16_t length = (uint16_t) (b->size - start);

        if (!b->overflow)
                memcpy(b->data + start + offsetof(struct rtattr, rta_len), &length, sizeof(length));
}

void netlink_link_up(NetlinkBatch *batch, int ifindex, uint32_t mtu, const uint8_t *mac) {
        struct ifinfomsg link = { .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

        size_t start = netlink_begin(batch, RTM_NEWLINK, 0, &link, sizeof(link));
        if (mtu > 0)
                (void) netlink_attribute(batch, IFLA_MTU, &mtu, sizeof(mtu));
        if (mac)
                (void) netlink_attribute(batch, IFLA_ADDRESS, mac, 6);
        netlink_end(batch, start);
}

void netlink_link_big_tcp(NetlinkBatch *batch, int ifindex) {
        enum { GSO_IPV4_MAX_SIZE = 63 }; /* IFLA_GSO_IPV4_MAX_SIZE, which Debian 12's headers do not have */
        static const uint16_t types[] = { IFLA_GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE };
        const struct ifinfomsg link = { .ifi_index = ifindex };
        const uint32_t size = 256 * 1024;

        for (size_t i = 0; i < ELEMENTSOF(types); i++) { /* each by itself: a kernel may have one of them */
                size_t start = netlink_begin(batch, RTM_NEWLINK, 0, &link, sizeof(link));

                (void) netlink_attribute(batch, types[i], &size, sizeof(size));
                netlink_end(batch, start);
        }
}

void netlink_link_no_link_local(NetlinkBatch *batch, int ifindex) {
        struct ifinfomsg link = { .ifi_index = ifindex };
        uint8_t mode = IN6_ADDR_GEN_MODE_NONE;

        size_t start = netlink_begin(batch, RTM_NEWLINK, 0, &link, sizeof(link));
        size_t families = netlink_attribute(batch, IFLA_AF_SPEC | NLA_F_NESTED, NULL, 0);
        size_t ip6 = netlink_attribute(batch, AF_INET6 | NLA_F_NESTED, NULL, 0);
        (void) netlink_attribute(batch, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
        netlink_attribute_end(batch, ip6);
        netlink_attribute_end(batch, families);
        netlink_end(batch, start);
}

void netlink_address(NetlinkBatch *batch, int ifindex, int family, const void *address, unsigned prefix) {
        struct ifaddrmsg body = { .ifa_family = (uint8_t) family, .ifa_prefixlen = (uint8_t) prefix,
                                  .ifa_index = (unsigned) ifindex };
        size_t width = family == AF_INET ? 4 : 16;
        uint32_t flags = IFA_F_PERMANENT | (family == AF_INET6 ? IFA_F_NODAD : 0);

        size_t start = netlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
        (void) netlink_attribute(batch, IFA_LOCAL, address, width);
        (void) netlink_attribute(batch, IFA_ADDRESS, address, width);
        (void) netlink_attribute(batch, IFA_FLAGS, &flags, sizeof(flags));
        netlink_end(batch, start);
}

void netlink_default_route(NetlinkBatch *batch, int ifindex, int family, const void *gateway) {
        struct rtmsg body = { .rtm_family = (uint8_t) family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                              .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };

        size_t start = netlink_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
        (void) netlink_attribute(batch, RTA_GATEWAY, gateway, family == AF_INET ? 4 : 16);
        (void) netlink_attribute(batch, RTA_OIF, &ifindex, sizeof(ifindex));
        netlink_end(batch, start);
}

int netlink_open(void) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

        return fd < 0 ? -errno : fd;
}

/* Reads answers until `n` have come; the first error wins. */
static int read_answers(int fd, uint32_t n) {
        uint8_t buffer[8192];
        int first = 0;

        while (n > 0) {
                ssize_t size = RETRY_EINTR(recv(fd, buffer, sizeof(buffer), 0));

                if (size < 0)
                        return -errno;
                for (size_t at = 0; at + NLMSG_HDRLEN + sizeof(int) <= (size_t) size && n > 0; n--) {
                        struct nlmsghdr header;
                        int error;

                        memcpy(&header, buffer + at, sizeof(header));
                        memcpy(&error, buffer + at + NLMSG_HDRLEN, sizeof(error));
                        if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_len < NLMSG_HDRLEN)
                                return -EBADMSG;
                        if (first == 0)
                                first = error;
                        at += NLMSG_ALIGN(header.nlmsg_len);
                }
        }
        return first;
}

int netlink_run(int fd, NetlinkBatch *batch) {
        uint32_t n = batch->n;

        if (batch->overflow)
                return -ENOBUFS;
        ssize_t sent = RETRY_EINTR(send(fd, batch->data, batch->size, 0)); /* to the kernel, by default */
        *batch = (NetlinkBatch){};
        return sent < 0 ? -errno : read_answers(fd, n);
}
