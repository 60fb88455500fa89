/* SPDX-License-Identifier: Apache-2.0 */
/* --network, and the options that say more of the one network that it names. */
#pragma once

#include "base/option.h"
#include "spec/container.h"

typedef struct NetworkWords {
        char *ip, *ip6, *mac;
        char **aliases;
} NetworkWords;

#define OPTION_ROW_IP(type, member) \
        { "ip", .kind = OPTION_STRING, .offset = offsetof(type, member.ip), .metavar = "ADDRESS", .help = "IPv4 address in the network" }
#define OPTION_ROW_IP6(type, member) \
        { "ip6", .kind = OPTION_STRING, .offset = offsetof(type, member.ip6), .metavar = "ADDRESS", .help = "IPv6 address in the network" }
#define OPTION_ROW_MAC(type, member) \
        { "mac-address", .kind = OPTION_STRING, .offset = offsetof(type, member.mac), .metavar = "ADDRESS", \
          .help = "MAC address in the network" }
#define OPTION_ROW_ALIAS(type, member, option) \
        { option, .kind = OPTION_LIST, .offset = offsetof(type, member.aliases), .metavar = "NAME", \
          .help = "A further name of the container in its networks" }

/* none, host, private, slirp, slirp4netns[:OPTIONS], container:ID, ns:PATH, once; or bridge[:OPTIONS], NAME[,NAME...], NAME:OPTIONS,
 * after which further networks may come. Whether there are such networks is not looked at. */
int parse_network(ContainerConfig *config, const char *value, Error *reterr);

/* Adds what they say to one network, --network-alias to all. -EINVAL where the mode has none. */
int network_words_apply(const NetworkWords *words, ContainerConfig *config, Error *reterr);

/* The same for `network connect`. */
int network_words_apply_to(const NetworkWords *words, ContainerNetwork *network, Error *reterr);
