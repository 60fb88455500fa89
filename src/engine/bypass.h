/* SPDX-License-Identifier: Apache-2.0 */
/* Outgoing connections by sockets of the host (docs/NETWORK.md): which containers have that, and their sdpod-bypass. */
#pragma once

#include "net/bypass-helper.h"
#include "proc/proc.h"
#include "state/container.h"

typedef struct Bypass {
        int listen_fd;
        BypassHelper helper;
} Bypass;

#define BYPASS_NULL ((Bypass){ .listen_fd = -EBADF, .helper = BYPASS_HELPER_NULL })

void bypass_done(Bypass *bypass);
#define _cleanup_bypass_ _cleanup_(bypass_done)

/* Decides by the options of the network that the container is in, and its own annotation, and fills the plan, whose map and
 * capabilities are there. What cannot have it is an error. */
int bypass_plan(const Store *store, const ContainerConfig *config, ProcPlan *plan, Error *reterr);

/* Starts its sdpod-bypass, where the plan says so, and puts that on record. Returns at once. */
int bypass_start(const Store *store, Container *container, const ProcPlan *plan, const Proc *proc, Bypass *ret, Error *reterr);

/* Waits until it serves. */
int bypass_wait(Bypass *bypass, Error *reterr);

/* Brings it a process that executes now: the init, or one of exec. Where it is gone, the process gets ENOSYS for its connections, as
 * the others of the container do. */
void bypass_bring(const Store *store, Container *container, Proc *proc);
