/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for routes (rtnetlink(7), RTM_GETROUTE). */
#include "net/bypass-route.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

typedef struct RouteRequest {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t address[16];
} RouteRequest;

static int ask(int route_fd, const BypassTarget *target, uint8_t *answer, size_t room) {
        size_t width = target->ipv4 ? 4 : 16;
        RouteRequest request = {
                .header = { .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST,
                            .nlmsg_len = (uint32_t) (offsetof(RouteRequest, address) + width) },
                .route = { .rtm_family = target->ipv4 ? AF_INET : AF_INET6, .rtm_dst_len = (uint8_t) (width * 8) },
                .attribute = { .rta_type = RTA_DST, .rta_len = (uint16_t) RTA_LENGTH(width) },
        };

        memcpy(request.address, target->ipv4 ? (const void *) &target->address4 : &target->address6, width);
        if (send(route_fd, &request, request.header.nlmsg_len, MSG_DONTWAIT) < 0)
                return -errno;
        ssize_t n = recv(route_fd, answer, room, MSG_DONTWAIT); /* the kernel has answered before send() returned */
        return n < 0 ? -errno : (int) n;
}

/* The gateway of a route, with its family; false where it has none that is plain. */
static bool is_gateway(const uint8_t *data, size_t size, bool ipv4, const BypassGateways *gateways) {
        if (ipv4)
                return size == sizeof(gateways->gateway4) && gateways->gateway4.s_addr != 0 && memcmp(data, &gateways->gateway4, size) == 0;
        return size == sizeof(gateways->gateway6) && !IN6_IS_ADDR_UNSPECIFIED(&gateways->gateway6) &&
               memcmp(data, &gateways->gateway6, size) == 0;
}

int bypass_route_leads_out(int route_fd, const BypassTarget *target, const BypassGateways *gateways) {
        uint8_t answer[2048];
        struct nlmsghdr header;
        struct rtmsg route;
        int n = ask(route_fd, target, answer, sizeof(answer));

        if (n < 0)
                return n;
        if ((size_t) n < NLMSG_LENGTH(sizeof(route)))
                return -EBADMSG;
        memcpy(&header, answer, sizeof(header));
        memcpy(&route, answer + NLMSG_HDRLEN, sizeof(route));
        if (header.nlmsg_type != RTM_NEWROUTE || header.nlmsg_len > (size_t) n || route.rtm_type != RTN_UNICAST)
                return 0;
        for (size_t at = NLMSG_LENGTH(sizeof(route)); at + sizeof(struct rtattr) <= header.nlmsg_len;) {
                struct rtattr attribute;

                memcpy(&attribute, answer + at, sizeof(attribute));
                if (attribute.rta_len < sizeof(attribute) || at + attribute.rta_len > header.nlmsg_len)
                        return -EBADMSG;
                if (attribute.rta_type == RTA_GATEWAY)
                        return is_gateway(answer + at + RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0), target->ipv4, gateways);
                at += RTA_ALIGN(attribute.rta_len);
        }
        return 0;
}
