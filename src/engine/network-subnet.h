/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets that are in use, and ones that are free. */
#pragma once

#include "spec/network.h"

typedef struct SubnetList {
        IpSubnet *items;
        size_t n;
} SubnetList;

void subnet_list_done(SubnetList *list);
#define _cleanup_subnet_list_ _cleanup_(subnet_list_done)

int subnet_list_add(SubnetList *list, const IpSubnet *subnet);

/* The one that overlaps, or NULL. */
const IpSubnet *subnet_list_find(const SubnetList *list, const IpSubnet *subnet) _pure_;

/* The host's addresses with their prefixes, and those that the way out of the router namespace has. */
int subnet_list_add_addresses(SubnetList *list, Error *reterr);

/* The host's routes but the default ones. */
int subnet_list_add_routes(SubnetList *list, Error *reterr);

/* The same from the text of /proc/net/route or /proc/net/ipv6_route. */
int subnet_list_add_routes_text(SubnetList *list, int family, const char *text);

/* A /24 of 10.89.0.0 and upwards, or a /64 of a unique local prefix (RFC 4193) that is made up. -ENOSPC: all are in use. */
int subnet_find_free(const SubnetList *used, int family, IpSubnet *ret);
