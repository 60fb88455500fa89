/* SPDX-License-Identifier: Apache-2.0 */
/* --sdnotify=container where the container's root is the machine's.
 *
 * Theory of operation: systemd believes what a service's processes say of themselves, but who is root may name any process of the machine
 * as the service's main one (MAINPID=), which is then killed when the unit is stopped. A container's root that is nobody outside has the
 * manager's own socket. One that is root outside, too, has a socket of ours: a process beside the container, which ends with it, passes on
 * what a service may say of itself, in the name of the container's init. */
#pragma once

#include "ns/idmap.h"
#include "state/container.h"

bool notify_relay_is_needed(const UserMap *map);

/* The socket, and its path on the host (owned by the caller). */
int notify_relay_open(const Store *store, Container *container, char **ret_path, int *ret_fd, Error *reterr);

/* Before the container's program runs: lets a process read the socket. Nothing where there is none (-EBADF). */
int notify_relay_begin(const Store *store, const Container *container, int fd, Error *reterr);

/* That process, the internal verb `__notify ID` with the socket as standard input. */
int notify_relay_run(const Container *container, Error *reterr);
