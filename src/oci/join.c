/* SPDX-License-Identifier: Apache-2.0 */
/* A further process in a running container: `exec`.
 *
 * Theory of operation. The process is cloned inside the container's PID namespace, which holds for children only, and enters the others
 * itself through the init's pidfd (setns(2), Linux 5.8), all at once. Root joins the PID namespace for the moment of the clone; who has no
 * capabilities there before he is in the container's user namespace sends a process ahead, the joiner, which enters all and clones the
 * process as the runtime's child (CLONE_PARENT). From its first moment it is not dumpable: it holds descriptors of the host's, and
 * what runs in the container, whatever its capabilities there, cannot look into it (CVE-2016-9962).
 *
 *      runtime                                process
 *      clone3(cgroup)                         setns; terminal, working directory, args[0]
 *                           <-- ready ------  with the terminal's master side
 *      into the cgroup      --- go -------->  identity, capabilities, seccomp; execve
 *                           <-- (closed) or an error */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "oci/console.h"
#include "oci/cpu-affinity.h"
#include "oci/environment.h"
#include "oci/identity.h"
#include "oci/keyring.h"
#include "oci/namespaces.h"
#include "oci/process.h"
#include "oci/program.h"
#include "oci/seccomp.h"
#include "oci/streams.h"

typedef struct Joining {
        const OciExec *exec;
        int flags;              /* namespaces that are not entered yet */
        int sync_fd, peer_fd;   /* the handshake, and the runtime's end of it */
        int proc_fd;            /* the host's /proc */
        int console_fd, master_fd;
        char *program, **env;
} Joining;

/* ---- the process ---- */

/* A user namespace that is ours already cannot be entered. */
static int enter_all(const Joining *joining, Error *reterr) {
        int flags = joining->flags, r = setns(joining->exec->init_pidfd, flags);

        if (r < 0 && errno == EINVAL && (flags & CLONE_NEWUSER))
                r = setns(joining->exec->init_pidfd, flags & ~CLONE_NEWUSER);
        return r < 0 ? error_set_errno(reterr, -errno, "cannot enter container '%s'", joining->exec->id) : 0;
}

static int enter(const Joining *joining, Error *reterr) {
        int r = joining->flags ? enter_all(joining, reterr) : 0;

        if (r < 0)
                return r;
        return oci_namespaces_flags(joining->exec->spec) & CLONE_NEWUSER ? oci_namespaces_become_root(reterr) : 0;
}

/* The container may have put anything at /dev/pts: only a terminal of a real devpts is taken. */
static int open_terminal(Joining *joining, Error *reterr) {
        const RuntimeProcess *process = joining->exec->process;
        _cleanup_fd_ int pts = -EBADF;

        if (!process->terminal)
                return 0;
        pts = open("/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (pts < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal in the container");
        return oci_console_open(pts, process, &joining->master_fd, &joining->console_fd, reterr);
}

static int prepare(Joining *joining, Error *reterr) {
        const OciExec *exec = joining->exec;
        const RuntimeProcess *process = exec->process;
        int r = enter(joining, reterr);

        if (r >= 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
                r = error_set_errno(reterr, -errno, "cannot protect the process");
        if (r >= 0 && !exec->no_new_keyring)
                r = oci_keyring_join(exec->id, reterr);
        if (r >= 0)
                r = open_terminal(joining, reterr);
        if (r >= 0)
                r = wire_send_result_fd(joining->sync_fd, 1, /* error= */ NULL, joining->master_fd);
        joining->master_fd = fd_close(joining->master_fd);
        const int kept[] = { joining->sync_fd, joining->proc_fd, joining->console_fd, exec->listener_fd };
        if (r >= 0)
                r = oci_streams_close(exec->listen_fds + exec->preserve_fds, kept, ELEMENTSOF(kept), reterr);
        if (r >= 0)
                r = oci_streams_take(joining->console_fd, &process->user, reterr);
        if (r >= 0)
                r = oci_program_prepare(process, &joining->program, reterr);
        return r < 0 ? r : oci_environment(process, exec->listen_fds, &joining->env, reterr);
}

static int execute(Joining *joining, Error *reterr) {
        const OciExec *exec = joining->exec;
        const RuntimeProcess *process = exec->process;
        const char *final = process->exec_final_affinity;
        OciCaps caps;
        int r = 0;

        if (process->exec_initial_affinity)
                r = oci_cpu_affinity_set(process->exec_initial_affinity, reterr);
        if (r >= 0)
                r = prepare(joining, reterr);
        if (r >= 0)
                r = wire_send_result(joining->sync_fd, 0, /* error= */ NULL);
        if (r >= 0)
                r = wire_receive_result(joining->sync_fd, reterr); /* our PID as the runtime has it */
        _cleanup_free_ char *message = r >= 0 && exec->listener_fd >= 0 ? oci_seccomp_state(exec->spec, exec->id, exec->bundle, "running", r, exec->init_pid) : NULL;
        if (r >= 0 && exec->listener_fd >= 0 && !message)
                r = error_oom(reterr);
        if (r >= 0 && (process->exec_initial_affinity || final))
                r = oci_cpu_affinity_set(final, reterr);
        if (r >= 0)
                r = oci_caps_plan(process, &caps, reterr);
        if (r >= 0)
                r = oci_identity_prepare(exec->spec, process, reterr);
        if (r >= 0)
                r = oci_identity_label(process, joining->proc_fd, reterr);
        const OciIdentity identity = {
                .process = process,
                .caps = &caps,
                .filter = exec->filter,
                .listener_socket = exec->listener_fd,
                .listener_message = message,
                .die_with_parent = exec->die_with_caller,
        };
        if (r >= 0)
                r = oci_identity_apply(&identity, reterr);
        if (r >= 0 && process->user.uid != 0)
                r = oci_streams_enter(process->cwd, reterr);
        if (r < 0)
                return r;
        (void) execve(joining->program, process->args, joining->env);
        return oci_program_explain(-errno, process->args[0], reterr);
}

_noreturn_ static void run_process(Joining *joining) {
        _cleanup_error_ Error error = ERROR_NULL;

        oci_streams_reset_signals();
        joining->peer_fd = fd_close(joining->peer_fd); /* or it would never see the runtime go */
        int r = execute(joining, &error);
        (void) wire_send_result(joining->sync_fd, r, &error);
        _exit(1);
}

/* ---- the clone ---- */

static int clone_process(Joining *joining, uint64_t flags, int cgroup_fd, int *ret_pidfd, Error *reterr) {
        struct clone_args args = {
                .flags = CLONE_PIDFD | flags | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
                .cgroup = cgroup_fd >= 0 ? (uint64_t) cgroup_fd : 0,
        };
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid < 0 && cgroup_fd >= 0 && errno != EAGAIN && errno != ENOMEM) /* then it is moved */
                return clone_process(joining, flags, -EBADF, ret_pidfd, reterr);
        if (pid == 0)
                run_process(joining);
        return pid < 0 ? error_set_errno(reterr, -errno, "cannot make a process in the container") : (int) pid;
}

_noreturn_ static void run_joiner(Joining *joining, int cgroup_fd, int socket) {
        _cleanup_error_ Error error = ERROR_NULL;
        int pidfd = -EBADF, r = enter_all(joining, &error);

        joining->flags = 0;
        if (r >= 0)
                r = clone_process(joining, CLONE_PARENT, cgroup_fd, &pidfd, &error);
        (void) wire_send_result_fd(socket, r, &error, pidfd);
        _exit(0);
}

static int clone_by_joiner(Joining *joining, int cgroup_fd, int *ret_pidfd, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        pid_t joiner = fork();
        if (joiner == 0) {
                (void) fd_close(pair[0]);
                run_joiner(joining, cgroup_fd, pair[1]);
        }
        (void) fd_close(pair[1]);
        _cleanup_fd_ int fd = pair[0];
        if (joiner < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        int r = wire_receive_result_fd(fd, ret_pidfd, reterr);
        (void) process_reap(joiner);
        return r;
}

static int clone_here(Joining *joining, int cgroup_fd, int *ret_pidfd, Error *reterr) {
        _cleanup_fd_ int own = -EBADF;
        int r = 0;

        if (joining->flags & CLONE_NEWPID) {
                own = oci_namespaces_open_own_pid();
                if (own == -EPERM)
                        return clone_by_joiner(joining, cgroup_fd, ret_pidfd, reterr);
                if (own < 0)
                        return error_set_errno(reterr, own, "cannot enter container '%s'", joining->exec->id);
                if (setns(joining->exec->init_pidfd, CLONE_NEWPID) < 0)
                        return error_set_errno(reterr, -errno, "cannot enter container '%s'", joining->exec->id);
                joining->flags &= ~CLONE_NEWPID;
        }
        int pid = clone_process(joining, 0, cgroup_fd, ret_pidfd, reterr);
        if (own >= 0 && setns(own, CLONE_NEWPID) < 0)
                r = error_set_errno(reterr, -errno, "cannot leave the container's PID namespace");
        return pid >= 0 && r < 0 ? r : pid;
}

/* ---- the runtime's side ---- */

static int set_oom_score(const RuntimeProcess *process, pid_t pid, Error *reterr) {
        char path[48], text[24];

        if (!process->has_oom_score_adj)
                return 0;
        (void) snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int) pid);
        (void) snprintf(text, sizeof(text), "%lld", (long long) process->oom_score_adj);
        int r = file_write_string(AT_FDCWD, path, text);
        return r < 0 ? error_set_errno(reterr, r, "cannot set the OOM score to %s", text) : 0;
}

static int lead(const OciExec *exec, int sync_fd, OciInit *process, Error *reterr) {
        char byte;
        int r = process_start_time(process->pid, &process->start_time);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot look at the process");
        r = set_oom_score(exec->process, process->pid, reterr);
        if (r >= 0)
                r = wire_receive_result_fd(sync_fd, &process->console_fd, reterr); /* the terminal */
        if (r >= 0)
                r = wire_receive_result(sync_fd, reterr); /* ready */
        if (r >= 0)
                r = runtime_cgroup_attach(exec->cgroup, process->pid, exec->cgroup_subs, reterr);
        if (r >= 0 && exec->console_fd >= 0 && process->console_fd >= 0) {
                r = oci_console_send(exec->console_fd, process->console_fd, "/dev/ptmx", reterr);
                process->console_fd = fd_close(process->console_fd);
        }
        if (r >= 0 && exec->pidfd_socket_fd >= 0)
                r = oci_console_send(exec->pidfd_socket_fd, process->pidfd, "pidfd", reterr);
        if (r >= 0)
                r = wire_send_result(sync_fd, process->pid, /* error= */ NULL);
        if (r < 0)
                return reterr && reterr->message ? r : error_set_errno(reterr, r, "cannot make a process in the container");
        ssize_t n = RETRY_EINTR(recv(sync_fd, &byte, 1, MSG_PEEK));
        if (n > 0)
                return wire_receive_result(sync_fd, reterr);
        return n < 0 && errno != ECONNRESET ? error_set_errno(reterr, -errno, "cannot start the process") : 0;
}

static int open_proc(void) {
        _cleanup_fd_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct statfs about;

        return fd < 0 || fstatfs(fd, &about) < 0 || about.f_type != PROC_SUPER_MAGIC ? -ENODEV : TAKE_FD(fd);
}

static int clone_in_container(Joining *joining, int cgroup_fd, OciInit *process, Error *reterr) {
        bool own_users = joining->flags & CLONE_NEWUSER;
        int pid = own_users && geteuid() != 0 ? clone_by_joiner(joining, cgroup_fd, &process->pidfd, reterr)
                                              : clone_here(joining, cgroup_fd, &process->pidfd, reterr);

        if (pid > 0)
                process->pid = pid;
        return pid;
}

int oci_exec(const OciExec *exec, OciInit *ret, Error *reterr) {
        _cleanup_oci_init_ OciInit process = OCI_INIT_NULL;
        _cleanup_fd_ int proc_fd = open_proc(), ours = -EBADF, theirs = -EBADF;
        _cleanup_fd_ int cgroup_fd = exec->cgroup_subs ? -EBADF : runtime_cgroup_open_unified(exec->cgroup);
        int pair[2], r = oci_rlimits_raise(exec->process, reterr);

        if (r < 0)
                return r;
        if (proc_fd < 0)
                return error_set(reterr, proc_fd, ERROR_UNSUPPORTED, "cannot use /proc: it is not the kernel's");
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        ours = pair[0];
        theirs = pair[1];
        Joining joining = {
                .exec = exec,
                .flags = oci_namespaces_flags(exec->spec),
                .sync_fd = theirs,
                .peer_fd = ours,
                .proc_fd = proc_fd,
                .console_fd = -EBADF,
                .master_fd = -EBADF,
        };
        r = clone_in_container(&joining, cgroup_fd, &process, reterr);
        theirs = fd_close(theirs);
        if (r >= 0)
                r = lead(exec, ours, &process, reterr);
        if (r < 0) {
                if (process.pidfd >= 0) {
                        (void) process_signal(process.pidfd, SIGKILL);
                        (void) process_reap(process.pid);
                }
                return r;
        }
        *ret = process;
        process = OCI_INIT_NULL;
        return 0;
}
