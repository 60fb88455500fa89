/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which addresses may be reached. */
#include "net/reach.h"

bool reach_allows4(uint32_t address, ReachRules rules) {
        if (address >> 24 == 127)
                return rules.dns || rules.loopback;
        if (address >> 16 == 0xa9fe)
                return rules.dns;
        return address >> 24 != 0 && address >> 28 < 0xe;
}

bool reach_allows6(const struct in6_addr *address, ReachRules rules) {
        if (IN6_IS_ADDR_LOOPBACK(address))
                return rules.dns || rules.loopback;
        if (IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_SITELOCAL(address))
                return rules.dns;
        return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address) &&
               !IN6_IS_ADDR_MULTICAST(address);
}
