/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets that are in use, and ones that are free. */
#include "engine/network-subnet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/str.h"
#include "spec/container.h"

enum {
        ROUTES_SIZE_MAX = 16 * 1024 * 1024,
        RANDOM_TRIES = 64,
};

/* The network of the uplink, see docs/NETWORK.md. */
static const char *const uplink[] = { "10.0.2.0/24", "fd00::/64" };

void subnet_list_done(SubnetList *list) {
        free(list->items);
        *list = (SubnetList){};
}

int subnet_list_add(SubnetList *list, const IpSubnet *subnet) {
        IpSubnet *added = container_array_add((void **) &list->items, &list->n, sizeof(*added));

        if (!added)
                return -ENOMEM;
        *added = *subnet;
        return 0;
}

const IpSubnet *subnet_list_find(const SubnetList *list, const IpSubnet *subnet) {
        for (size_t i = 0; i < list->n; i++)
                if (ip_overlap(&list->items[i], subnet))
                        return &list->items[i];
        return NULL;
}

/* ---- what the host has ---- */

static bool address_from(const struct sockaddr *from, IpAddress *ret) {
        *ret = (IpAddress){ .family = from->sa_family };
        if (from->sa_family == AF_INET)
                (void) memcpy(ret->bytes, &((const struct sockaddr_in *) (const void *) from)->sin_addr, 4);
        else if (from->sa_family == AF_INET6)
                (void) memcpy(ret->bytes, &((const struct sockaddr_in6 *) (const void *) from)->sin6_addr, 16);
        else
                return false;
        return true;
}

static unsigned prefix_of(const IpAddress *mask) {
        unsigned n = 0;

        while (n < ip_bits(mask->family) && (mask->bytes[n / 8] & (0x80 >> (n % 8))))
                n++;
        return n;
}

int subnet_list_add_addresses(SubnetList *list, Error *reterr) {
        struct ifaddrs *addresses = NULL;
        IpSubnet subnet;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(uplink) && r >= 0; i++) {
                r = ip_parse_subnet(uplink[i], &subnet);
                if (r >= 0)
                        r = subnet_list_add(list, &subnet);
        }
        if (r < 0)
                return error_oom(reterr);
        if (getifaddrs(&addresses) < 0)
                return error_set_errno(reterr, -errno, "cannot list the addresses of the host");
        for (const struct ifaddrs *a = addresses; a && r >= 0; a = a->ifa_next) {
                IpAddress mask;

                if (!a->ifa_addr || !a->ifa_netmask || !address_from(a->ifa_addr, &subnet.address))
                        continue;
                mask.family = 0;
                if (!address_from(a->ifa_netmask, &mask))
                        mask = (IpAddress){ .family = subnet.address.family };
                subnet.prefix = prefix_of(&mask);
                r = subnet_list_add(list, &subnet);
        }
        freeifaddrs(addresses);
        return r < 0 ? error_oom(reterr) : 0;
}

/* "IFACE DESTINATION GATEWAY FLAGS REFCNT USE METRIC MASK ...", in hexadecimal, as the kernel has them in memory (proc(5)). */
static bool read_route4(const char *line, IpSubnet *ret) {
        uint32_t destination, mask;
        IpAddress mask_address = { .family = AF_INET };

        if (sscanf(line, "%*s %8x %*s %*s %*s %*s %*s %8x", &destination, &mask) != 2)
                return false;
        ret->address = (IpAddress){ .family = AF_INET };
        (void) memcpy(ret->address.bytes, &destination, sizeof(destination));
        (void) memcpy(mask_address.bytes, &mask, sizeof(mask));
        ret->prefix = prefix_of(&mask_address);
        return true;
}

/* "DESTINATION PREFIX SOURCE PREFIX NEXTHOP ...", in hexadecimal. */
static bool read_route6(const char *line, IpSubnet *ret) {
        unsigned prefix;

        ret->address = (IpAddress){ .family = AF_INET6 };
        for (size_t i = 0; i < 16; i++) {
                unsigned byte;

                if (sscanf(line + 2 * i, "%2x", &byte) != 1 || strlen(line) < 2 * i + 2)
                        return false;
                ret->address.bytes[i] = (uint8_t) byte;
        }
        if (sscanf(line + 32, " %x", &prefix) != 1 || prefix > 128)
                return false;
        ret->prefix = prefix;
        return true;
}

int subnet_list_add_routes_text(SubnetList *list, int family, const char *text) {
        _cleanup_strv_ char **lines = strv_split(text, "\n");
        int r = lines ? 0 : -ENOMEM;

        for (char **line = lines; line && *line && r >= 0; line++) {
                IpSubnet subnet;

                if (strlen(*line) > 32 && (family == AF_INET ? read_route4 : read_route6)(*line, &subnet) && subnet.prefix > 0 &&
                    !ip_is_special(&subnet.address))
                        r = subnet_list_add(list, &subnet);
        }
        return r;
}

int subnet_list_add_routes(SubnetList *list, Error *reterr) {
        static const struct {
                int family;
                const char *path;
        } tables[] = { { AF_INET, "/proc/net/route" }, { AF_INET6, "/proc/net/ipv6_route" } };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_free_ char *text = NULL;

                /* a kernel without IPv6 has no such file */
                if (file_read(AT_FDCWD, tables[i].path, ROUTES_SIZE_MAX, &text, /* ret_size= */ NULL) >= 0 &&
                    subnet_list_add_routes_text(list, tables[i].family, text) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

/* ---- what is free ---- */

static int find_free4(const SubnetList *used, IpSubnet *ret) {
        IpSubnet all, candidate;
        int r = ip_parse_subnet("10.0.0.0/8", &all);

        if (r >= 0)
                r = ip_parse_subnet("10.89.0.0/24", &candidate);
        if (r < 0)
                return r;
        for (; ip_contains(&all, &candidate.address); candidate.address = ip_add(&candidate.address, 256))
                if (!subnet_list_find(used, &candidate)) {
                        *ret = candidate;
                        return 0;
                }
        return -ENOSPC;
}

static int find_free6(const SubnetList *used, IpSubnet *ret) {
        for (unsigned i = 0; i < RANDOM_TRIES; i++) {
                IpSubnet candidate = { .address.family = AF_INET6, .prefix = 64 };

                candidate.address.bytes[0] = 0xfd;
                if (getrandom(candidate.address.bytes + 1, 7, 0) != 7)
                        return -EIO;
                if (!subnet_list_find(used, &candidate)) {
                        *ret = candidate;
                        return 0;
                }
        }
        return -ENOSPC;
}

int subnet_find_free(const SubnetList *used, int family, IpSubnet *ret) {
        return family == AF_INET ? find_free4(used, ret) : find_free6(used, ret);
}
