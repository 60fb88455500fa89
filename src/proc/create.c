/* SPDX-License-Identifier: Apache-2.0 */
/* The starter's side of making a container's process.
 *
 * Theory of operation. One SOCK_SEQPACKET pair carries the whole handshake:
 *
 *      starter                                  init
 *      clone3()
 *      maps are written      --- mapped ------>  becomes root of its namespace, mounts
 *                            <-- namespaces ---  its user and network namespace, where the plan says so
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
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/pinned.h"
#include "ns/userns.h"
#include "proc/namespaces.h"
#include "proc/seccomp-bypass.h"

enum { END_TIMEOUT_USEC = 2000000 };

void proc_plan_forget_secrets(ProcPlan *plan) {
        for (size_t i = 0; i < plan->n_secrets; i++) {
                secret_memory_done(&plan->secrets[i].content);
                free(plan->secrets[i].target);
        }
        for (size_t i = 0; i < plan->n_secret_env; i++)
                secret_memory_done(&plan->secret_env[i]);
        free(plan->secrets);
        free(plan->secret_env);
        plan->secrets = NULL;
        plan->secret_env = NULL;
        plan->n_secrets = plan->n_secret_env = 0;
}

void proc_plan_done(ProcPlan *plan) {
        proc_plan_forget_secrets(plan);
        user_map_done(&plan->map);
        user_map_done(&plan->parent_view);
        (void) fd_close(plan->parent_userns_fd);
        (void) fd_close(plan->notify_fd);
        strv_free(plan->rootfs.lower);
        free(plan->rootfs.upper);
        free(plan->rootfs.work);
        (void) fd_close(plan->rootfs.tree_fd);
        for (size_t i = 0; i < plan->n_mounts; i++) {
                free(plan->mounts[i].source);
                free(plan->mounts[i].destination);
                free(plan->mounts[i].subpath);
                free(plan->mounts[i].data);
                strv_free(plan->mounts[i].lower);
                free(plan->mounts[i].upper);
                free(plan->mounts[i].work);
                (void) fd_close(plan->mounts[i].source_fd);
                (void) fd_close(plan->mounts[i].tree_fd);
        }
        free(plan->mounts);
        namespace_plan_done(&plan->namespaces);
        strv_free(plan->masked_paths);
        strv_free(plan->read_only_paths);
        free(plan->kept_name);
        free(plan->kept_gecos);
        for (size_t i = 0; i < plan->n_host_users; i++) {
                free(plan->host_users[i].name);
                free(plan->host_users[i].gecos);
                free(plan->host_users[i].home);
        }
        free(plan->host_users);
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
        (void) fd_close(proc->userns_fd);
        (void) fd_close(proc->netns_fd);
        (void) fd_close(proc->console_fd);
        (void) fd_close(proc->bypass_listener_fd);
        (void) fd_close(proc->bypass_route_fd);
        *proc = PROC_NULL;
}

static int hint_clone(const ProcPlan *plan, int code, Error *reterr) {
        if (!(plan->namespaces.flags & CLONE_NEWUSER))
                return code;
        if (code == -EPERM)
                error_hint(reterr, "see sysctl kernel.unprivileged_userns_clone, "
                                          "kernel.apparmor_restrict_unprivileged_userns");
        else if (code == -ENOSPC || code == -EUSERS)
                error_hint(reterr, "raise sysctl user.max_user_namespaces");
        return code;
}

typedef struct Birth {
        const ProcPlan *plan;
        const int *sync;
        bool told_mapped;
} Birth;

/* systemd moves only processes of the user's own ID, and with a map of its own the init is about to have another */
static bool placed_first(const ProcPlan *plan) {
        return plan->place && plan->map.own;
}

static void tell_mapped(void *data) {
        Birth *birth = data;

        birth->told_mapped = wire_send_result(birth->sync[0], 0, /* error= */ NULL) >= 0;
}

static int be_born(void *data) {
        const Birth *birth = data;

        (void) fd_close(birth->sync[0]);
        proc_init(birth->plan, birth->sync[1]);
}

static int clone_inside(const ProcPlan *plan, struct clone_args args, Birth *birth, Error *reterr) {
        if (!plan->orphan)
                args.flags |= CLONE_PARENT;
        return userns_clone_inside(plan->parent_userns_fd, &plan->parent_view, &args, be_born,
                                   placed_first(plan) ? NULL : tell_mapped, birth, reterr);
}

/* In the starter's own user namespace, or (root) without one of its own. */
static int clone_here(struct clone_args args, Birth *birth, Error *reterr) {
        args.exit_signal = SIGCHLD;
        /* single-threaded, so the child may allocate: nobody held the allocator's lock */
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
                _exit(be_born(birth));
        return pid < 0 ? error_set_errno(reterr, -errno, "cannot make the container's namespaces") : (int) pid;
}

static int clone_mapped(const ProcPlan *plan, Birth *birth, Proc *proc, Error *reterr) {
        bool inside = plan->parent_userns_fd >= 0 && plan->namespaces.n_joins == 0;
        int pidfd = -EBADF, r = -ENOENT;
        struct clone_args args = {
                .flags = (uint64_t) plan->namespaces.flags | CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) &pidfd,
        };

        if (plan->cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP; /* Linux 5.7: born there, as moving waits for a grace period */
                args.cgroup = (uint64_t) plan->cgroup_fd;
        }
        if (inside) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = clone_inside(plan, args, birth, &error);
                if (r < 0) {
                        pidfd = fd_close(pidfd);
                        if (!plan->parent_userns_optional)
                                return hint_clone(plan, error_move(reterr, &error), reterr);
                        log_debug("%s: it is made without", error.message ?: "cannot use the kept user namespace");
                        inside = false;
                }
        }
        /* for an orphan without a user namespace (root's), too, as there is a process in between that ends at once */
        if (plan->namespaces.n_joins > 0 || (plan->orphan && !inside && !(plan->namespaces.flags & CLONE_NEWUSER)))
                r = namespaces_clone_inside(plan, &args, be_born, birth, &pidfd, reterr);
        else if (!inside)
                r = clone_here(args, birth, reterr);
        if (r < 0)
                return hint_clone(plan, r, reterr);
        proc->pid = r;
        proc->pidfd = pidfd;
        return inside || !(plan->namespaces.flags & CLONE_NEWUSER) ? 0 : userns_write_maps(proc->pid, &plan->map, reterr);
}

int proc_clone(const ProcPlan *plan, Proc *ret, Error *reterr) {
        _cleanup_proc_ Proc proc = PROC_NULL;
        int sync[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        proc.sync_fd = sync[0];
        proc.bypass = plan->bypass != BYPASS_WALL_NONE;
        Birth birth = { .plan = plan, .sync = sync };
        int r = clone_mapped(plan, &birth, &proc, reterr);
        (void) fd_close(sync[1]);
        if (r >= 0 && placed_first(plan))
                r = plan->place(proc.pid, plan->place_data, reterr);
        if (r >= 0 && !birth.told_mapped)
                r = wire_send_result(proc.sync_fd, 0, /* error= */ NULL);
        if (r >= 0 && plan->hands_out_namespaces) {
                r = wire_receive_result_fd(proc.sync_fd, &proc.userns_fd, reterr);
                if (r >= 0)
                        r = wire_receive_result_fd(proc.sync_fd, &proc.netns_fd, reterr);
        }
        if (r >= 0 && plan->place && !placed_first(plan))
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
        if (proc->bypass && (r = seccomp_bypass_receive(proc->sync_fd, &proc->bypass_listener_fd, &proc->bypass_route_fd, reterr)) < 0)
                return r;
        /* the end of the stream is the execve(): peek, so that a message stays whole */
        ssize_t n = RETRY_EINTR(recv(proc->sync_fd, &byte, 1, MSG_PEEK));
        if (n > 0)
                return wire_receive_result(proc->sync_fd, reterr);
        if (n < 0 && errno != ECONNRESET)
                return error_set_errno(reterr, -errno, "cannot start the container's process");
        proc->sync_fd = fd_close(proc->sync_fd);
        return 0;
}
