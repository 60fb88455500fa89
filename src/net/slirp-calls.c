/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between libslirp and the host's sockets; see the header. */
#include "net/slirp-calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PORT_DNS = 53 };

/* The one thing that cannot be passed along: libslirp calls connect() by its own signature. */
static bool loopback_allowed;

void slirp_calls_allow_loopback(void) {
        loopback_allowed = true;
}

int slirp_calls_connect(int fd, const struct sockaddr *address, socklen_t size) {
        return (int) syscall(SYS_connect, fd, address, size);
}

static bool may_reach4(uint32_t address, bool dns) {
        if (address >> 24 == 127)
                return dns || loopback_allowed;
        if (address >> 16 == 0xa9fe)
                return dns;
        return address >> 24 != 0 && address >> 28 < 0xe;
}

static bool may_reach6(const struct in6_addr *address, bool dns) {
        if (IN6_IS_ADDR_LOOPBACK(address))
                return dns || loopback_allowed;
        if (IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_SITELOCAL(address))
                return dns;
        return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address) &&
               !IN6_IS_ADDR_MULTICAST(address);
}

bool slirp_calls_may_reach(const struct sockaddr *address, socklen_t size) {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;

        if (size >= sizeof(in) && address->sa_family == AF_INET) {
                memcpy(&in, address, sizeof(in));
                return may_reach4(ntohl(in.sin_addr.s_addr), in.sin_port == htons(PORT_DNS));
        }
        if (size >= sizeof(in6) && address->sa_family == AF_INET6) {
                memcpy(&in6, address, sizeof(in6));
                return may_reach6(&in6.sin6_addr, in6.sin6_port == htons(PORT_DNS));
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
