/* SPDX-License-Identifier: Apache-2.0 */
/* A result and its error over a SOCK_SEQPACKET socket between a process and the child it made. */
#pragma once

#include "base/error.h"

/* Sends a return value (0 or -errno, or a positive answer) with its error. One message. */
int wire_send_result(int socket, int result, const Error *error);

/* Receives one: returns the value and fills the error when it is negative. A peer that ended without a word is -EPIPE
 * with a message. */
int wire_receive_result(int socket, Error *reterr);

/* The same with one descriptor beside the result (-EBADF: none). */
int wire_send_result_fd(int socket, int result, const Error *error, int fd);
int wire_receive_result_fd(int socket, int *ret_fd, Error *reterr);

/* Runs `function` in a child, which ends with this process: for what a process does not come back from, such as entering
 * namespaces. What the function returns, a descriptor or -errno with its error, is what this returns. */
int wire_ask_fd(int (*function)(const void *data, Error *reterr), const void *data, Error *reterr);
