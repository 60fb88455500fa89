/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod tells sdpod-net, and the addresses that follow from it: one JSON object over an inherited descriptor. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum {
        NET_CONFIG_LIMIT = 1024 * 1024,
        NET_PORTS_LIMIT = 4096,
        NET_MTU_DEFAULT = 16384, /* see docs/NETWORK.md: above, uploads collapse; below, frames cost more than bytes */
        NET_MTU_MIN = 1280,      /* IPv6 needs it (RFC 8200, section 5) */
        NET_MTU_MAX = 65520,
};

/* One published port. Ranges come expanded. */
typedef struct NetPort {
        char *host_ip;      /* NULL or "": every address of both families */
        uint32_t host_port; /* 0: chosen, and reported */
        uint32_t container_port;
        char *protocol;     /* "tcp" or "udp" */
} NetPort;

typedef struct NetConfig {
        char *name;         /* the container's, for messages and ps; may be NULL */
        char *interface;    /* NULL: "tap0" */
        char *cidr;         /* NULL: "10.0.2.0/24" */
        uint32_t mtu;       /* 0: NET_MTU_DEFAULT */
        bool ipv6;
        bool allow_host_loopback; /* the gateway address leads to the host's 127.0.0.1 and ::1 */
        bool no_splice; /* outgoing TCP goes through libslirp, too (net/outlet.h) */
        bool bypass; /* outgoing connections are to be the host's; not for sdpod-net, but for who starts sdpod-bypass beside it */
        NetPort *ports;
        size_t n_ports;
        char **dns;         /* where the virtual DNS address leads; NULL: to the host's resolver, also when that changes */
        char *outbound_addr, *outbound_addr6; /* source addresses of what leaves; NULL: the host decides */
} NetConfig;

#define NET_CONFIG_NULL ((NetConfig){ .ipv6 = true })

extern const JsonField net_config_fields[];
extern const JsonField net_port_fields[];

void net_config_done(NetConfig *config);
#define _cleanup_net_config_ _cleanup_(net_config_done)

void net_ports_free(NetPort *ports, size_t n_ports);

/* Every address of one container's network, in network byte order. */
typedef struct NetAddresses {
        struct in_addr network, netmask, gateway, dns, container;
        struct in6_addr network6, gateway6, dns6, container6, link_local6;
        unsigned prefix, prefix6;
        uint8_t mac[6];
        bool ipv6;
} NetAddresses;

/* Checks the whole config, and derives: gateway .2, DNS .3, the container .100 of the IPv4 network and of fd00::/64, a
 * locally administered MAC with the IPv4 address inside and the link-local address that belongs to it (RFC 4291, App. A). */
int net_addresses_from_config(const NetConfig *config, NetAddresses *ret, Error *reterr);

/* A port's host address: the family and its bytes; an empty `host_ip` is not an address. -EINVAL otherwise. */
int net_parse_address(const char *text, int *ret_family, struct in6_addr *ret);
