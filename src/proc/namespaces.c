/* SPDX-License-Identifier: Apache-2.0 */
/* Entering namespaces that somebody else has made.
 *
 * Theory of operation. The starter cannot enter them itself: it would not get out again. A process in between, the joiner,
 * enters them (the user namespace first, which gives it the capabilities for the others) and clones the init, which is the
 * starter's child (CLONE_PARENT) or is left to the subreaper. A PID namespace holds for children only, so the joiner itself is
 * seen by nobody in there; the init is, and so is not dumpable from its first moment. */
#include "proc/namespaces.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/wire.h"
#include "proc/credentials.h"

void namespace_plan_done(NamespacePlan *plan) {
        for (size_t i = 0; i < plan->n_joins; i++) {
                (void) fd_close(plan->joins[i].fd);
                free(plan->joins[i].what);
        }
        (void) fd_close(plan->cgroup.fd);
        free(plan->cgroup.what);
        (void) fd_close(plan->shm_fd);
}

static int enter(const NamespacePlan *plan, Error *reterr) {
        for (size_t i = 0; i < plan->n_joins; i++)
                if (setns(plan->joins[i].fd, plan->joins[i].flags) < 0) {
                        int r = error_set_errno(reterr, -errno, "cannot join %s", plan->joins[i].what);

                        if (r == -EPERM)
                                error_hint(reterr, "all namespaces that are joined must belong to one user namespace, and that to this user");
                        return r;
                }
        return 0;
}

_noreturn_ static void run_joiner(const ProcPlan *plan, struct clone_args args, int (*function)(void *data), void *data, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        bool joins = plan->namespaces.n_joins > 0;
        int pidfd = -EBADF, r = joins ? oom_score_apply(plan->config->oom_score_adj, &error) : 0;

        if (r >= 0 && joins && prctl(PR_SET_DUMPABLE, 0) < 0)
                r = error_set_errno(&error, -errno, "cannot protect the container's process");
        if (r >= 0)
                r = enter(&plan->namespaces, &error);
        if (r >= 0) {
                args.flags |= CLONE_PIDFD | (plan->orphan ? 0 : CLONE_PARENT);
                args.pidfd = (uint64_t) (uintptr_t) &pidfd;
                args.exit_signal = plan->orphan ? SIGCHLD : 0; /* clone3(2): with CLONE_PARENT it is the cloning process's */
                long pid = syscall(SYS_clone3, &args, sizeof(args));

                if (pid == 0) {
                        (void) fd_close(socket);
                        _exit(function(data));
                }
                r = pid < 0 ? error_set_errno(&error, -errno, "cannot make the container's namespaces") : (int) pid;
        }
        (void) wire_send_result_fd(socket, r, &error, pidfd);
        _exit(0);
}

int namespaces_clone_inside(const ProcPlan *plan, const struct clone_args *args, int (*function)(void *data), void *data,
                            int *ret_pidfd, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        pid_t joiner = fork();
        if (joiner == 0) {
                (void) fd_close(pair[0]);
                run_joiner(plan, *args, function, data, pair[1]);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (joiner < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        int r = wire_receive_result_fd(fd, ret_pidfd, reterr);
        (void) process_reap(joiner);
        return r;
}

/* ---- what else is shared ---- */

typedef struct Tmpfs {
        int pidfd;
        bool own_user_namespace;
        const char *path;
} Tmpfs;

static int clone_tmpfs(const void *data, Error *reterr) {
        const Tmpfs *there = data;
        struct statfs fs;

        if (setns(there->pidfd, CLONE_NEWNS | (there->own_user_namespace ? CLONE_NEWUSER : 0)) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the container");
        _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int directory = root < 0 ? -errno : path_open_beneath(root, there->path + 1, O_PATH | O_DIRECTORY, 0);
        if (directory < 0)
                return error_set_errno(reterr, directory, "cannot open its '%s'", there->path);
        if (fstatfs(directory, &fs) < 0)
                return error_set_errno(reterr, -errno, "cannot open its '%s'", there->path);
        if (fs.f_type != TMPFS_MAGIC)
                return error_set(reterr, -EPERM, ERROR_DENIED, "its '%s' is not a tmpfs", there->path);
        int tree = open_tree(directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return tree < 0 ? error_set_errno(reterr, -errno, "cannot clone its '%s'", there->path) : tree;
}

int namespaces_clone_tmpfs(int pidfd, bool own_user_namespace, const char *path, Error *reterr) {
        return wire_ask_fd(clone_tmpfs, &(Tmpfs){ pidfd, own_user_namespace, path }, reterr);
}
