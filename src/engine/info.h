/* SPDX-License-Identifier: Apache-2.0 */
/* What sdpod found on this machine and what it does therefore: the host and store parts of `info`, with Podman's names. */
#pragma once

#include "base/json.h"
#include "state/store.h"

/* An object with "host" and "store". `wanted_driver` is --storage-driver, or NULL. What cannot be found out is left out;
 * only a store that cannot be read is an error. */
int engine_info(const Store *store, const char *wanted_driver, json_t **ret, Error *reterr);
