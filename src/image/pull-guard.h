/* SPDX-License-Identifier: Apache-2.0 */
/* The process that the user started, while a child of its own pulls: it hears the signals. At Ctrl-C the child and all that
 * it made are killed, whatever they wait for, and the stage is removed in the background; the command ends at once. */
#pragma once

#include "image/stage.h"

/* Calls `function` in a child and returns its result and error. A signal that ends the command ends this process by the same
 * signal, and the call does not return. */
int pull_guard_run(Stage *stage, int (*function)(void *data, Error *reterr), void *data, Error *reterr);
