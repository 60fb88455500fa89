/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of sdpod-bypass. */
#pragma once

#include "net/bypass-connect.h"

/* Serves until the process behind `init_pidfd` has ended. `listen_fd` is a unix socket over which each process that enters the
 * container sends a message with two descriptors: the listener of its filter, and a routing socket of its network namespace. Returns
 * 0 or -errno. */
int bypass_loop_run(const BypassHost *host, int listen_fd, int init_pidfd);
