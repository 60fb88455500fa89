/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers are in which networks: read from the containers' records, so that no second record can disagree. */
#pragma once

#include "state/container.h"

typedef struct NetworkUser {
        char *network;             /* name */
        char *id, *name;           /* of the container */
        ContainerAttachment *at;   /* while it runs; owned */
} NetworkUser;

typedef struct NetworkUse {
        NetworkUser *items;
        size_t n;
} NetworkUse;

/* Of all networks. Containers that are being removed meanwhile are passed over; a record that cannot be read is an error, as it may
 * name any network. */
int network_use_read(const Store *store, NetworkUse *ret, Error *reterr);
void network_use_done(NetworkUse *use);
#define _cleanup_network_use_ _cleanup_(network_use_done)

/* Whether a container, running or not, is in the network. */
bool network_is_used(const NetworkUse *use, const char *network) _pure_;
