/* SPDX-License-Identifier: Apache-2.0 */
/* What a new router finds on record of containers that live from before it. */
#pragma once

#include "engine/router-wire.h"
#include "state/store.h"

/* The user namespace around one that lives and is on a bridge network. A descriptor; -ENOENT: there is none. */
int router_repair_userns(const Store *store);

/* All that live and are on bridge networks: for each what its starter would ask (owned), with its pidfd and network namespace. On failure
 * some are missing; those that were found are given. */
int router_repair_list(const Store *store, RouterRequest **ret_requests, int (**ret_fds)[2], size_t *ret_n);
