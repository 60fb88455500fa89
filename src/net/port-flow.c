/* SPDX-License-Identifier: Apache-2.0 */
/* Moves bytes between two sockets: by a buffer when they are few, by a pipe when they are many. */
#include "net/port-flow.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

enum {
        PIPE_SIZE = 1024 * 1024,
        BULK_MIN = 4 * 1024, /* less than this from a splice: the stream has become a trickle */
        SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK,
};

int port_flow_share_init(PortFlowShare *share) {
        *share = (PortFlowShare){ .buffer = malloc(PORT_FLOW_BUFFER) };
        return share->buffer ? 0 : -ENOMEM;
}

void port_flow_share_done(PortFlowShare *share) {
        while (share->n_pipes > 0) {
                share->n_pipes--;
                for (size_t i = 0; i < 2; i++)
                        (void) fd_close(share->pipes[share->n_pipes].fds[i]);
        }
        free(TAKE_PTR(share->buffer));
}

static void close_pipe(PortPipe *pipe, PortFlowShare *share) {
        for (size_t i = 0; i < 2; i++)
                pipe->fds[i] = fd_close(pipe->fds[i]);
        share->n_made--;
}

static bool borrow_pipe(PortPipe *pipe, PortFlowShare *share) {
        if (share->n_pipes > 0) {
                *pipe = share->pipes[--share->n_pipes];
                return true;
        }
        if (share->n_made == PORT_PIPES_MADE || pipe2(pipe->fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return false;
        /* a user has a limit on such pipes (pipe(7)); the default size is of use, too */
        (void) fcntl(pipe->fds[1], F_SETPIPE_SZ, PIPE_SIZE);
        share->n_made++;
        return true;
}

static void return_pipe(PortPipe *pipe, PortFlowShare *share) {
        if (share->n_pipes < PORT_PIPES_KEPT)
                share->pipes[share->n_pipes++] = *pipe;
        else
                close_pipe(pipe, share);
        *pipe = PORT_PIPE_NULL;
}

void port_flow_done(PortFlow *flow, PortFlowShare *share) {
        if (flow->pipe.fds[0] >= 0)
                close_pipe(&flow->pipe, share);
        free(TAKE_PTR(flow->rest));
        flow->held = 0;
}

/* The number of bytes; 0: not now, and the flag is down; -errno. */
static ssize_t taken(ssize_t n, bool *flag) {
        if (n >= 0)
                return n;
        if (errno == EINTR)
                return 0;
        if (errno != EAGAIN)
                return -errno;
        *flag = false;
        return 0;
}

/* Sends what is held. Returns 1 once nothing is, 0 where the sink must be waited for. */
static int flush_held(PortFlow *flow, PortEnd *to, PortFlowShare *share) {
        while (flow->held > 0) {
                ssize_t n;

                if (!to->writable)
                        return 0;
                if (flow->pipe.fds[0] >= 0)
                        n = splice(flow->pipe.fds[0], NULL, to->fd, NULL, flow->held, SPLICE_FLAGS);
                else
                        n = send(to->fd, flow->rest + flow->begin, flow->held, MSG_NOSIGNAL);
                n = taken(n, &to->writable);
                if (n < 0)
                        return (int) n;
                flow->held -= (size_t) n;
                flow->begin += (size_t) n;
        }
        if (flow->pipe.fds[0] >= 0)
                return_pipe(&flow->pipe, share);
        free(TAKE_PTR(flow->rest));
        return 1;
}

/* Returns the number of bytes read, 0 where there are none now or no more, -errno. */
static ssize_t read_bulk(PortFlow *flow, PortEnd *from, PortFlowShare *share) {
        ssize_t n = splice(from->fd, NULL, flow->pipe.fds[1], NULL, PIPE_SIZE, SPLICE_FLAGS);

        flow->ended = n == 0;
        n = taken(n, &from->readable);
        if (n > 0)
                flow->held = (size_t) n;
        else
                return_pipe(&flow->pipe, share);
        flow->bulk = n >= BULK_MIN;
        return n;
}

static ssize_t read_little(PortFlow *flow, PortEnd *from, PortEnd *to, PortFlowShare *share) {
        ssize_t n = recv(from->fd, share->buffer, PORT_FLOW_BUFFER, 0), sent;

        flow->ended = n == 0;
        n = taken(n, &from->readable);
        if (n <= 0)
                return n;
        flow->bulk = n == PORT_FLOW_BUFFER;
        /* edge-triggered: what comes after this read is an event again (epoll(7)) */
        if (!flow->bulk && !from->hung_up)
                from->readable = false;
        sent = taken(send(to->fd, share->buffer, (size_t) n, MSG_NOSIGNAL), &to->writable);
        if (sent < 0)
                return sent;
        flow->held = (size_t) (n - sent);
        if (flow->held > 0) {
                flow->rest = malloc(flow->held);
                if (!flow->rest)
                        return -ENOMEM;
                memcpy(flow->rest, share->buffer + sent, flow->held);
                flow->begin = 0;
        }
        return n;
}

int port_flow_move(PortFlow *flow, PortEnd *from, PortEnd *to, PortFlowShare *share) {
        size_t moved = 0;

        while (!flow->shut) {
                int r = flush_held(flow, to, share);
                if (r <= 0)
                        return r;
                if (flow->ended) {
                        flow->shut = true;
                        (void) shutdown(to->fd, SHUT_WR);
                        return 0;
                }
                if (!from->readable || !to->writable)
                        return 0;
                if (moved >= PORT_FLOW_BUDGET)
                        return 1;
                ssize_t n = flow->bulk && borrow_pipe(&flow->pipe, share) ? read_bulk(flow, from, share)
                                                                         : read_little(flow, from, to, share);
                if (n < 0)
                        return (int) n;
                moved += (size_t) n;
        }
        return 0;
}
