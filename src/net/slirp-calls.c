/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between libslirp and the host's sockets; see the header. */
#include "net/slirp-calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/reach.h"

enum { PORT_DNS = 53 };

/* The one thing that cannot be passed along: libslirp calls connect() by its own signature. */
static bool loopback_allowed;

void slirp_calls_allow_loopback(void) {
        loopback_allowed = true;
}

int slirp_calls_connect(int fd, const struct sockaddr *address, socklen_t size) {
        return (int) syscall(SYS_connect, fd, address, size);
}

bool slirp_calls_may_reach(const struct sockaddr *address, socklen_t size) {
        ReachRules rules = { .loopback = loopback_allowed };
        struct sockaddr_in in;
        struct sockaddr_in6 in6;

        if (size >= sizeof(in) && address->sa_family == AF_INET) {
                memcpy(&in, address, sizeof(in));
                rules.dns = in.sin_port == htons(PORT_DNS);
                return reach_allows4(ntohl(in.sin_addr.s_addr), rules);
        }
        if (size >= sizeof(in6) && address->sa_family == AF_INET6) {
                memcpy(&in6, address, sizeof(in6));
                rules.dns = in6.sin6_port == htons(PORT_DNS);
                return reach_allows6(&in6.sin6_addr, rules);
        }
        return false;
}

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address, socklen_t size) {
        if (!slirp_calls_may_reach(address, size)) {
                errno = EPERM;
                return -1;
        }
        int r = slirp_calls_connect(fd, address, size);
        if (r < 0 && errno == ECONNREFUSED)
                errno = EINPROGRESS; /* the next round finds the socket closed */
        return r;
}

__attribute__((visibility("default"))) ssize_t sendto(int fd, const void *data, size_t n, int flags,
                                                      const struct sockaddr *address, socklen_t size) {
        if (address && !slirp_calls_may_reach(address, size)) {
                errno = EPERM;
                return -1;
        }
        return (ssize_t) syscall(SYS_sendto, fd, data, n, flags, address, size);
}
