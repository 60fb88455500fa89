/* SPDX-License-Identifier: Apache-2.0 */
/* What `init` does: all of a start that needs no process. */
#pragma once

#include "state/container.h"

/* Looks up and opens all that a start needs, writes the files for /etc, and notes that the container is initialized. -EBUSY
 * (ERROR_STATE): it runs. */
int engine_prepare(const Store *store, Container *container, const char *storage_driver, Error *reterr);
