/* SPDX-License-Identifier: Apache-2.0 */
/* libslirp between the tap and the host's sockets, and what goes past it; runs until the container's init ends. */
#pragma once

#include "net/dns-source.h"
#include "net/port-bind.h"
#include "net/tap.h"

typedef struct SlirpLoop SlirpLoop;

/* Makes the stack. It borrows the config and the addresses. `connector_fd` is taken over and serves published TCP ports
 * (net/port-relay.h); -EBADF: there will be none. SIGPIPE must be ignored. */
int slirp_loop_new(const NetConfig *config, const NetAddresses *addresses, int connector_fd, SlirpLoop **ret, Error *reterr);
SlirpLoop *slirp_loop_free(SlirpLoop *loop);
DEFINE_CLEANUP(SlirpLoop, slirp_loop_free)

/* Publishes a port on sockets that are bound already, and takes them over. */
int slirp_loop_publish(SlirpLoop *loop, const NetPort *port, PortSockets *sockets, Error *reterr);

/* A router's: what is told over `fd` (net/router-control.h) is done while the loop runs. Borrowed. */
void slirp_loop_set_control(SlirpLoop *loop, int fd);

/* Takes the tap over. After the limits are set, before the sandbox is locked. */
void slirp_loop_attach(SlirpLoop *loop, Tap *tap);

/* The DNS source is refreshed as queries pass; borrowed. */
void slirp_loop_set_dns(SlirpLoop *loop, DnsSource *dns);

/* Returns 0 once the process behind `init_pidfd` has ended, -errno if the loop cannot go on. */
int slirp_loop_run(SlirpLoop *loop, int init_pidfd);
