/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says to its manager: sd_notify(3) without its library. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Sends "MAINPID=...", "READY=1" to $NOTIFY_SOCKET. 1: sent; 0: there is none. */
int notify_send(const char *text);

/* The same with descriptors. */
int notify_send_fds(const char *text, const int *fds, size_t n);

/* The same in the name of another process, which takes CAP_SYS_ADMIN (unix(7), SCM_CREDENTIALS). */
int notify_send_as(const char *text, pid_t pid);
