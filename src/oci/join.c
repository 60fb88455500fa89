/* SPDX-License-Identifier: Apache-2.0 */
/* A further process in a running container: `exec`.
 *
 * Theory of operation. A process cannot change its own PID namespace, so two are made. The joiner enters the container's namespaces through
 * the init's pidfd (setns(2), Linux 5.8), all at once, and clones the process proper as the runtime's child (CLONE_PARENT). The joiner is
 * seen by nobody in the container; the process is, from its first moment, and a container's root that has CAP_SYS_PTRACE over the host's
 * own user namespace may look into it, dumpable or not (CVE-2016-9962). So the joiner has closed all descriptors of the host but the
 * handshake's, and root and working directory are the container's, before there is anything to look into. It shares the
 * runtime's memory where it can: nothing is copied twice.
 *
 *      runtime                     joiner                         process
 *      clone                       labels, OOM score, closes,
 *                                  setns, clone3(CLONE_PARENT)
 *                     <-- pid ---                                 terminal, working directory, args[0]
 *                     <-- ready --------------------------------- with the terminal's master side
 *      into the cgroup ---- go ---------------------------------> identity, capabilities, seccomp; execve
 *                     <-- (closed) or an error ------------------ */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
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
#include "oci/annotations.h"
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
        int flags;              /* the container's namespaces */
        int sync_fd;            /* the handshake */
        int answer_fd;          /* where the joiner tells the PID */
        int proc_fd;            /* the host's /proc */
        int root_fd;            /* the container's root, where that is not its mount namespace's; else -EBADF */
        struct statx own;       /* the runtime's program */
        int console_fd, master_fd;
        char *program, **env;
} Joining;

/* ---- the process ---- */

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
        int r = exec->no_new_keyring ? 0 : oci_keyring_join(exec->id, reterr);

        if (r >= 0)
                r = open_terminal(joining, reterr);
        if (r >= 0)
                r = wire_send_result_fd(joining->sync_fd, 1, /* error= */ NULL, joining->master_fd);
        joining->master_fd = fd_close(joining->master_fd);
        if (r >= 0)
                r = oci_streams_take(joining->console_fd, &process->user, reterr);
        if (r >= 0)
                r = oci_program_prepare(process, oci_keeps_groups(exec->spec), &joining->own, &joining->program, reterr);
        return r < 0 ? r : oci_environment(process, exec->listen_fds, &joining->env, reterr);
}

static int execute(Joining *joining, Error *reterr) {
        const OciExec *exec = joining->exec;
        const RuntimeProcess *process = exec->process;
        const char *final = process->exec_final_affinity;
        const OciCaps caps = oci_caps_plan(process);
        int r = prepare(joining, reterr);

        if (r >= 0)
                r = wire_send_result(joining->sync_fd, 0, /* error= */ NULL);
        if (r >= 0)
                r = wire_receive_result(joining->sync_fd, reterr); /* our PID as the runtime has it */
        _cleanup_free_ char *message = r >= 0 && exec->listener_fd >= 0 ? oci_seccomp_state(exec->spec, exec->id, exec->bundle, "running", r, exec->init_pid) : NULL;
        if (r >= 0 && exec->listener_fd >= 0 && !message)
                r = error_oom(reterr);
        oci_cpu_affinity_reset();
        if (r >= 0 && final)
                r = oci_cpu_affinity_set(final, reterr);
        if (r >= 0)
                r = oci_identity_prepare(exec->spec, process, reterr);
        const OciIdentity identity = {
                .process = process,
                .caps = &caps,
                .filter = exec->filter,
                .listener_socket = exec->listener_fd,
                .listener_message = message,
                .keep_groups = oci_keeps_groups(exec->spec),
                .die_with_parent = exec->die_with_caller,
        };
        if (r >= 0)
                r = oci_identity_apply(&identity, reterr);
        if (r >= 0 && process->user.uid != 0)
                r = oci_streams_enter(process->cwd, reterr);
        if (r < 0)
                return r;
        (void) execve(joining->program, process->args, joining->env);
        return oci_program_explain_exec(-errno, process->args[0], reterr);
}

_noreturn_ static void run_process(Joining *joining) {
        _cleanup_error_ Error error = ERROR_NULL;

        (void) close(joining->answer_fd);
        oci_streams_reset_signals();
        int r = execute(joining, &error);
        (void) wire_send_result(joining->sync_fd, r, &error);
        _exit(1);
}

/* ---- the joiner ---- */

static int set_oom_score(const Joining *joining, Error *reterr) {
        const RuntimeProcess *process = joining->exec->process;
        char text[24];

        if (!process->has_oom_score_adj)
                return 0;
        (void) snprintf(text, sizeof(text), "%lld", (long long) process->oom_score_adj);
        int r = file_write_string(joining->proc_fd, "self/oom_score_adj", text);
        return r < 0 ? error_set_errno(reterr, r, "cannot set the OOM score to %s", text) : 0;
}

/* What the process inherits and only the host's files can give. */
static int take_along(Joining *joining, Error *reterr) {
        const OciExec *exec = joining->exec;
        const char *affinity = exec->process->exec_initial_affinity;
        const int kept[] = { joining->sync_fd, joining->answer_fd, exec->init_pidfd, exec->listener_fd, joining->root_fd };
        int r = set_oom_score(joining, reterr);

        if (r >= 0)
                r = oci_identity_label(exec->process, oci_identity_labels(), joining->proc_fd, reterr);
        if (r >= 0)
                r = oci_program_identify(joining->proc_fd, &joining->own, reterr);
        if (r >= 0 && affinity)
                r = oci_cpu_affinity_set(affinity, reterr);
        if (r >= 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
                r = error_set_errno(reterr, -errno, "cannot protect the process");
        return r < 0 ? r : oci_streams_close(exec->listen_fds + exec->preserve_fds, kept, ELEMENTSOF(kept), reterr);
}

/* A user namespace that is ours already cannot be entered. */
static int enter(const Joining *joining, Error *reterr) {
        int fd = joining->exec->init_pidfd, flags = joining->flags, r = setns(fd, flags);

        if (r < 0 && errno == EINVAL && (flags & CLONE_NEWUSER))
                r = setns(fd, flags &= ~CLONE_NEWUSER);
        if (r < 0)
                return error_set_errno(reterr, -errno, "cannot enter container '%s'", joining->exec->id);
        (void) close(fd); /* of the joiner's own table */
        if (joining->root_fd >= 0) {
                if (fchdir(joining->root_fd) < 0 || chroot(".") < 0)
                        return error_set_errno(reterr, -errno, "cannot enter the root file system of container '%s'", joining->exec->id);
                (void) close(joining->root_fd);
        }
        return flags & CLONE_NEWUSER ? oci_namespaces_become_root(oci_keeps_groups(joining->exec->spec), reterr) : 0;
}

/* Without what the container must not see: the handshake alone stays open in the process. */
static int clone_process(Joining *joining, Error *reterr) {
        struct clone_args args = { .flags = CLONE_PARENT };
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
                run_process(joining);
        return pid < 0 ? error_set_errno(reterr, -errno, "cannot make a process in the container") : (int) pid;
}

static int run_joiner(void *data) {
        Joining *joining = data;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = take_along(joining, &error);

        if (r >= 0)
                r = enter(joining, &error);
        if (r >= 0)
                r = clone_process(joining, &error);
        (void) wire_send_result(joining->answer_fd, r, &error);
        return 0;
}

enum { STACK_SIZE = 256 * 1024, GUARD_SIZE = 4096 };

/* Shares the runtime's memory, not its descriptors, while the runtime stands still (CLONE_VFORK). */
static pid_t clone_sharing(Joining *joining) {
        char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

        if (stack == MAP_FAILED || mprotect(stack, GUARD_SIZE, PROT_NONE) < 0)
                return -errno;
        pid_t pid = clone(run_joiner, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, joining);
        int code = -errno;
        (void) munmap(stack, STACK_SIZE);
        return pid < 0 ? code : pid;
}

/* Born in the cgroup, which moving takes long to do (Linux 5.7). */
static pid_t clone_into(Joining *joining, int cgroup_fd) {
        struct clone_args args = {
                .flags = cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0,
                .exit_signal = SIGCHLD,
                .cgroup = cgroup_fd >= 0 ? (uint64_t) cgroup_fd : 0,
        };
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid < 0 && cgroup_fd >= 0) /* another's: then it is moved */
                return clone_into(joining, -EBADF);
        if (pid == 0)
                _exit(run_joiner(joining));
        return pid < 0 ? -errno : (pid_t) pid;
}

/* Returns the PID of the process. */
static int clone_in_container(Joining *joining, int cgroup_fd, Error *reterr) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process in the container");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        joining->answer_fd = theirs;
        /* a time namespace cannot be entered with memory that others share */
        pid_t joiner = cgroup_fd >= 0 || (joining->flags & CLONE_NEWTIME) ? clone_into(joining, cgroup_fd) : clone_sharing(joining);
        theirs = fd_close(theirs);
        if (joiner < 0)
                return error_set_errno(reterr, joiner, "cannot make a process in the container");
        int r = wire_receive_result(ours, reterr);
        (void) process_reap(joiner);
        return r;
}

/* ---- the runtime's side ---- */

static int lead(const OciExec *exec, int sync_fd, OciInit *process, Error *reterr) {
        char byte;
        int r = process_start_time(process->pid, &process->start_time);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot look at the process");
        r = wire_receive_result_fd(sync_fd, &process->console_fd, reterr); /* the terminal */
        if (r >= 0)
                r = wire_receive_result(sync_fd, reterr); /* ready */
        if (r >= 0)
                r = runtime_cgroup_attach(exec->cgroup, process->pid, exec->init_pid, exec->cgroup_subs, reterr);
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

/* setns(2) goes to the root of the mount namespace. A container that shares one with others is not there: chroot(2) confines it. */
static int open_root(Joining *joining, Error *reterr) {
        const OciExec *exec = joining->exec;
        const RuntimeNamespace *mount = runtime_spec_namespace(exec->spec, "mount");
        char path[sizeof("/root") + 3 * sizeof(int)];

        if (mount && !mount->path)
                return 0;
        (void) snprintf(path, sizeof(path), "%d/root", (int) exec->init_pid);
        joining->root_fd = openat(joining->proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (joining->root_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the root file system of container '%s'", exec->id);
        /* that it lives still says that the number was its own */
        return process_has_ended(exec->init_pidfd)
                       ? error_set(reterr, -ESRCH, ERROR_STATE, "cannot exec in a stopped container")
                       : 0;
}

static int open_proc(void) {
        _cleanup_fd_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct statfs about;

        return fd < 0 || fstatfs(fd, &about) < 0 || about.f_type != PROC_SUPER_MAGIC ? -ENODEV : TAKE_FD(fd);
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
        oci_caps_warn(exec->process);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        ours = pair[0];
        theirs = pair[1];
        Joining joining = {
                .exec = exec,
                .flags = oci_namespaces_flags(exec->spec),
                .sync_fd = theirs,
                .proc_fd = proc_fd,
                .root_fd = -EBADF,
                .console_fd = -EBADF,
                .master_fd = -EBADF,
        };
        r = open_root(&joining, reterr);
        if (r >= 0)
                r = clone_in_container(&joining, cgroup_fd, reterr);
        (void) fd_close(joining.root_fd);
        theirs = fd_close(theirs);
        if (r >= 0) {
                process.pid = r; /* a child that nobody else can reap: the number is his */
                process.pidfd = pidfd_open(process.pid, 0);
                r = process.pidfd < 0 ? error_set_errno(reterr, -errno, "cannot hold the process") : 0;
        }
        if (r >= 0)
                r = lead(exec, ours, &process, reterr);
        if (r < 0) {
                if (process.pid > 0) {
                        (void) kill(process.pid, SIGKILL);
                        (void) process_reap(process.pid);
                }
                return r;
        }
        *ret = process;
        process = OCI_INIT_NULL;
        return 0;
}
