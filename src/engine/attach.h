/* SPDX-License-Identifier: Apache-2.0 */
/* Joining the output (and input) of a container that runs in the background, over its monitor. */
#pragma once

#include "state/container.h"

typedef struct AttachOptions {
        bool open_stdin;         /* our standard input goes to the container, where it takes any */
        bool sig_proxy;          /* signals that reach us are passed on */
        const char *detach_keys; /* bytes; NULL: none */
} AttachOptions;

/* Passes data and signals until the container ends, or somebody detaches. What was written before is in the log. *ret_exit_code
 * is that of the run, 0 after a detach. The container is not locked. */
int engine_attach(const Store *store, Container *container, const AttachOptions *options, int *ret_exit_code, Error *reterr);
