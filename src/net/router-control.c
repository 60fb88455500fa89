/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from the router to its sdpod-net. */
#include "net/router-control.h"

#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

enum { MESSAGE_SIZE = 4096, MESSAGE_FDS = 2 };

static const JsonField router_port_fields[] = {
        JSON_FIELD(RouterPort, op, "op", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, key, "key", JSON_FIELD_UINT64),
        JSON_FIELD(RouterPort, protocol, "protocol", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, container_port, "containerPort", JSON_FIELD_UINT32),
        JSON_FIELD(RouterPort, host_port, "hostPort", JSON_FIELD_UINT32),
        JSON_FIELD(RouterPort, any_host_ip, "anyHostIp", JSON_FIELD_BOOL),
        JSON_FIELD(RouterPort, ipv4, "ipv4", JSON_FIELD_BOOL),
        JSON_FIELD(RouterPort, ipv6, "ipv6", JSON_FIELD_BOOL),
        JSON_FIELD(RouterPort, address, "address", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, address6, "address6", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, gateway, "gateway", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, gateway6, "gateway6", JSON_FIELD_STRING),
        JSON_FIELD(RouterPort, prefix, "prefix", JSON_FIELD_UINT32),
        JSON_FIELD(RouterPort, prefix6, "prefix6", JSON_FIELD_UINT32),
        {},
};

void router_port_done(RouterPort *port) {
        json_fields_done(router_port_fields, port);
}

int router_control_send(int socket, const RouterPort *port, const PortSockets *sockets) {
        _cleanup_json_ json_t *json = json_fields_save(router_port_fields, port);
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        int fds[MESSAGE_FDS];
        size_t n = 0;

        if (!text)
                return -ENOMEM;
        if (port->ipv4)
                fds[n++] = sockets->fd4;
        if (port->ipv6)
                fds[n++] = sockets->fd6;
        int r = strlen(text) > MESSAGE_SIZE ? -EMSGSIZE : io_send_fds(socket, text, strlen(text), fds, n);
        free(text);
        return r;
}

int router_control_receive(int socket, RouterPort *ret, PortSockets *ret_sockets) {
        _cleanup_port_sockets_ PortSockets sockets = PORT_SOCKETS_NULL;
        _cleanup_router_port_ RouterPort port = {};
        char text[MESSAGE_SIZE];
        int fds[MESSAGE_FDS] = { -EBADF, -EBADF };
        size_t n = MESSAGE_FDS;
        ssize_t size = io_receive_fds(socket, text, sizeof(text), fds, &n);

        if (size <= 0)
                return (int) size;
        sockets.fd4 = fds[0]; /* whatever comes: it is closed */
        sockets.fd6 = fds[1];
        int r = json_fields_parse(text, (size_t) size, router_port_fields, &port, /* reterr= */ NULL);
        if (r < 0)
                return r;
        if ((size_t) port.ipv4 + port.ipv6 != n)
                return -EBADMSG;
        if (!port.ipv4 && port.ipv6) {
                sockets.fd6 = sockets.fd4;
                sockets.fd4 = -EBADF;
        }
        sockets.port = (uint16_t) port.host_port;
        *ret = port;
        port = (RouterPort){};
        *ret_sockets = sockets;
        sockets = PORT_SOCKETS_NULL;
        return 1;
}
