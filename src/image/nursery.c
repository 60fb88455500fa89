/* SPDX-License-Identifier: Apache-2.0 */
/* A process that makes workers. */
#include "image/nursery.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "image/sandbox.h"
#include "ns/userns.h"

enum { FD_RESULT, FD_IN, FD_OUT, FDS_MAX };

typedef struct Order {
        WorkerTask task;
        uint64_t offset, size, size_limit;
        bool has_out;
        char path[NURSERY_PATH_SIZE];
} Order;

_noreturn_ static void worker_main(const Order *order, const UserMap *map, const int *fds) {
        int socket = fds[FD_RESULT];
        WorkerJob job = { .task = order->task, .in_fd = fds[FD_IN], .offset = order->offset, .size = order->size, .dir_fd = -EBADF,
                          .out_fd = order->has_out ? fds[FD_OUT] : -EBADF, .size_limit = order->size_limit };

        (void) signal(SIGCHLD, SIG_DFL);
        /* the capability that leaves a chroot(2) goes with the rest, and no descriptor of a directory comes along */
        if (worker_keep_fds(&job, &socket) < 0 || chdir(order->path) < 0 || chroot(".") < 0)
                _exit(1);
        worker_serve(&job, map, socket);
}

static void take_order(int socket, const UserMap *map) {
        int fds[FDS_MAX] = { -EBADF, -EBADF, -EBADF };
        size_t n = ELEMENTSOF(fds);
        Order order;

        ssize_t size = io_receive_fds(socket, &order, sizeof(order), fds, &n);
        if (size != sizeof(order) || n != (order.has_out ? FDS_MAX : FDS_MAX - 1U))
                _exit(0); /* the parent has gone */
        order.path[sizeof(order.path) - 1] = 0;
        if (process_fork_bound(SIGKILL) == 0)
                worker_main(&order, map, fds);
        /* a fork(2) that failed is seen by the socket that nobody has any more */
        for (size_t i = 0; i < n; i++)
                (void) fd_close(fds[i]);
}

_noreturn_ static void nursery_main(int dir_fd, const UserMap *map, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        WorkerJob none = { .in_fd = -EBADF, .out_fd = -EBADF };

        pid_t parent = getppid();
        int r = fchdir(dir_fd) < 0 ? -errno : worker_keep_fds(&none, &socket);
        if (r < 0)
                (void) error_set_errno(&error, r, "cannot make the sandbox");
        else
                r = userns_enter(map, WORKER_NAMESPACES, &error);
        if (r >= 0)
                r = sandbox_change_root(&error);
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of IDs has reset it (prctl(2)) */
        if (getppid() != parent)
                _exit(1);
        (void) signal(SIGCHLD, SIG_IGN);
        if (wire_send_result(socket, r, &error) < 0 || r < 0)
                _exit(1);
        for (;;)
                take_order(socket, map);
}

int nursery_start(int dir_fd, const UserMap *map, Nursery *ret, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        if (pid == 0)
                nursery_main(dir_fd, map, theirs);
        *ret = (Nursery){ .pid = pid, .socket = TAKE_FD(ours) };
        return 0;
}

int nursery_start_worker(Nursery *nursery, const WorkerJob *job, const char *path, Worker *ret, Error *reterr) {
        Order order = { .task = job->task, .offset = job->offset, .size = job->size, .size_limit = job->size_limit,
                        .has_out = job->out_fd >= 0 };
        int pair[2];

        if (!nursery->ready) {
                int r = wire_receive_result(nursery->socket, reterr);

                if (r < 0)
                        return r;
                nursery->ready = true;
        }
        assert(strlen(path) < sizeof(order.path));
        (void) snprintf(order.path, sizeof(order.path), "%s", path);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        const int fds[FDS_MAX] = { [FD_RESULT] = theirs, [FD_IN] = job->in_fd, [FD_OUT] = job->out_fd };
        int r = io_send_fds(nursery->socket, &order, sizeof(order), fds, order.has_out ? FDS_MAX : FDS_MAX - 1);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start a worker");
        *ret = (Worker){ .socket = TAKE_FD(ours) };
        return 0;
}

void nursery_done(Nursery *nursery) {
        (void) fd_close(nursery->socket);
        if (nursery->pid > 0) {
                (void) kill(nursery->pid, SIGKILL); /* not reaped yet, so the number is still its own */
                (void) process_reap(nursery->pid);
        }
        *nursery = NURSERY_NULL;
}

void nursery_worker_wait_gone(Worker *worker) {
        char byte;

        while (worker->socket >= 0 && RETRY_EINTR(recv(worker->socket, &byte, sizeof(byte), 0)) > 0)
                ;
        worker_done(worker);
}
