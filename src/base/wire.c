/* SPDX-License-Identifier: Apache-2.0 */
/* A result and its error over a socket between a process and its child: same program, same layout. */
#include "base/wire.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"

typedef struct WireResult {
        int32_t result, code, kind;
        char message[1600], hint[400];
} WireResult;

int wire_send_result_fd(int socket, int result, const Error *error, int fd) {
        WireResult wire = { .result = result };

        if (result < 0 && error) {
                wire.code = error->code ?: result;
                wire.kind = (int32_t) error->kind;
                (void) snprintf(wire.message, sizeof(wire.message), "%s", error->message ?: strerror(-result));
                (void) snprintf(wire.hint, sizeof(wire.hint), "%s", error->hint ?: "");
        }
        return io_send_fds(socket, &wire, sizeof(wire), &fd, fd >= 0 ? 1 : 0);
}

int wire_receive_result_fd(int socket, int *ret_fd, Error *reterr) {
        WireResult wire;
        int fd = -EBADF;
        size_t n_fds = 1;

        ssize_t n = io_receive_fds(socket, &wire, sizeof(wire), &fd, &n_fds);
        if (n_fds == 0 || n < 0)
                fd = -EBADF;
        if (n < 0)
                return error_set_errno(reterr, (int) n, "cannot hear from a helper process");
        if (n != sizeof(wire)) {
                (void) fd_close(fd);
                return error_set(reterr, -EPIPE, ERROR_INTERNAL, "a helper process ended before it was done");
        }
        wire.message[sizeof(wire.message) - 1] = wire.hint[sizeof(wire.hint) - 1] = 0;
        if (wire.result < 0) {
                (void) error_set(reterr, wire.code < 0 ? wire.code : wire.result, (ErrorKind) wire.kind, "%s", wire.message);
                if (*wire.hint)
                        error_hint(reterr, "%s", wire.hint);
        }
        if (ret_fd)
                *ret_fd = fd;
        else
                (void) fd_close(fd);
        return wire.result;
}

int wire_send_result(int socket, int result, const Error *error) {
        return wire_send_result_fd(socket, result, error, -EBADF);
}

int wire_receive_result(int socket, Error *reterr) {
        return wire_receive_result_fd(socket, /* ret_fd= */ NULL, reterr);
}

int wire_ask_fd(int (*function)(const void *data, Error *reterr), const void *data, Error *reterr) {
        int pair[2], answer = -EBADF;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid == 0) {
                _cleanup_error_ Error error = ERROR_NULL;
                int fd = function(data, &error);

                (void) wire_send_result_fd(theirs, fd < 0 ? fd : 0, &error, fd);
                _exit(0);
        }
        theirs = fd_close(theirs);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a helper");
        int r = wire_receive_result_fd(ours, &answer, reterr);
        (void) process_reap(pid);
        return r < 0 ? r : answer;
}
