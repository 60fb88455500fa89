/* SPDX-License-Identifier: Apache-2.0 */
/* What may pass through the router's namespace: one nftables ruleset (nft(8)) for all networks that are in use. */
#pragma once

#include "net/guard.h"

/* The ruleset as text (owned; NULL: out of memory): replaces what was there as a whole.
 *   - between networks and the outside: out is masqueraded; in comes only what sdpod-net brings for published ports, and answers;
 *   - an internal network reaches nothing but itself and its resolver, and nothing reaches it;
 *   - isolated networks do not reach each other; one with isolate=strict reaches no other at all;
 *   - what claims to come from another network than it does is dropped, and on a bridge what claims to come from another container
 *     (net/guard.h);
 *   - of the router itself containers reach the resolver and echo;
 *   - nobody has more connections at a time than his network allows. */
enum {
        ROUTER_CONNECTIONS = 4096, /* of one address at a time, unless the network says otherwise (connections=) */
        ROUTER_LOG_GROUP = 29540,  /* where the kernel says who has as many (nfnetlink_log) */
};

typedef struct RouterRules {
        const NetworkConfig *const *networks;
        size_t n_networks;
        const GuardContainer *containers;
        size_t n_containers;
        bool without_guard; /* the kernel cannot look at frames on a bridge, */
        bool without_quota; /* nor count connections */
} RouterRules;

char *router_rules_text(const RouterRules *rules);

/* Has the program sdpod-rules put it into the kernel, whole or not at all. */
int router_rules_apply(const Router *router, const RouterRules *rules, Error *reterr);
