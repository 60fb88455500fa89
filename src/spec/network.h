/* SPDX-License-Identifier: Apache-2.0 */
/* A network as `network create` made it. The words are those of `podman network inspect`. */
#pragma once

#include "base/json.h"
#include "spec/ip.h"

enum { NETWORK_ID_LENGTH = 64 };

#define NETWORK_DEFAULT "podman" /* is there without a record, as a bridge of 10.88.0.0/16 */

typedef struct NetworkRange {
        char *start_ip, *end_ip;
} NetworkRange;

typedef struct NetworkSubnet {
        char *subnet;             /* "10.89.0.0/24", without bits behind the prefix */
        char *gateway;            /* NULL: none (internal networks of some drivers) */
        NetworkRange lease_range; /* both ends are in the subnet; either may be NULL: from its first, up to its last address */
} NetworkSubnet;

typedef struct NetworkRoute {
        char *destination;        /* a subnet */
        char *gateway;
        uint32_t metric;          /* 0: the default one */
} NetworkRoute;

typedef struct NetworkConfig {
        char *name;
        char *id;                 /* 64 lower-case hex digits */
        char *driver;             /* "bridge", "macvlan", "ipvlan", "vxlan" */
        char *network_interface;  /* in the router namespace: "podman1"; of macvlan and ipvlan the parent, NULL: none */
        int64_t created_usec;     /* since the epoch */
        NetworkSubnet *subnets;
        size_t n_subnets;
        NetworkRoute *routes;
        size_t n_routes;
        bool ipv6_enabled;
        bool internal;            /* no way out, and none in */
        bool dns_enabled;         /* names of containers are answered */
        char **network_dns_servers;
        char **labels;            /* pairs */
        char **options;           /* pairs: "mtu=1400", "isolate=true" */
        char **ipam_options;      /* pairs: "driver=host-local" or "driver=none" */
} NetworkConfig;

#define NETWORK_CONFIG_NULL ((NetworkConfig){})

extern const JsonField network_config_fields[];

void network_config_done(NetworkConfig *config);
#define _cleanup_network_config_ _cleanup_(network_config_done)

/* The one that is always there. -ENOMEM. */
int network_config_default(NetworkConfig *ret);

/* Names are file names, too: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 bytes. */
bool network_name_is_valid(const char *name) _pure_;

/* A name for an interface: 1 to 15 letters, digits and "._-+@=", not ".", "..", "all", "default", "lo", nor the router's own "uplink0". */
bool network_interface_is_valid(const char *name) _pure_;

/* Whether all that stands in a record (or was made of a command line) is what it must be: driver, addresses, names. -EBADMSG. */
int network_config_check(const NetworkConfig *config, Error *reterr);

/* Whether containers get their addresses from us. */
bool network_has_addresses(const NetworkConfig *config) _pure_;
