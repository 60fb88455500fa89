/* SPDX-License-Identifier: Apache-2.0 */
/* Starting sdpod-net: what the engine needs of it, without libslirp. */
#pragma once

#include <sys/types.h>

#include "net/net-config.h"

typedef struct NetHelperRequest {
        const NetConfig *config;
        const char *program; /* absolute path; NULL: the installed sdpod-net */
        int userns_fd, netns_fd; /* its namespaces, where it is not of our own ID and so cannot be entered by its pidfd
                                  * (setns(2) asks ptrace(2)); -EBADF: by the pidfd */
        int control_fd;      /* of a router's: what it hears requests on (net/program.h), with a netns_fd; -EBADF: none */
        int init_pidfd;      /* a process in the container's user and network namespaces; the network ends with it */
} NetHelperRequest;

typedef struct NetHelper {
        pid_t pid;
        int pidfd, ready_fd; /* owned */
} NetHelper;

#define NET_HELPER_NULL ((NetHelper){ .pidfd = -EBADF, .ready_fd = -EBADF })

/* Checks the config and starts the program in the caller's cgroup, as a child, in a session of its own; it goes on after
 * the caller. The network is not there yet: go on with other work, then net_helper_wait_ready(). */
int net_helper_start(const NetHelperRequest *request, NetHelper *ret, Error *reterr);

/* Waits until the container's network works (poll(2) on ready_fd says when it will not block). Gives the published ports
 * as bound, chosen ones filled in (free with net_ports_free(); may be NULL with `ret_n_ports`). On failure the error is
 * the program's own, with its kind and hint, and it is reaped. */
int net_helper_wait_ready(NetHelper *helper, NetPort **ret_ports, size_t *ret_n_ports, Error *reterr);

/* Closes the descriptors. The program runs on. */
void net_helper_done(NetHelper *helper);
#define _cleanup_net_helper_ _cleanup_(net_helper_done)
