/* SPDX-License-Identifier: Apache-2.0 */
/* A further process in a running container.
 *
 * Theory of operation. A process cannot change its own PID namespace, so two are made: the joiner, which enters the
 * container's namespaces through the pidfd (setns(2), Linux 5.8), and from it the process proper, as a sibling
 * (CLONE_PARENT), so that the starter is its parent. The process is not dumpable until its exec: nothing in the container, whatever its
 * capabilities over a user namespace of its own, can look into it (ptrace(2)). In a container that has the host's user namespace
 * CAP_SYS_PTRACE can (CVE-2016-9962). So the joiner, whom nobody in the container sees, closes all descriptors of the host first.
 *
 *      starter                     joiner                        process
 *      clone3(cgroup)              setns, clone3(CLONE_PARENT)
 *                      <-- pidfd -- (a socket of its own: the process may be faster)
 *                      <-- created --------------------------------- terminal, user
 *      (placed)        --- start ------------------------------> execve()
 *                      <-- (closed) or an error ---------------- */
#include "proc/join.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/handle.h"
#include "proc/credentials.h"
#include "proc/exec-path.h"
#include "proc/seccomp-bypass.h"
#include "proc/stdio.h"

/* The container may have put anything at /dev/pts: only a terminal of a real devpts is taken. */
static int open_terminal(int *ret_master, int *ret_console, Error *reterr) {
        _cleanup_fd_ int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC), console = -EBADF;
        struct statfs fs;
        int unlock = 0;

        if (master < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal in the container");
        if (fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot open a terminal: the container's /dev/pts is not the kernel's");
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || (console = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
                return error_set_errno(reterr, -errno, "cannot open a terminal in the container");
        *ret_master = TAKE_FD(master);
        *ret_console = TAKE_FD(console);
        return 0;
}

static int become_root(const JoinPlan *plan, bool own_user_namespace, Error *reterr) {
        if (!own_user_namespace)
                return 0;
        bool keeps = plan->setgroups_denied || strv_contains(plan->config->group_add, "keep-groups");

        if ((!keeps && setgroups(0, NULL) < 0) || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the container's user namespace");
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? error_set_errno(reterr, -errno, "cannot protect the process") : 0;
}

/* The container may have put anything at /proc: only the kernel's is asked. */
static int confine(const char *profile, Error *reterr) {
        _cleanup_fd_ int proc_fd = profile ? open("/proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
        struct statfs fs;

        if (!profile)
                return 0;
        if (proc_fd < 0 || fstatfs(proc_fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use the AppArmor profile '%s': the container's /proc is not the kernel's", profile);
        return apparmor_apply(profile, proc_fd, reterr);
}

static int apply(const JoinPlan *plan, const ContainerUser *user, int sync_fd, Error *reterr) {
        const char *failed = NULL;
        RlimitPlan rlimits;
        mode_t mask = 0022;
        int r = rlimit_plan(plan->config->rlimits, plan->config->n_rlimits, &rlimits, reterr);

        if (r < 0)
                return r;
        if (plan->config->umask_text)
                (void) parse_mode(plan->config->umask_text, &mask); /* the container itself would not have started with a bad one */
        (void) umask(mask);
        r = personality_apply(plan->config->personality, reterr);
        if (r < 0)
                return r;
        const Credentials credentials = {
                .user = user,
                .caps = &plan->caps,
                .rlimits = &rlimits,
                .seccomp = plan->seccomp,
                .bypass = plan->bypass,
                .bypass_fd = sync_fd,
                .no_new_privileges = plan->config->no_new_privileges,
                .setgroups_denied = plan->setgroups_denied,
        };
        r = credentials_apply(&credentials, &failed);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot %s", failed);
        if (plan->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set_errno(reterr, -errno, "cannot tie the process to its command");
        return 0;
}

static int execute(const JoinPlan *plan, bool own_user_namespace, int *sync_fd, Error *reterr) {
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        _cleanup_strv_ char **env = strv_copy(plan->env);
        _cleanup_free_ char *program = NULL;
        int master = -EBADF, console = -EBADF, r = become_root(plan, own_user_namespace, reterr);
        char byte;

        _cleanup_fd_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r >= 0 && root < 0)
                r = error_set_errno(reterr, -errno, "cannot open the container's root");
        if (r >= 0 && plan->terminal)
                r = open_terminal(&master, &console, reterr);
        if (r >= 0)
                r = user_resolve(root, plan->user ?: plan->config->user, plan->config->group_add, &user, reterr);
        if (r >= 0 && (plan->user || plan->config->user) && !plan->setgroups_denied && user_add_own_group(&user) < 0)
                r = error_oom(reterr);
        if (r >= 0 && !strv_env_get(env, "HOME") && strv_consume(&env, str_format("HOME=%s", user.home)) < 0)
                r = error_oom(reterr);
        if (r >= 0)
                r = wire_send_result_fd(*sync_fd, 0, /* error= */ NULL, master);
        if (r >= 0)
                r = wire_receive_result(*sync_fd, reterr);
        if (r >= 0)
                r = confine(plan->config->apparmor, reterr);
        if (r >= 0)
                r = stdio_take(plan->stdio, console, &user, reterr);
        if (r >= 0)
                r = stdio_close_others(&(StdioKept){ .fds = plan->kept_fds, .n_fds = plan->n_kept_fds }, sync_fd, reterr);
        if (r >= 0)
                r = stdio_enter_workdir(plan->workdir ?: plan->config->workdir, /* make= */ false, &user, reterr);
        if (r >= 0)
                r = exec_path_find(plan->args[0], strv_env_get(env, "PATH"), &program, reterr);
        if (r >= 0)
                r = apply(plan, &user, *sync_fd, reterr);
        if (r < 0)
                return r;
        /* the starter may have died before that signal was asked for */
        if (plan->die_with_parent && recv(*sync_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
                _exit(1);
        (void) execve(program, plan->args, env);
        return exec_path_explain(-errno, plan->args[0], reterr);
}

_noreturn_ static void run_process(const JoinPlan *plan, bool own_user_namespace, int sync_fd) {
        _cleanup_error_ Error error = ERROR_NULL;
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* KILL and STOP refuse; fine */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        int r = execute(plan, own_user_namespace, &sync_fd, &error);
        (void) wire_send_result(sync_fd, r, &error);
        _exit(1);
}

/* The namespaces that the container has and this process has not: whoever has none over the host's may not even enter those it is
 * in. What cannot be looked up is left to the kernel's own answer. */
static int namespaces_to_enter(const JoinPlan *plan) {
        static const struct {
                const char *name;
                int flag;
        } kinds[] = { { "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID },  { "net", CLONE_NEWNET },
                      { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP } };
        int flags = 0;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_fd_ int fd = ns_open_of_process(plan->init_pidfd, plan->init_pid, kinds[i].name, /* reterr= */ NULL);

                if (fd < 0 || !ns_is_own(fd, kinds[i].name))
                        flags |= kinds[i].flag;
        }
        return flags;
}

_noreturn_ static void run_joiner(const JoinPlan *plan, int joiner_fd, int sync_fd) {
        const int own[] = { joiner_fd, sync_fd };
        const StdioKept kept = { .fds = plan->kept_fds, .n_fds = plan->n_kept_fds };
        int flags = namespaces_to_enter(plan), null_fd = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
        _cleanup_error_ Error error = ERROR_NULL;
        int pidfd = -EBADF, r = 0;

        if (null_fd < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 || setns(plan->init_pidfd, flags) < 0)
                r = error_set_errno(&error, -errno, "cannot enter container '%s'", plan->config->name);
        if (r >= 0)
                r = stdio_close_host(plan->stdio, &kept, null_fd, own, ELEMENTSOF(own), &error);
        if (r >= 0) {
                struct clone_args args = { .flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd };
                long pid = syscall(SYS_clone3, &args, sizeof(args));

                if (pid == 0)
                        run_process(plan, flags & CLONE_NEWUSER, sync_fd);
                if (pid < 0)
                        r = error_set_errno(&error, -errno, "cannot make a process in the container");
                else
                        r = (int) pid;
        }
        (void) wire_send_result_fd(joiner_fd, r, &error, pidfd);
        _exit(0);
}

/* `ours` are the starter's ends: whoever kept one of them would never see the starter go. */
static pid_t clone_joiner(const JoinPlan *plan, int joiner_fd, int sync_fd, const int ours[2], bool in_cgroup) {
        struct clone_args args = {
                .flags = in_cgroup ? CLONE_INTO_CGROUP : 0,
                .exit_signal = SIGCHLD,
                .cgroup = in_cgroup ? (uint64_t) plan->cgroup_fd : 0,
        };
        long pid = syscall(SYS_clone3, &args, sizeof(args));

        if (pid == 0) {
                (void) fd_close(ours[0]);
                (void) fd_close(ours[1]);
                run_joiner(plan, joiner_fd, sync_fd);
        }
        return pid < 0 ? -errno : (pid_t) pid;
}

static int start(const JoinPlan *plan, Proc *proc, bool placed, Error *reterr) {
        char byte;
        int r = wire_receive_result_fd(proc->sync_fd, &proc->console_fd, reterr);

        if (r >= 0 && !placed && plan->place)
                r = plan->place(proc->pid, plan->place_data, reterr);
        if (r >= 0)
                r = wire_send_result(proc->sync_fd, 0, /* error= */ NULL);
        if (r >= 0 && plan->bypass)
                r = seccomp_bypass_receive(proc->sync_fd, &proc->bypass_listener_fd, &proc->bypass_route_fd, reterr);
        if (r < 0)
                return r;
        ssize_t n = RETRY_EINTR(recv(proc->sync_fd, &byte, 1, MSG_PEEK));
        if (n > 0)
                return wire_receive_result(proc->sync_fd, reterr);
        return n < 0 && errno != ECONNRESET ? error_set_errno(reterr, -errno, "cannot start the process") : 0;
}

int proc_join(const JoinPlan *plan, Proc *ret, Error *reterr) {
        _cleanup_proc_ Proc proc = PROC_NULL;
        bool placed = plan->cgroup_fd >= 0;
        int sync[2], pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        proc.sync_fd = sync[0];
        _cleanup_fd_ int theirs = sync[1];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make a process");
        _cleanup_fd_ int joiner_fd = pair[0], joiner_theirs = pair[1];
        const int ours[] = { sync[0], pair[0] };
        pid_t joiner = clone_joiner(plan, joiner_theirs, theirs, ours, placed);
        if (placed && (joiner == -EACCES || joiner == -EBUSY || joiner == -EOPNOTSUPP)) {
                placed = false; /* another session's cgroup (cgroups(7), delegation): the manager has to move it */
                joiner = clone_joiner(plan, joiner_theirs, theirs, ours, placed);
        }
        if (joiner < 0)
                return error_set_errno(reterr, joiner, "cannot make a process");
        joiner_theirs = fd_close(joiner_theirs);
        int r = wire_receive_result_fd(joiner_fd, &proc.pidfd, reterr);
        (void) process_reap(joiner);
        if (r < 0)
                return r;
        proc.pid = r;
        theirs = fd_close(theirs);
        r = start(plan, &proc, placed, reterr);
        if (r < 0)
                return r;
        proc.sync_fd = fd_close(proc.sync_fd);
        *ret = proc;
        proc = PROC_NULL;
        return 0;
}
