/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks of IPv4 and IPv6, as records and command lines write them. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/macro.h"

typedef struct IpAddress {
        int family;        /* AF_INET or AF_INET6; AF_UNSPEC: none */
        uint8_t bytes[16]; /* in network order; of IPv4 the first four, the others 0 */
} IpAddress;

typedef struct IpSubnet {
        IpAddress address; /* with what stands behind the prefix, as it was written */
        unsigned prefix;
} IpSubnet;

enum { IP_TEXT_SIZE = INET6_ADDRSTRLEN, IP_SUBNET_TEXT_SIZE = INET6_ADDRSTRLEN + 4 };

/* -EINVAL for what is not an address. No zone ("%eth0"), no leading zeros of IPv4, and none that is IPv4 in IPv6's dress (::ffff:1.2.3.4). */
int ip_parse(const char *text, IpAddress *ret);

/* ADDRESS/PREFIX. */
int ip_parse_subnet(const char *text, IpSubnet *ret);

/* In `buffer`, which is returned. */
const char *ip_format(const IpAddress *address, char buffer[static IP_TEXT_SIZE]);
const char *ip_format_subnet(const IpSubnet *subnet, char buffer[static IP_SUBNET_TEXT_SIZE]);
#define ip_text(address) ip_format(address, (char[IP_TEXT_SIZE]){})
#define ip_subnet_text(subnet) ip_format_subnet(subnet, (char[IP_SUBNET_TEXT_SIZE]){})

/* 32, 128. */
unsigned ip_bits(int family) _pure_;

/* As memcmp(3); of one family only. */
int ip_compare(const IpAddress *a, const IpAddress *b) _pure_;
bool ip_equal(const IpAddress *a, const IpAddress *b) _pure_;

/* The first and the last address: of 10.0.0.7/24 10.0.0.0 and 10.0.0.255. */
IpAddress ip_first(const IpSubnet *subnet);
IpAddress ip_last(const IpSubnet *subnet);

bool ip_contains(const IpSubnet *subnet, const IpAddress *address) _pure_;
bool ip_overlap(const IpSubnet *a, const IpSubnet *b) _pure_;

/* The address `n` further; behind the last one comes the first of all. */
IpAddress ip_add(const IpAddress *address, uint32_t n);

/* 0.0.0.0 and ::, loopback, link-local, multicast, broadcast: nothing that a network of containers can have. */
bool ip_is_special(const IpAddress *address) _pure_;

/* "aa:bb:cc:dd:ee:ff" with ':' or '-': of one host (not multicast), not all zeros. */
int ip_parse_mac(const char *text, uint8_t ret[static 6]);
