/* SPDX-License-Identifier: Apache-2.0 */
/* --timeout: a container that is killed when its time is over. */
#pragma once

#include "state/container.h"

/* After the start: lets a process watch it that ends with the container. Nothing where there is no time. */
int timeout_begin(const Store *store, Container *container, Error *reterr);

/* That process, the internal verb `__timeout ID`. */
int timeout_watch(const Store *store, Container *container, Error *reterr);

/* At the end: whether the time was over, once. The exit code is then -1, as Podman has it. */
bool timeout_was_over(const Store *store, Container *container);
