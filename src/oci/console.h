/* SPDX-License-Identifier: Apache-2.0 */
/* A container's terminal. */
#pragma once

#include "spec/runtime-spec.h"

/* Opens a terminal of the devpts whose directory is `pts_fd` by descriptors, so that nothing in /dev decides which one it is: only one
 * of the kernel's devpts is taken. Sized by consoleSize, without the translation of newlines (ONLCR), owned by the process's user. */
int oci_console_open(int pts_fd, const RuntimeProcess *process, int *ret_master, int *ret_console, Error *reterr);

/* Sends one descriptor with its name over a connected --console-socket or --pidfd-socket. */
int oci_console_send(int socket, int fd, const char *name, Error *reterr);
