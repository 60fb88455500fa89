/* SPDX-License-Identifier: Apache-2.0 */
/* A process that makes workers. */
#include "image/nursery.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "image/archive-library.h"
#include "image/sandbox.h"
#include "ns/userns.h"

#define NURSERY_SMALL "small" /* stays empty */

enum { FD_RESULT, FD_IN, FD_OUT, FD_ROOT /* only to the common worker */, FDS_MAX };

typedef struct Order {
        WorkerTask task;
        uint64_t offset, size, size_limit;
        bool has_out, small, large;
        char path[NURSERY_PATH_SIZE];
} Order;

static WorkerJob order_job(const Order *order, const int *fds) {
        return (WorkerJob){ .task = order->task, .in_fd = fds[FD_IN], .offset = order->offset, .size = order->size, .dir_fd = -EBADF,
                            .out_fd = order->has_out ? fds[FD_OUT] : -EBADF, .size_limit = order->size_limit, .large = order->large };
}

/* The capability that leaves a chroot(2) goes with the rest, and no descriptor of a directory comes along. */
static int change_root(const char *path) {
        return chdir(path) < 0 || chroot(".") < 0 ? -errno : 0;
}

_noreturn_ static void worker_main(const Order *order, const UserMap *map, const int *fds) {
        int socket = fds[FD_RESULT];
        WorkerJob job = order_job(order, fds);

        (void) signal(SIGCHLD, SIG_DFL);
        if (worker_keep_fds(&job, &socket) < 0 || change_root(order->path) < 0)
                _exit(1);
        worker_serve(&job, map, socket);
}

static bool take_order(int socket, Order *ret, int fds[static FDS_MAX], size_t *ret_n) {
        *ret_n = FDS_MAX;
        if (io_receive_fds(socket, ret, sizeof(*ret), fds, ret_n) != sizeof(*ret) || *ret_n < (ret->has_out ? FD_OUT + 1U : FD_IN + 1U))
                return false;
        ret->path[sizeof(ret->path) - 1] = 0;
        return true;
}

static void close_all(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void) fd_close(fds[i]);
}

/* The common worker of the small layers. */
_noreturn_ static void small_main(uint64_t size_limit, const UserMap *map, int socket) {
        int fds[FDS_MAX];
        Order order;
        size_t n;

        if (fd_keep(&(int *){ &socket }, 1) < 0 || (mkdir(NURSERY_SMALL, 0700) < 0 && errno != EEXIST) || change_root(NURSERY_SMALL) < 0 ||
            worker_lock(size_limit, /* reterr= */ NULL) < 0)
                _exit(1);
        while (take_order(socket, &order, fds, &n) && n == FDS_MAX) {
                const WorkerJob job = order_job(&order, fds);
                _cleanup_fd_ int root = openat(fds[FD_ROOT], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (root >= 0)
                        worker_unpack(&job, map, root, fds[FD_RESULT]);
                close_all(fds, n);
        }
        _exit(0);
}

/* A socket to it, made when it is first needed. */
static int small_start(uint64_t size_limit, const UserMap *map) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                small_main(size_limit, map, theirs);
        return TAKE_FD(ours);
}

/* The tree of one layer goes to the common worker as the root of a mount of its own, from which no ".." leads out: the worker may keep
 * it, and who uses the layer later must not find a link to elsewhere in its place. */
static void pass_on(int small_fd, const Order *order, int fds[static FDS_MAX], size_t *n) {
        int tree = *n == FD_ROOT ? (int) syscall(SYS_open_tree, AT_FDCWD, order->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : -EBADF;

        if (tree < 0)
                return;
        fds[(*n)++] = tree;
        (void) io_send_fds(small_fd, order, sizeof(*order), fds, *n);
}

/* Whatever goes wrong here is seen by a socket for a result that nobody has any more. */
static void serve(int socket, const UserMap *map, int *small_fd) {
        int fds[FDS_MAX];
        Order order;
        size_t n;

        if (!take_order(socket, &order, fds, &n))
                _exit(0); /* the parent has gone */
        if (order.small && *small_fd < 0)
                *small_fd = small_start(order.size_limit, map);
        if (order.small)
                pass_on(*small_fd, &order, fds, &n);
        else if (process_fork_bound(SIGKILL) == 0)
                worker_main(&order, map, fds);
        close_all(fds, n);
}

_noreturn_ static void nursery_main(int dir_fd, const UserMap *map, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        int small_fd = -EBADF;

        pid_t parent = getppid();
        int r = fchdir(dir_fd) < 0 ? error_set_errno(&error, -errno, "cannot make the sandbox") : archive_library_load(&error);
        if (r >= 0)
                r = userns_enter(map, WORKER_NAMESPACES, &error);
        if (r >= 0 && (r = fd_keep(&(int *){ &socket }, 1)) < 0)
                (void) error_set_errno(&error, r, "cannot make the sandbox");
        if (r >= 0)
                r = sandbox_change_root(&error);
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of IDs has reset it (prctl(2)) */
        if (getppid() != parent)
                _exit(1);
        (void) signal(SIGCHLD, SIG_IGN);
        if (wire_send_result(socket, r, &error) < 0 || r < 0)
                _exit(1);
        for (;;)
                serve(socket, map, &small_fd);
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

int nursery_start_worker(Nursery *nursery, const WorkerJob *job, bool small, const char *path, Worker *ret, Error *reterr) {
        Order order = { .task = job->task, .offset = job->offset, .size = job->size, .size_limit = job->size_limit,
                        .has_out = job->out_fd >= 0, .small = small, .large = job->large };
        int pair[2];

        if (!nursery->ready) {
                int r = wire_receive_result(nursery->socket, reterr);

                if (r < 0)
                        return r;
                nursery->ready = true;
        }
        assert(strlen(path) < sizeof(order.path) && (!small || order.has_out));
        (void) snprintf(order.path, sizeof(order.path), "%s", path);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start a worker");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        const int fds[FD_OUT + 1] = { [FD_RESULT] = theirs, [FD_IN] = job->in_fd, [FD_OUT] = job->out_fd };
        int r = io_send_fds(nursery->socket, &order, sizeof(order), fds, order.has_out ? FD_OUT + 1 : FD_IN + 1);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start a worker");
        *ret = (Worker){ .socket = TAKE_FD(ours), .common = small };
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
