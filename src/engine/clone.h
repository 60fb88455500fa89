/* SPDX-License-Identifier: Apache-2.0 */
/* Another container like one that is there. */
#pragma once

#include "state/container.h"

/* What engine_create() is to make of it: the record of `source` without what is its alone: name, ID, anonymous volumes, the range of
 * --userns=auto, the unit it was made for. `name` NULL: one is made from the source's; `image` NULL: the source's. */
int engine_clone_config(const Store *store, const ContainerConfig *source, const char *name, const char *image, ContainerConfig *ret,
                        Error *reterr);
