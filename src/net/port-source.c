/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the source address of a relayed connection; never a loopback address (CVE-2021-20199). */
#include "net/port-source.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

socklen_t port_address_fill(int family, const void *address, uint16_t port, PortAddress *ret) {
        *ret = (PortAddress){};
        if (family == AF_INET) {
                ret->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
                memcpy(&ret->in.sin_addr, address, sizeof(ret->in.sin_addr));
                return sizeof(ret->in);
        }
        ret->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
        memcpy(&ret->in6.sin6_addr, address, sizeof(ret->in6.sin6_addr));
        return sizeof(ret->in6);
}

PortSource port_source_of(const PortAddress *peer) {
        PortSource source = { .family = peer->any.sa_family };

        if (source.family == AF_INET) {
                memcpy(&source.address, &peer->in.sin_addr, sizeof(peer->in.sin_addr));
                source.port = ntohs(peer->in.sin_port);
        } else if (source.family == AF_INET6) {
                source.address = peer->in6.sin6_addr;
                source.port = ntohs(peer->in6.sin6_port);
        } else
                source.family = AF_UNSPEC;
        return source;
}

static bool same_network(const void *a, const void *b, unsigned prefix) {
        const uint8_t *x = a, *y = b;
        unsigned bytes = prefix / 8, bits = prefix % 8;

        return prefix > 0 && memcmp(x, y, bytes) == 0 && (bits == 0 || (x[bytes] ^ y[bytes]) >> (8 - bits) == 0);
}

static bool shows4(const PortSource *source, const PortTarget *target) {
        struct in_addr address;

        memcpy(&address, &source->address, sizeof(address));
        uint32_t host = ntohl(address.s_addr);
        return host >> 24 != 127 && host >> 24 != 0 && host >> 16 != 0xa9fe && host >> 28 < 0xe &&
               !same_network(&address, &target->address, target->prefix);
}

static bool shows6(const PortSource *source, const PortTarget *target) {
        const struct in6_addr *a = &source->address;

        return !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_SITELOCAL(a) &&
               !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_V4COMPAT(a) &&
               !same_network(a, &target->address6, target->prefix6);
}

void port_source_choose(const PortSource *source, const PortTarget *target, int family, struct in6_addr *ret) {
        *ret = source->address;
        if (family == AF_INET && (source->family != AF_INET || !shows4(source, target))) {
                *ret = (struct in6_addr){};
                memcpy(ret, &target->gateway, sizeof(target->gateway));
        } else if (family == AF_INET6 && (source->family != AF_INET6 || !shows6(source, target)))
                *ret = target->gateway6;
}

int port_source_bind(const PortSource *source, const PortTarget *target, int family, bool own_port, int fd) {
        struct in6_addr chosen;
        PortAddress address;

        port_source_choose(source, target, family, &chosen);
        if (own_port) {
                socklen_t size = port_address_fill(family, &chosen, source->port, &address);

                if (bind(fd, &address.any, size) >= 0)
                        return 0;
                /* taken by a server inside, or one that only root there may have */
                if (errno != EADDRINUSE && errno != EACCES)
                        return -errno;
        }
        socklen_t size = port_address_fill(family, &chosen, 0, &address);
        return bind(fd, &address.any, size) < 0 ? -errno : 0;
}
