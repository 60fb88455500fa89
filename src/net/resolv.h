/* SPDX-License-Identifier: Apache-2.0 */
/* What the container's /etc/resolv.conf and /etc/hosts say: pure functions from options and the host's files to text. */
#pragma once

#include "base/error.h"

/* Which resolver a container can reach. */
typedef enum ResolvReach {
        RESOLV_HOST,     /* it shares the host's network: the host's file as it is */
        RESOLV_VIRTUAL,  /* it has sdpod-net: the virtual DNS address, behind which is the host's resolver */
        RESOLV_NAMES,    /* those of its networks, which answer the names of containers; NAMES_DOMAIN is searched first */
        RESOLV_DIRECT,   /* anything else: the host's servers, without those on the host's loopback */
} ResolvReach;

typedef struct ResolvRequest {
        ResolvReach reach;
        const char *host_text;      /* the host's resolv.conf; may be NULL */
        const char *dns4, *dns6;    /* the virtual DNS addresses; dns6 NULL: no IPv6 */
        char *const *servers;       /* of RESOLV_NAMES */
        char *const *dns;           /* --dns: instead of all others, but for those of RESOLV_NAMES */
        char *const *search;        /* --dns-search: instead of the host's; "." alone: none */
        char *const *options;       /* --dns-option: instead of the host's */
} ResolvRequest;

/* The content of resolv.conf (resolv.conf(5)); owned. -EINVAL for an option that is not what it should be. */
int resolv_conf_text(const ResolvRequest *request, char **ret, Error *reterr);

typedef struct HostsRequest {
        char *const *add_hosts;     /* --add-host: "name[;name...]:address", or "host-gateway" for an address */
        const char *host_text;      /* the host's file, whose entries follow but for loopback ones; NULL: none */
        const char *base_text;      /* --hosts-file: a file all of whose entries follow; NULL: none */
        const char *host_address;   /* what "host-gateway" and host.containers.internal mean; NULL: the host is out of reach */
        const char *address;        /* the container's own address, for its names; NULL: the loopback's */
        char *const *addresses;     /* of one with several: instead of `address`, a line each; NULL: none */
        const char *hostname, *name; /* its names; may be NULL or the same */
} HostsRequest;

/* The content of hosts (hosts(5)); owned. The first entry of a name wins, so --add-host comes first. */
int hosts_text(const HostsRequest *request, char **ret, Error *reterr);

/* The address by which the host reaches others, and by which a container reaches the host: that of the default route.
 * Owned; -ENETUNREACH when there is none. Sends nothing. */
int hosts_host_address(char **ret);
