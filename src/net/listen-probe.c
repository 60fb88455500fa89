/* SPDX-License-Identifier: Apache-2.0 */
/* Looks a listening socket up by sock_diag(7): one request, one answer, no list. */
#include "net/listen-probe.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

bool listen_probe6(int diag_fd, int protocol, const struct in6_addr *address, uint16_t port) {
        struct {
                struct nlmsghdr header;
                struct inet_diag_req_v2 body;
        } request = {
                .header = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
                .body = { .sdiag_family = AF_INET6, .sdiag_protocol = (uint8_t) protocol, .idiag_states = UINT32_MAX,
                          .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
        };
        union {
                struct nlmsghdr header;
                char room[4096];
        } answer;

        if (diag_fd < 0)
                return false;
        /* The kernel looks a packet up as it comes in, from the remote end ("src" here is what a socket calls its own for
         * TCP; for UDP it is read the other way round): the same address and port at both ends fit either reading, and
         * no connection has them. */
        request.body.id.idiag_sport = htons(port);
        memcpy(request.body.id.idiag_src, address, sizeof(*address));
        if (protocol == IPPROTO_UDP) {
                request.body.id.idiag_dport = htons(port);
                memcpy(request.body.id.idiag_dst, address, sizeof(*address));
        }
        if (send(diag_fd, &request, sizeof(request), 0) < 0)
                return false;
        ssize_t n = recvfrom(diag_fd, &answer, sizeof(answer), MSG_DONTWAIT, NULL, NULL);
        return n >= (ssize_t) sizeof(answer.header) && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}
