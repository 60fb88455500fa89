/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a relayed TCP connection: bytes from one socket's input to another's output.
 *
 * Theory of operation: little is read into a common buffer and sent from there: two calls, and a connection that waits holds no memory.
 * Once that buffer came back full the flow counts as bulk, and splice(2) moves its pages through a pipe without copying them. Pipes are
 * few and lent: a flow has one only while the sink has not taken what is in it. A flow that gets none keeps a rest in memory of its own.
 * Nothing is read that the sink would not take at once, as far as is known, so one that stopped reading holds one buffer or pipe, and the
 * pressure goes back to the peer by its own window. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PORT_FLOW_BUFFER = 64 * 1024,
        PORT_FLOW_BUDGET = 4 * 1024 * 1024, /* what one flow may move before it is another's turn */
        PORT_PIPES_MADE = 16,
        PORT_PIPES_KEPT = 4,
};

typedef struct PortPipe {
        int fds[2];
} PortPipe;

#define PORT_PIPE_NULL ((PortPipe){ .fds = { -EBADF, -EBADF } })

/* What all flows of a process share. */
typedef struct PortFlowShare {
        PortPipe pipes[PORT_PIPES_KEPT];
        size_t n_pipes;  /* free ones */
        size_t n_made;
        uint8_t *buffer; /* PORT_FLOW_BUFFER bytes */
} PortFlowShare;

/* One socket. The flags are what epoll(7) said, edge-triggered, until a call says otherwise. */
typedef struct PortEnd {
        int fd;
        bool readable, writable;
        bool hung_up; /* the other side has closed or will: a short read is not the last word */
} PortEnd;

typedef struct PortFlow {
        PortPipe pipe;   /* holds `held` bytes, where it is set */
        uint8_t *rest;   /* owned: holds them otherwise, from `begin` */
        size_t begin, held;
        bool bulk;
        bool ended;      /* the source has no more */
        bool shut;       /* and the sink was told */
} PortFlow;

#define PORT_FLOW_NULL ((PortFlow){ .pipe = PORT_PIPE_NULL })

int port_flow_share_init(PortFlowShare *share);
void port_flow_share_done(PortFlowShare *share);

/* Moves what can be moved now. 1: the budget is spent, and there may be more; 0: it waits for an event, or is `shut`; -errno: the
 * connection is broken. SIGPIPE must be ignored: splice(2) has no other way to be told. */
int port_flow_move(PortFlow *flow, PortEnd *from, PortEnd *to, PortFlowShare *share);

void port_flow_done(PortFlow *flow, PortFlowShare *share);
