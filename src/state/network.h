/* SPDX-License-Identifier: Apache-2.0 */
/* Networks on disk: networks/NAME is the record. The default one needs none. */
#pragma once

#include "spec/network.h"
#include "state/store.h"

/* By its exact name; -ENOENT with ERROR_NOT_FOUND. What stands in the record has been checked (network_config_check()). */
int network_load(const Store *store, const char *name, NetworkConfig *ret, Error *reterr);

/* By name, ID, or a prefix of the ID that only one has. */
int network_open(const Store *store, const char *name_or_id, NetworkConfig *ret, Error *reterr);

/* All names, sorted, with the default one; a vector. */
int network_list(const Store *store, char ***ret, Error *reterr);

/* Held by who makes, changes or removes a network: names, subnets and interfaces are compared with the others' under it. Comes
 * after a container's lock. A descriptor. */
int network_lock(const Store *store, Error *reterr);

/* Writes a record, which must be right; the lock is held. network_create() makes it under a fresh ID: -EEXIST where there is one. */
int network_create(const Store *store, NetworkConfig *config, Error *reterr);
int network_save(const Store *store, const NetworkConfig *config, Error *reterr);

/* Removes a record; the lock is held. Whether a container is in it is the caller's business. */
int network_remove(const Store *store, const NetworkConfig *config, Error *reterr);
