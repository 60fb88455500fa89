/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks of IPv4 and IPv6. */
#include "spec/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

unsigned ip_bits(int family) {
        return family == AF_INET ? 32 : 128;
}

int ip_parse(const char *text, IpAddress *ret) {
        IpAddress address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

        if (inet_pton(address.family, text, address.bytes) != 1)
                return -EINVAL;
        if (address.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *) (const void *) address.bytes))
                return -EINVAL;
        *ret = address;
        return 0;
}

int ip_parse_subnet(const char *text, IpSubnet *ret) {
        const char *slash = strchr(text, '/');
        char address[IP_TEXT_SIZE];
        IpSubnet subnet;
        uint32_t prefix;

        if (!slash || (size_t) (slash - text) >= sizeof(address))
                return -EINVAL;
        *(char *) mempcpy(address, text, (size_t) (slash - text)) = 0;
        int r = ip_parse(address, &subnet.address);
        if (r < 0)
                return r;
        if (parse_u32(slash + 1, &prefix) < 0 || prefix > ip_bits(subnet.address.family))
                return -EINVAL;
        subnet.prefix = prefix;
        *ret = subnet;
        return 0;
}

const char *ip_format(const IpAddress *address, char buffer[static IP_TEXT_SIZE]) {
        if (!inet_ntop(address->family, address->bytes, buffer, IP_TEXT_SIZE))
                *buffer = 0;
        return buffer;
}

const char *ip_format_subnet(const IpSubnet *subnet, char buffer[static IP_SUBNET_TEXT_SIZE]) {
        (void) snprintf(buffer, IP_SUBNET_TEXT_SIZE, "%s/%u", ip_text(&subnet->address), subnet->prefix);
        return buffer;
}

int ip_compare(const IpAddress *a, const IpAddress *b) {
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_equal(const IpAddress *a, const IpAddress *b) {
        return a->family == b->family && ip_compare(a, b) == 0;
}

static IpAddress masked(const IpSubnet *subnet, bool ones) {
        IpAddress address = subnet->address;
        unsigned bits = ip_bits(address.family);

        for (unsigned i = subnet->prefix; i < bits; i++) {
                uint8_t bit = (uint8_t) (0x80 >> (i % 8));

                address.bytes[i / 8] = (uint8_t) (ones ? address.bytes[i / 8] | bit : address.bytes[i / 8] & ~bit);
        }
        return address;
}

IpAddress ip_first(const IpSubnet *subnet) {
        return masked(subnet, /* ones= */ false);
}

IpAddress ip_last(const IpSubnet *subnet) {
        return masked(subnet, /* ones= */ true);
}

bool ip_contains(const IpSubnet *subnet, const IpAddress *address) {
        const IpSubnet other = { *address, subnet->prefix };

        if (address->family != subnet->address.family)
                return false;
        IpAddress a = ip_first(subnet), b = ip_first(&other);
        return ip_equal(&a, &b);
}

bool ip_overlap(const IpSubnet *a, const IpSubnet *b) {
        return a->prefix <= b->prefix ? ip_contains(a, &b->address) : ip_contains(b, &a->address);
}

IpAddress ip_add(const IpAddress *address, uint32_t n) {
        IpAddress sum = *address;
        uint64_t carry = n;

        for (unsigned i = ip_bits(address->family) / 8; i-- > 0 && carry > 0;) {
                carry += sum.bytes[i];
                sum.bytes[i] = (uint8_t) carry;
                carry >>= 8;
        }
        return sum;
}

bool ip_is_special(const IpAddress *address) {
        static const char *const ranges[] = {
                "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/9", "ff00::/8",
        };

        for (size_t i = 0; i < ELEMENTSOF(ranges); i++) {
                IpSubnet range;

                if (ip_parse_subnet(ranges[i], &range) >= 0 && ip_contains(&range, address))
                        return true;
        }
        return false;
}

static int hex_value(char c) {
        return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

int ip_parse_mac(const char *text, uint8_t ret[static 6]) {
        uint8_t mac[6], any = 0;

        for (size_t i = 0; i < 6; i++, text += 3) {
                int high = hex_value(text[0]), low = high < 0 ? -1 : hex_value(text[1]);

                if (low < 0)
                        return -EINVAL;
                if (i < 5 ? text[2] != ':' && text[2] != '-' : text[2] != '\0')
                        return -EINVAL;
                mac[i] = (uint8_t) (high << 4 | low);
                any |= mac[i];
        }
        if (any == 0 || (mac[0] & 1))
                return -EINVAL;
        (void) memcpy(ret, mac, sizeof(mac));
        return 0;
}
