/* SPDX-License-Identifier: Apache-2.0 */
/* Putting containers into networks and taking them out: of the record, and at once where the container runs. */
#pragma once

#include "state/container.h"

/* `wanted` says the network by name or ID, and is moved into the record. A container that does not run may be in it already;
 * of a running one that is -EEXIST. -EINVAL: its mode of network has none. */
int engine_network_connect(const Store *store, Container *container, ContainerNetwork *wanted, Error *reterr);

/* By name or ID. -ENOENT: there is no such network, or the container is not in it. */
int engine_network_disconnect(const Store *store, Container *container, const char *network, Error *reterr);

/* Brings back what a running container's network needs outside of it. */
int engine_network_reload(const Store *store, Container *container, Error *reterr);
