/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output of a container in the background goes: pipes (or a terminal) whose other ends the monitor takes over. */
#pragma once

#include "engine/pipes.h"
#include "proc/proc.h"
#include "state/container.h"

typedef struct Output {
        const Store *store;
        Pipes pipes;
} Output;

#define OUTPUT_NULL ((Output){ .pipes = PIPES_NULL })

void output_done(Output *output);
#define _cleanup_output_ _cleanup_(output_done)

/* Decides driver and path of the log, by the options or the default of where it runs (container->state). */
int output_decide_log(const Store *store, Container *container, bool foreground, Error *reterr);

/* --log-opt max-size=; 0 where it was not given. */
int output_max_size(const ContainerConfig *config, uint64_t *ret, Error *reterr);

/* Decides the log and makes the pipes. */
int output_prepare(const Store *store, Container *container, Output *ret, Error *reterr);

/* For StartOptions.created: gives the monitor what it reads. `data` is the Output. */
int output_hand_over(Container *container, Proc *proc, void *data, Error *reterr);

/* The argv of a monitor that stands alone with this container and runs `start`; its ready descriptor is number 3. */
int output_solo_command(const Store *store, const Container *container, char *const *start, char ***ret);

/* What such a monitor said on its ready descriptor: 0, or its error. */
int output_solo_answer(const char *answer, Error *reterr);
