/* SPDX-License-Identifier: Apache-2.0 */
/* Where published ports lead, from a container's addresses or from a router's words. */
#include "net/port-publish.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/str.h"
#include "net/router-control.h"

enum { CONTROL_BATCH = 64 };

static int add_tcp(PortRelay *relay, PortSockets *sockets, uint64_t id, const PortTarget *target) {
        int *fds[] = { &sockets->fd4, &sockets->fd6 }, r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fds) && r >= 0; i++)
                if (*fds[i] >= 0)
                        r = port_relay_add(relay, TAKE_FD(*fds[i]), id, target);
        return r;
}

/* `target` NULL: the container of the forwarder's own addresses. */
static int add_udp(UdpForward *udp, PortSockets *sockets, uint16_t container_port, const UdpTarget *target) {
        int r = 0;

        if (sockets->fd4 >= 0)
                r = udp_forward_add(udp, TAKE_FD(sockets->fd4), AF_INET, container_port, target);
        if (r >= 0 && sockets->fd6 >= 0)
                r = udp_forward_add(udp, TAKE_FD(sockets->fd6), AF_INET6, container_port, target);
        return r;
}

int port_publish(PortRelay *relay, UdpForward *udp, const NetAddresses *a, const NetPort *port, PortSockets *sockets, Error *reterr) {
        uint16_t container_port = (uint16_t) port->container_port;
        int r;

        if (str_equal(port->protocol, "tcp")) {
                PortTarget target = { .address = a->container, .gateway = a->gateway, .prefix = a->prefix, .port = container_port };

                if (a->ipv6) {
                        target.address6 = a->container6;
                        target.gateway6 = a->gateway6;
                        target.prefix6 = a->prefix6;
                }
                r = add_tcp(relay, sockets, /* id= */ 0, &target);
        } else
                r = add_udp(udp, sockets, container_port, /* target= */ NULL);
        return r < 0 ? error_set_errno(reterr, r, "cannot publish port %u/%s", port->host_port, port->protocol) : 0;
}

static int hear_udp(UdpForward *udp, const RouterPort *port, PortSockets *sockets) {
        UdpTarget target = { .key = port->key };

        target.ipv4 = port->address && inet_pton(AF_INET, port->address, &target.address) == 1;
        target.ipv6 = port->address6 && inet_pton(AF_INET6, port->address6, &target.address6) == 1;
        return target.ipv4 || target.ipv6 ? add_udp(udp, sockets, (uint16_t) port->container_port, &target) : -EADDRNOTAVAIL;
}

static int hear_tcp(PortRelay *relay, const RouterPort *port, PortSockets *sockets) {
        PortTarget target = { .prefix = port->prefix, .prefix6 = port->prefix6, .port = (uint16_t) port->container_port };

        if (port->prefix > 32 || port->prefix6 > 128)
                return -ERANGE;
        if (port->address && (inet_pton(AF_INET, port->address, &target.address) != 1 || !port->gateway ||
                              inet_pton(AF_INET, port->gateway, &target.gateway) != 1))
                return -EBADMSG;
        if (port->address6 && (inet_pton(AF_INET6, port->address6, &target.address6) != 1 || !port->gateway6 ||
                               inet_pton(AF_INET6, port->gateway6, &target.gateway6) != 1))
                return -EBADMSG;
        return add_tcp(relay, sockets, port->key, &target);
}

bool port_publish_hear(PortRelay *relay, UdpForward *udp, int control_fd) {
        for (int i = 0; i < CONTROL_BATCH; i++) {
                _cleanup_router_port_ RouterPort port = {};
                _cleanup_port_sockets_ PortSockets sockets = PORT_SOCKETS_NULL;
                int r = router_control_receive(control_fd, &port, &sockets);

                if (r <= 0)
                        return r != 0 && r != -ECONNRESET;
                if (str_equal(port.op, "unpublish")) {
                        udp_forward_remove(udp, port.key);
                        port_relay_remove(relay, port.key);
                        (void) send(control_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* the router waits for it */
                } else if (str_equal(port.op, "publish") && str_equal(port.protocol, "tcp"))
                        (void) hear_tcp(relay, &port, &sockets);
                else if (str_equal(port.op, "publish") && str_equal(port.protocol, "udp"))
                        (void) hear_udp(udp, &port, &sockets);
        }
        return true;
}
