/* SPDX-License-Identifier: Apache-2.0 */
/* A network process that ended before its container, and what comes in its place. */
#pragma once

#include "state/container.h"

#define NETWORK_DOWN_TEXT "the network is down: its process has ended"

/* Whether the container runs, has a network process on record, and that has ended. */
bool network_is_down(const Container *container);

/* argv of the command that the monitor runs then: `sdpod __network-restart ID`. Owned vector; 0 or -errno. */
int network_restart_command(const Store *store, const char *id, char ***ret);

/* Starts sdpod-net again for a running container whose own has ended, with the ports that it had, and puts it on record.
 * 0 also where there is nothing to do: the container has ended, its network process lives, or it has none. The container
 * must not be locked. */
int network_restart(const Store *store, Container *container, Error *reterr);

/* Who waits for a container in the foreground watches its network process, too, which is its child. */
typedef struct NetworkGuard {
        const Store *store;
        Container *container;
        int64_t since_usec;  /* of the last restart */
        unsigned n_quick;    /* how many in a row did not live long */
} NetworkGuard;

/* A pidfd of the network process; -EBADF: there is none. */
int network_guard_open(const NetworkGuard *guard);

/* For Relay.helper_ended; `data` is the guard. */
int network_guard_ended(void *data);
