/* SPDX-License-Identifier: Apache-2.0 */
/* Making networks. */
#pragma once

#include "state/network.h"

/* Completes what was asked for and writes it down: a name and an interface's name where there are none, subnets that overlap neither
 * another network nor an address of the host (and, where we choose, no route of it either), gateways, the ID. `driver` NULL is
 * "bridge"; names of options are checked. -EEXIST: there is one of that name. */
int engine_network_create(const Store *store, NetworkConfig *config, Error *reterr);
