/* SPDX-License-Identifier: Apache-2.0 */
/* Binds published ports. */
#include "net/port-bind.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/port-holder.h"

enum { CHOOSE_TRIES = 32 };

typedef union PortAddress {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
} PortAddress;

static socklen_t fill(int family, const struct in6_addr *address, uint16_t port, PortAddress *ret) {
        *ret = (PortAddress){};
        if (family == AF_INET) {
                ret->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
                memcpy(&ret->in.sin_addr, address, 4);
                return sizeof(ret->in);
        }
        ret->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *address };
        return sizeof(ret->in6);
}

/* UDP answers must leave from the address they were asked at, also where the host has many. */
static int prepare(int fd, int family, bool tcp) {
        int one = 1;

        if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
                return -errno;
        if (tcp)
                return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ? -errno : 0;
        int r = family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one))
                                  : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
        return r < 0 ? -errno : 0;
}

/* Returns the descriptor; *port is updated to the one bound. */
static int bind_one(int family, const struct in6_addr *address, bool tcp, uint16_t *port) {
        _cleanup_fd_ int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        PortAddress a;
        socklen_t size = fill(family, address, *port, &a);

        if (fd < 0)
                return -errno;
        int r = prepare(fd, family, tcp);
        if (r < 0)
                return r;
        if (bind(fd, &a.any, size) < 0)
                return -errno;
        /* another socket with SO_REUSEADDR may hold the same port: listen(2) is what tells */
        if (tcp && listen(fd, SOMAXCONN) < 0)
                return -errno;
        if (getsockname(fd, &a.any, &size) < 0)
                return -errno;
        *port = ntohs(family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
        return TAKE_FD(fd);
}

static bool family_is_missing(int r) {
        return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL || r == -EPROTONOSUPPORT;
}

static int bind_both(bool tcp, uint16_t wanted, PortSockets *ret, int *ret_family) {
        static const struct in6_addr any = {};
        int fd4 = -EBADF, fd6 = -EBADF;
        uint16_t port = wanted;

        for (int i = 0; i < CHOOSE_TRIES; i++) {
                port = wanted;
                *ret_family = AF_INET;
                fd4 = bind_one(AF_INET, &any, tcp, &port);
                if (fd4 < 0)
                        return fd4;
                *ret_family = AF_INET6;
                fd6 = bind_one(AF_INET6, &any, tcp, &port);
                if (fd6 >= 0 || family_is_missing(fd6)) {
                        *ret = (PortSockets){ .fd4 = fd4, .fd6 = fd6 < 0 ? -EBADF : fd6, .port = port };
                        return 0;
                }
                (void) fd_close(fd4);
                /* what the kernel chose for IPv4 may be taken in IPv6: choose again */
                if (wanted != 0 || fd6 != -EADDRINUSE)
                        break;
        }
        return fd6;
}

static unsigned first_unprivileged_port(void) {
        _cleanup_free_ char *text = NULL;
        uint32_t port;

        if (file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", 64, &text, NULL) < 0)
                return 1024;
        text[strcspn(text, "\n")] = '\0';
        return parse_u32(text, &port) < 0 ? 1024 : port;
}

static int explain(const NetPort *port, int family, int code, Error *reterr) {
        const char *ip = port->host_ip ?: "", *open = strchr(ip, ':') ? "[" : "", *close = *open ? "]:" : *ip ? ":" : "";
        char what[128];

        (void) snprintf(what, sizeof(what), "%s%s%s%u/%s", open, ip, close, port->host_port, port->protocol);
        if (code == -EADDRINUSE) {
                _cleanup_free_ char *holder = port_holder_find(family, str_equal(port->protocol, "tcp"), (uint16_t) port->host_port);

                (void) error_set(reterr, code, ERROR_IN_USE, "cannot publish port %s: already in use%s%s", what,
                                 holder ? " by " : "", holder ?: "");
                error_hint(reterr, "publish another host port, or stop what listens there (ss -%snp 'sport = :%u')",
                                  str_equal(port->protocol, "tcp") ? "lt" : "lu", port->host_port);
                return code;
        }
        if (code == -EACCES) {
                (void) error_set(reterr, code, ERROR_DENIED, "cannot publish port %s: Permission denied", what);
                error_hint(reterr, "use a host port of %u or above; or let users have this one: "
                                  "sysctl net.ipv4.ip_unprivileged_port_start=%u; or have systemd listen on it and hand it over "
                                  "(socket activation, systemd.socket(5))", first_unprivileged_port(), port->host_port);
                return code;
        }
        if (code == -EADDRNOTAVAIL) {
                (void) error_set(reterr, code, ERROR_INVALID, "cannot publish port %s: this machine does not have that address", what);
                return code;
        }
        return error_set_errno(reterr, code, "cannot publish port %s", what);
}

int port_bind(const NetPort *port, PortSockets *ret, Error *reterr) {
        bool tcp = str_equal(port->protocol, "tcp");
        uint16_t number = (uint16_t) port->host_port;
        PortSockets sockets = PORT_SOCKETS_NULL;
        struct in6_addr address = {};
        int family = AF_INET, r;

        if (str_empty(port->host_ip)) {
                r = bind_both(tcp, number, &sockets, &family);
        } else {
                r = net_parse_address(port->host_ip, &family, &address);
                if (r >= 0)
                        r = bind_one(family, &address, tcp, &number);
                if (r >= 0) {
                        *(family == AF_INET ? &sockets.fd4 : &sockets.fd6) = r;
                        sockets.port = number;
                }
        }
        if (r < 0)
                return explain(port, family, r, reterr);
        *ret = sockets;
        return 0;
}

void port_sockets_done(PortSockets *sockets) {
        sockets->fd4 = fd_close(sockets->fd4);
        sockets->fd6 = fd_close(sockets->fd6);
}
