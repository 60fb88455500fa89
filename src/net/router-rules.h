/* SPDX-License-Identifier: Apache-2.0 */
/* What may pass through the router's namespace: one nftables ruleset (nft(8)) for all networks that are in use. */
#pragma once

#include "net/plumb.h"

/* The ruleset as text (owned; NULL: out of memory): replaces what was there as a whole.
 *   - between networks and the outside: out is masqueraded; in comes only what sdpod-net brings for published ports, and answers;
 *   - an internal network reaches nothing but itself and its resolver, and nothing reaches it;
 *   - isolated networks do not reach each other; one with isolate=strict reaches no other at all;
 *   - what claims to come from another network than it does is dropped;
 *   - of the router itself containers reach the resolver and echo. */
char *router_rules_text(const NetworkConfig *const *networks, size_t n_networks);

/* Has the program sdpod-rules put it into the kernel, whole or not at all. */
int router_rules_apply(const Router *router, const NetworkConfig *const *networks, size_t n_networks, Error *reterr);
