/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what a valid network config is, and which addresses follow from it. */
#include "net/net-config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

const JsonField net_port_fields[] = {
        JSON_FIELD(NetPort, host_ip, "hostIp", JSON_FIELD_STRING),
        JSON_FIELD(NetPort, host_port, "hostPort", JSON_FIELD_UINT32),
        JSON_FIELD(NetPort, container_port, "containerPort", JSON_FIELD_UINT32),
        JSON_FIELD(NetPort, protocol, "protocol", JSON_FIELD_STRING),
        {},
};

const JsonField net_config_fields[] = {
        JSON_FIELD(NetConfig, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(NetConfig, interface, "interface", JSON_FIELD_STRING),
        JSON_FIELD(NetConfig, cidr, "cidr", JSON_FIELD_STRING),
        JSON_FIELD(NetConfig, mtu, "mtu", JSON_FIELD_UINT32),
        JSON_FIELD(NetConfig, ipv6, "ipv6", JSON_FIELD_BOOL),
        JSON_FIELD(NetConfig, allow_host_loopback, "allowHostLoopback", JSON_FIELD_BOOL),
        JSON_FIELD(NetConfig, no_splice, "noSplice", JSON_FIELD_BOOL),
        JSON_FIELD_ARRAY_OF(NetConfig, ports, n_ports, "ports", net_port_fields),
        JSON_FIELD(NetConfig, dns, "dns", JSON_FIELD_STRV),
        JSON_FIELD(NetConfig, outbound_addr, "outboundAddr", JSON_FIELD_STRING),
        JSON_FIELD(NetConfig, outbound_addr6, "outboundAddr6", JSON_FIELD_STRING),
        {},
};

void net_config_done(NetConfig *config) {
        json_fields_done(net_config_fields, config);
}

void net_ports_free(NetPort *ports, size_t n_ports) {
        for (size_t i = 0; i < n_ports; i++)
                json_fields_done(net_port_fields, ports + i);
        free(ports);
}

int net_parse_address(const char *text, int *ret_family, struct in6_addr *ret) {
        struct in6_addr address = {};

        for (size_t i = 0; i < 2; i++) {
                int family = i == 0 ? AF_INET : AF_INET6;

                if (inet_pton(family, text, &address) == 1) {
                        *ret_family = family;
                        *ret = address;
                        return 0;
                }
        }
        return -EINVAL;
}

static int check_port(const NetPort *port, Error *reterr) {
        struct in6_addr address;
        int family = AF_UNSPEC;

        if (!str_equal(port->protocol, "tcp") && !str_equal(port->protocol, "udp"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot publish port %u: protocol '%s' is not tcp or udp",
                                 port->container_port, port->protocol ?: "");
        if (port->container_port == 0 || port->container_port > UINT16_MAX || port->host_port > UINT16_MAX)
                return error_set(reterr, -ERANGE, ERROR_INVALID, "cannot publish port %u:%u: ports are 1 to 65535",
                                 port->host_port, port->container_port);
        if (!str_empty(port->host_ip) && net_parse_address(port->host_ip, &family, &address) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot publish port %u: '%s' is not an IP address",
                                 port->container_port, port->host_ip);
        return 0;
}

/* Networks that mean something else to every kernel: this host, loopback, link-local, multicast and reserved. */
static bool network_is_special(uint32_t address) {
        uint32_t first = address >> 24;

        return first == 0 || first == 127 || first >= 224 || address >> 16 == 0xa9fe;
}

static int parse_cidr(const char *cidr, NetAddresses *a, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(cidr, "/");
        struct in_addr address;
        uint32_t prefix;

        if (!parts)
                return error_oom(reterr);
        if (strv_length(parts) != 2 || inet_pton(AF_INET, parts[0], &address) != 1 || parse_u32(parts[1], &prefix) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use network '%s': it is not of the form 10.0.2.0/24", cidr);
        /* the container is number 100 */
        if (prefix < 8 || prefix > 25)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use network '%s': the prefix must be 8 to 25", cidr);

        uint32_t mask = ~0U << (32 - prefix), network = ntohl(address.s_addr) & mask;
        if (network_is_special(network))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use network '%s': it is reserved", cidr);
        a->prefix = prefix;
        a->netmask.s_addr = htonl(mask);
        a->network.s_addr = htonl(network);
        a->gateway.s_addr = htonl(network + 2);
        a->dns.s_addr = htonl(network + 3);
        a->container.s_addr = htonl(network + 100);
        return 0;
}

static struct in6_addr address6(uint8_t last) {
        return (struct in6_addr){ .s6_addr = { 0xfd, [15] = last } };
}

static void derive(NetAddresses *a) {
        a->mac[0] = 0x02; /* locally administered, unicast */
        memcpy(a->mac + 2, &a->container, 4);
        a->prefix6 = 64;
        a->network6 = address6(0);
        a->gateway6 = address6(2);
        a->dns6 = address6(3);
        a->container6 = (struct in6_addr){ .s6_addr = { 0xfd, [14] = 0x01, [15] = 0x00 } }; /* fd00::100 */
        a->link_local6 = (struct in6_addr){ .s6_addr = { 0xfe, 0x80, [8] = a->mac[0] ^ 2, a->mac[1], a->mac[2], 0xff, 0xfe,
                                                         a->mac[3], a->mac[4], a->mac[5] } };
}

static int check_outbound(const char *text, int family, Error *reterr) {
        struct in6_addr address;
        int found;

        if (text && (net_parse_address(text, &found, &address) < 0 || found != family))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot send from '%s': it is not an %s address", text,
                                 family == AF_INET ? "IPv4" : "IPv6");
        return 0;
}

static int check_interface(const char *name, Error *reterr) {
        if (str_empty(name) || strlen(name) >= IFNAMSIZ || strpbrk(name, "/: \t\n%") || str_equal(name, ".") ||
            str_equal(name, "..") || str_equal(name, "lo"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot name the interface '%s': not a valid name", name);
        return 0;
}

int net_addresses_from_config(const NetConfig *config, NetAddresses *ret, Error *reterr) {
        NetAddresses a = { .ipv6 = config->ipv6 };
        struct in6_addr server;
        int family;

        int r = parse_cidr(config->cidr ?: "10.0.2.0/24", &a, reterr);
        if (r < 0)
                return r;
        if (config->mtu != 0 && (config->mtu < NET_MTU_MIN || config->mtu > NET_MTU_MAX))
                return error_set(reterr, -ERANGE, ERROR_INVALID, "cannot use MTU %u: it must be %d to %d", config->mtu, NET_MTU_MIN,
                                 NET_MTU_MAX);
        r = check_interface(config->interface ?: "tap0", reterr);
        if (r >= 0)
                r = check_outbound(config->outbound_addr, AF_INET, reterr);
        if (r >= 0)
                r = check_outbound(config->outbound_addr6, AF_INET6, reterr);
        if (r < 0)
                return r;
        if (config->n_ports > NET_PORTS_LIMIT)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot publish %zu ports: the limit is %d", config->n_ports,
                                 NET_PORTS_LIMIT);
        for (size_t i = 0; i < config->n_ports; i++)
                if ((r = check_port(config->ports + i, reterr)) < 0)
                        return r;
        for (char **s = config->dns; s && *s; s++)
                if (net_parse_address(*s, &family, &server) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use DNS server '%s': it is not an IP address", *s);
        derive(&a);
        *ret = a;
        return 0;
}
