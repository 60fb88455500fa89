/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says to its manager, and what it got from it: sd_notify(3), sd_listen_fds(3), as far as we use them. */
#pragma once

#include <stdint.h>

#include "base/macro.h"
#include "base/notify.h"

/* Waits until the manager has read all that was sent before (systemd 246). -ETIMEDOUT. */
int notify_barrier(uint64_t timeout_usec);

/* How many descriptors from 3 on are sockets that this process was started for; they get O_CLOEXEC. */
int notify_listen_fds(void);

