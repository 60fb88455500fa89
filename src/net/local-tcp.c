/* SPDX-License-Identifier: Apache-2.0 */
/* Finds connections within the machine, and spares them congestion control. */
#include "net/local-tcp.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

static void choose(int fd, const char *name) {
        (void) setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t) strlen(name));
}

void local_tcp_hasten(int fd) {
        choose(fd, "reno");
}

TcpCongestion local_tcp_default(void) {
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        TcpCongestion congestion = {};
        socklen_t size = sizeof(congestion.name) - 1;

        if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion.name, &size) < 0)
                return (TcpCongestion){};
        return congestion;
}

void local_tcp_restore(int fd, const TcpCongestion *congestion) {
        if (congestion->name[0])
                choose(fd, congestion->name);
}

bool local_tcp_is(int fd, const PortAddress *peer) {
        PortAddress own = {};
        socklen_t size = sizeof(own);

        if (peer->any.sa_family == AF_INET ? ntohl(peer->in.sin_addr.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&peer->in6.sin6_addr))
                return true;
        if (getsockname(fd, &own.any, &size) < 0 || own.any.sa_family != peer->any.sa_family)
                return false;
        return peer->any.sa_family == AF_INET ? own.in.sin_addr.s_addr == peer->in.sin_addr.s_addr
                                              : IN6_ARE_ADDR_EQUAL(&own.in6.sin6_addr, &peer->in6.sin6_addr);
}
