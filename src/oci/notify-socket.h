/* SPDX-License-Identifier: Apache-2.0 */
/* A service's READY=1 from inside the container to whoever started us: sd_notify(3) over a socket of the container's own. */
#pragma once

#include "oci/state.h"

/* Where $NOTIFY_SOCKET is set: a directory of the container's state for the socket, and in the spec a mount of it and the
 * variable. */
int notify_socket_prepare(const OciRoot *root, const OciContainer *container, RuntimeSpec *spec, Error *reterr);

/* Binds the socket, before the container goes on. *ret stays -EBADF where nobody waits for it. */
int notify_socket_open(const OciContainer *container, int *ret, Error *reterr);

/* Takes one message; 1: it said READY=1, which has been passed on, with the ID of the main process where that is not ourselves (0). */
int notify_socket_take(int fd, pid_t main_pid);

/* Takes messages until it is ready or the process has ended. */
int notify_socket_wait(int fd, const OciContainer *container, Error *reterr);
