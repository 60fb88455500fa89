/* SPDX-License-Identifier: Apache-2.0 */
/* The starter's side of making a container's process.
 *
 * Theory of operation. One SOCK_SEQPACKET pair carries the whole handshake:
 *
 *      starter                                  init
 *      clone3()
 *      newuidmap, newgidmap  --- mapped ------>  becomes root of its namespace, mounts
 *      (cgroup)              --- placed ------>  cgroup namespace, the last mounts, pivot_root
 *      (network helper)
 *                            <-- created ------  with the terminal's master side, if there is one; or an error
 *      state is written      --- start ------->  identity, capabilities, seccomp, execve()
 *                            <-- (closed) -----  success: the socket is close-on-exec; or an error
 *
 * Each message is a WireResult (base/wire.h). The init exits when the starter goes away before `start`. */
#include "proc/proc.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/userns.h"

enum { END_TIMEOUT_USEC = 2000000 };

void proc_plan_done(ProcPlan *plan) {
        user_map_done(&plan->map);
        user_map_done(&plan->parent_view);
        (void) fd_close(plan->parent_userns_fd);
        strv_free(plan->rootfs.lower);
        free(plan->rootfs.upper);
        free(plan->rootfs.work);
        (void) fd_close(plan->rootfs.tree_fd);
        for (size_t i = 0; i < plan->n_mounts; i++) {
                free(plan->mounts[i].source);
                free(plan->mounts[i].destination);
                free(plan->mounts[i].data);
                (void) fd_close(plan->mounts[i].source_fd);
                (void) fd_close(plan->mounts[i].tree_fd);
        }
        free(plan->mounts);
        for (size_t i = 0; i < ELEMENTSOF(plan->namespaces.join_fds); i++)
                (void) fd_close(plan->namespaces.join_fds[i]);
        strv_free(plan->masked_paths);
        strv_free(plan->read_only_paths);
        strv_free(plan->args);
        strv_free(plan->env);
        seccomp_filter_done(&plan->seccomp);
        (void) fd_close(plan->cgroup_fd);
        *plan = PROC_PLAN_NULL;
}

MountPlan *proc_plan_add_mount(ProcPlan *plan) {
        MountPlan *mount = container_array_add((void **) &plan->mounts, &plan->n_mounts, sizeof(*mount));

        if (mount)
                mount->source_fd = mount->tree_fd = -EBADF;
        return mount;
}

void proc_done(Proc *proc) {
        bool waits = proc->sync_fd >= 0 && proc->pidfd >= 0;

        (void) fd_close(proc->sync_fd);
        if (waits) { /* it ends by itself when the socket closes, and then with the exit status that was asked for */
                if (process_wait_end(proc->pidfd, END_TIMEOUT_USEC) < 0)
                        (void) process_signal(proc->pidfd, SIGKILL);
                (void) process_reap(proc->pid);
        }
        (void) fd_close(proc->pidfd);
        (void) fd_close(proc->console_fd);
        *proc = PROC_NULL;
}

static int explain_clone(const ProcPlan *plan, int code, Error *reterr) {
        int r = error_set_errno(reterr, code, "cannot make the container's namespaces");

        if (!(plan->namespaces.flags & CLONE_NEWUSER))
                return r;
        if (code == -EPERM)
                (void) error_hint(reterr, "see sysctl kernel.unprivileged_userns_clone, "
                                          "kernel.apparmor_restrict_unprivileged_userns");
        else if (code == -ENOSPC || code == -EUSERS)
                (void) error_hint(reterr, "raise sysctl user.max_user_namespaces");
        return r;
}

static int join_namespaces(const NamespacePlan *plan, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(plan->join_fds) && plan->join_fds[i] >= 0; i++)
                if (setns(plan->join_fds[i], 0) < 0)
                        return error_set_errno(reterr, -errno, "cannot join a namespace");
        return 0;
}

_noreturn_ static void run_init(const ProcPlan *plan, int sync_fd) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (join_namespaces(&plan->namespaces, &error) < 0) {
                (void) wire_send_result(sync_fd, error.code, &error);
                _exit(1);
        }
        proc_init(plan, sync_fd);
}

/* The clone itself. In the child it does not return. The pid, or -errno. */
static pid_t clone_init(const ProcPlan *plan, const int sync[2], uint64_t flags, int *ret_pidfd) {
        struct clone_args args = {
                .flags = (uint64_t) plan->namespaces.flags | CLONE_PIDFD | flags,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = (flags & CLONE_PARENT) ? 0 : SIGCHLD,
        };

        if (plan->cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP; /* Linux 5.7: born there, as moving waits for a grace period */
                args.cgroup = (uint64_t) plan->cgroup_fd;
        }
        /* single-threaded, so the child may allocate: nobody held the allocator's lock */
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                (void) fd_close(sync[0]);
                run_init(plan, sync[1]);
        }
        return pid < 0 ? -errno : (pid_t) pid;
}

/* A user namespace is made inside the one that its maker is in: so a process in between enters that one, clones the init as
 * its sibling, and writes the maps, which it may there. */
static int clone_nested(const ProcPlan *plan, const int sync[2], Proc *proc, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        pid_t maker = fork();
        if (maker == 0) {
                _cleanup_error_ Error error = ERROR_NULL;
                int pidfd = -EBADF, r;

                if (setns(plan->parent_userns_fd, CLONE_NEWUSER) < 0)
                        r = error_set_errno(&error, -errno, "cannot enter the user namespace of the root file system");
                else {
                        r = clone_init(plan, sync, CLONE_PARENT, &pidfd);
                        if (r < 0)
                                (void) explain_clone(plan, r, &error);
                        else if (userns_write_maps_directly(r, &plan->parent_view, &error) < 0)
                                r = error.code;
                }
                (void) wire_send_result_fd(pair[1], r, &error, pidfd);
                _exit(0);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (maker < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        int r = wire_receive_result_fd(fd, &proc->pidfd, reterr);
        (void) process_reap(maker);
        if (r < 0)
                return r;
        proc->pid = r;
        return 0;
}

static int clone_mapped(const ProcPlan *plan, const int sync[2], Proc *proc, Error *reterr) {
        int pidfd = -EBADF, r;

        if (plan->parent_userns_fd >= 0)
                return clone_nested(plan, sync, proc, reterr);
        r = clone_init(plan, sync, /* flags= */ 0, &pidfd);
        if (r < 0)
                return explain_clone(plan, r, reterr);
        proc->pid = r;
        proc->pidfd = pidfd;
        return (plan->namespaces.flags & CLONE_NEWUSER) ? userns_write_maps(proc->pid, &plan->map, reterr) : 0;
}

int proc_clone(const ProcPlan *plan, Proc *ret, Error *reterr) {
        _cleanup_proc_ Proc proc = PROC_NULL;
        int sync[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        proc.sync_fd = sync[0];
        int r = clone_mapped(plan, sync, &proc, reterr);
        (void) fd_close(sync[1]);
        if (r >= 0)
                r = wire_send_result(proc.sync_fd, 0, /* error= */ NULL);
        if (r >= 0 && plan->place)
                r = plan->place(proc.pid, plan->place_data, reterr);
        if (r >= 0)
                r = wire_send_result(proc.sync_fd, 0, /* error= */ NULL);
        if (r < 0)
                return reterr && reterr->message ? r : error_set_errno(reterr, r, "cannot make the container's process");
        *ret = proc;
        proc = PROC_NULL;
        return 0;
}

int proc_wait_created(Proc *proc, Error *reterr) {
        return wire_receive_result_fd(proc->sync_fd, &proc->console_fd, reterr);
}

int proc_start(Proc *proc, Error *reterr) {
        char byte;

        int r = wire_send_result(proc->sync_fd, 0, /* error= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start the container's process");
        /* the end of the stream is the execve(): peek, so that a message stays whole */
        ssize_t n = RETRY_EINTR(recv(proc->sync_fd, &byte, 1, MSG_PEEK));
        if (n > 0)
                return wire_receive_result(proc->sync_fd, reterr);
        if (n < 0 && errno != ECONNRESET)
                return error_set_errno(reterr, -errno, "cannot start the container's process");
        proc->sync_fd = fd_close(proc->sync_fd);
        return 0;
}
