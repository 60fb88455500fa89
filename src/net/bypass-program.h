/* SPDX-License-Identifier: Apache-2.0 */
/* The order of sdpod-bypass's life. */
#pragma once

#include "net/bypass-route.h"

typedef struct BypassProgram {
        int listen_fd, init_pidfd, ready_fd, userns_fd; /* see bypass-helper.h; taken over */
        BypassGateways gateways;
        struct in_addr source4;
        struct in6_addr source6;
} BypassProgram;

/* Says on ready_fd that it is ready, or why not (base/wire.h), and serves. Returns the exit status. */
int bypass_program_run(BypassProgram *program);
