/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing away what killed commands left. */
#pragma once

#include "state/container.h"

/* Goes through the marks that nobody holds (state/pending.h): records that never got a name or have lost it are removed, and
 * containers that would have removed themselves. Failures are only logged: this is not what the command was asked for. */
void engine_collect(const Store *store);

/* Whether a container would have removed itself, and nothing runs of it, and no command is in charge. */
bool engine_is_leftover(const Store *store, const Container *container);
