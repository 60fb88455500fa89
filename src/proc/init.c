/* SPDX-License-Identifier: Apache-2.0 */
/* The container's init: from the clone to the exec.
 *
 * Theory of operation. The steps below run in this order, as root of the container's user namespace; each names what it
 * irreversibly does.
 *   1. become root of the user namespace (setgroups, setresgid, setresuid), once the starter has written the maps
 *   2. mounts, by descriptors: root, /proc, /sys, /dev, the user's
 *   3. a cgroup namespace of its own, once the starter has placed us: unshared here, as the one that clone3() makes would be
 *      rooted at the starter's cgroup; the cgroup mount, masks, read-only root; pivot_root; the host is gone
 *   4. report "created"; wait for "start"
 *   5. identity, capabilities, no_new_privs, seccomp (proc/credentials.h has their order); execve */
#include "proc/init.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/wire.h"
#include "net/netns.h"
#include "proc/credentials.h"
#include "proc/denied-hint.h"
#include "proc/exec-path.h"
#include "proc/proc.h"
#include "proc/stdio.h"
#include "proc/sysctl.h"

static int become_root(Init *init, Error *reterr) {
        const UserMap *map = &init->plan->map;

        if (map->host)
                return 0;
        if (!map->single && !strv_contains(init->plan->config->group_add, "keep-groups") && setgroups(0, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot drop the supplementary groups");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        /* the change of IDs may have undone it (proc/namespaces.c) */
        if (init->plan->namespaces.n_joins > 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot protect the container's process");
        return 0;
}

static int separate_cgroup(Init *init, Error *reterr) {
        const NamespaceJoin *join = &init->plan->namespaces.cgroup;

        if (join->fd >= 0)
                return setns(join->fd, CLONE_NEWCGROUP) < 0 ? error_set_errno(reterr, -errno, "cannot join %s", join->what) : 0;
        if (init->plan->namespaces.host_cgroup)
                return 0;
        return unshare(CLONE_NEWCGROUP) < 0 ? error_set_errno(reterr, -errno, "cannot make a cgroup namespace") : 0;
}

static int apply_sysctl(Init *init, Error *reterr) {
        int flags = init->plan->namespaces.flags;
        SysctlNamespaces own = ((flags & CLONE_NEWIPC) ? SYSCTL_NAMESPACE_IPC : 0) |
                               ((flags & CLONE_NEWNET) ? SYSCTL_NAMESPACE_NET : 0) |
                               ((flags & CLONE_NEWUTS) ? SYSCTL_NAMESPACE_UTS : 0);

        char *const *words = init->plan->config->sysctl;
        int r = sysctl_apply(words, own, init->proc_fd, reterr);

        return r < 0 || !(own & SYSCTL_NAMESPACE_NET) ? r : sysctl_apply_defaults(words, init->plan->tcp_is_local, init->proc_fd, reterr);
}

static int raise_loopback(Init *init, Error *reterr) {
        int r = (init->plan->namespaces.flags & CLONE_NEWNET) ? netns_loopback_up() : 0;

        return r < 0 ? error_set_errno(reterr, r, "cannot bring the loopback interface up") : 0;
}

static int set_hostname(Init *init, Error *reterr) {
        const char *name = init->plan->hostname;

        if (!name || !(init->plan->namespaces.flags & CLONE_NEWUTS))
                return 0;
        return sethostname(name, strlen(name)) < 0 ? error_set_errno(reterr, -errno, "cannot set the host name '%s'", name) : 0;
}

static int set_oom_score(Init *init, Error *reterr) {
        /* where namespaces are joined, it was born with it */
        return init->plan->namespaces.n_joins > 0 ? 0 : oom_score_apply(init->plan->config->oom_score_adj, reterr);
}

static int run_steps(Init *init, int (*const *steps)(Init *, Error *), Error *reterr) {
        for (; *steps; steps++) {
                int r = (*steps)(init, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Most of the work is done while the starter sees to the cgroup. */
static int create(Init *init, int sync_fd, Error *reterr) {
        static int (*const before_placed[])(Init *, Error *) = {
                set_oom_score /* while /proc/self is ours */,
                become_root,    raise_loopback, init_mount_root,    init_mount_proc,    apply_sysctl /* while /proc/sys can be written */,
                init_mount_sys, init_mount_dev, init_mount_volumes, init_mount_secrets, set_hostname, NULL,
        };
        static int (*const after_placed[])(Init *, Error *) = {
                separate_cgroup, init_mount_cgroup, init_mask_paths, init_list_user, init_seal_root, init_pivot_root, NULL,
        };
        int r = run_steps(init, before_placed, reterr);

        if (r >= 0)
                r = wire_receive_result(sync_fd, reterr);
        return r < 0 ? r : run_steps(init, after_placed, reterr);
}

/* The environment of the process: secrets, and HOME where nobody set it. */
static int finish_environment(const ProcPlan *plan, char ***env, const ContainerUser *user, Error *reterr) {
        for (size_t i = 0; i < plan->n_secret_env; i++)
                if (strv_env_set(env, plan->secret_env[i].data) < 0)
                        return error_oom(reterr);
        if (!strv_env_get(*env, "HOME") && strv_consume(env, str_format("HOME=%s", user->home)) < 0)
                return error_oom(reterr);
        return 0;
}

static int execute(Init *init, int *sync_fd, Error *reterr) {
        const ProcPlan *plan = init->plan;
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        _cleanup_strv_ char **env = strv_copy(plan->env), **args = NULL;
        _cleanup_free_ char *program = NULL;
        RlimitPlan rlimits;
        const char *failed = NULL;
        mode_t mask = 0022;
        char byte;
        int r;

        _cleanup_fd_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(reterr, -errno, "cannot open the root file system");
        r = user_resolve(root, plan->config->user, plan->config->group_add, &user, reterr);
        if (r >= 0)
                r = user_check_mapped(&user, &plan->map, reterr);
        if (r >= 0 && plan->config->user && !plan->map.single && user_add_own_group(&user) < 0)
                r = error_oom(reterr);
        if (r >= 0)
                r = finish_environment(plan, &env, &user, reterr);
        if (r >= 0)
                r = rlimit_plan(plan->config->rlimits, plan->config->n_rlimits, &rlimits, reterr);
        if (r >= 0)
                r = apparmor_apply(plan->config->apparmor, init->proc_fd, reterr);
        if (r >= 0)
                r = stdio_take(plan->stdio, init->console_fd, &user, reterr);
        if (r >= 0)
                r = stdio_close_others(&(StdioKept){ plan->listen_fds, plan->kept_fds, plan->n_kept_fds }, sync_fd, reterr);
        if (r >= 0) {
                r = stdio_enter_workdir(plan->config->workdir, plan->config->make_workdir, &user, reterr);
                if (r == -EACCES)
                        return denied_hint(plan, plan->config->workdir, &user, r, reterr);
        }
        if (r >= 0)
                r = exec_path_find(plan->args[0], strv_env_get(env, "PATH"), &program, reterr);
        if (r < 0)
                return r;
        if (plan->config->umask_text && parse_mode(plan->config->umask_text, &mask) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use umask '%s'", plan->config->umask_text);
        (void) umask(mask);
        r = personality_apply(plan->config->personality, reterr);
        if (r < 0)
                return r;
        const Credentials credentials = {
                .user = &user,
                .caps = &plan->caps,
                .rlimits = &rlimits,
                .seccomp = &plan->seccomp,
                .bypass = plan->bypass,
                .bypass_fd = *sync_fd,
                .no_new_privileges = plan->config->no_new_privileges,
                .setgroups_denied = plan->map.single,
        };
        r = credentials_apply(&credentials, &failed);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot %s", failed);
        /* after the change of identity, which would clear it (prctl(2)); the starter may have died before: then we end */
        if (plan->die_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set_errno(reterr, -errno, "cannot tie the container to its command");
        if (plan->die_with_parent && recv(*sync_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
                _exit(1);
        (void) execve(program, plan->args, env);
        r = exec_path_explain(-errno, plan->args[0], reterr);
        return r == -EACCES ? denied_hint(plan, program, &user, r, reterr) : r;
}

/* Whoever may not trace this process may not look up its namespaces; it can show them itself. */
static int hand_out_namespaces(int sync_fd, Error *reterr) {
        static const char *const paths[] = { "/proc/self/ns/user", "/proc/self/ns/net" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_fd_ int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

                if (fd < 0)
                        return error_set_errno(reterr, -errno, "cannot open '%s'", paths[i]);
                int r = wire_send_result_fd(sync_fd, 0, /* error= */ NULL, fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot hand out a namespace");
        }
        return 0;
}

void proc_init(const ProcPlan *plan, int sync_fd) {
        _cleanup_error_ Error error = ERROR_NULL;
        Init init = { .plan = plan, .root_fd = -EBADF, .proc_fd = -EBADF, .null_fd = -EBADF, .empty_fd = -EBADF, .console_fd = -EBADF, .master_fd = -EBADF };
        sigset_t none;
        char byte;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* KILL and STOP refuse; fine */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) umask(0);

        int r = wire_receive_result(sync_fd, &error);
        if (r >= 0 && plan->hands_out_namespaces)
                r = hand_out_namespaces(sync_fd, &error);
        if (r >= 0)
                r = create(&init, sync_fd, &error);
        if (r >= 0)
                r = wire_send_result_fd(sync_fd, 0, /* error= */ NULL, init.master_fd);
        if (r >= 0) {
                init.master_fd = fd_close(init.master_fd);
                r = wire_receive_result(sync_fd, &error);
        }
        if (r >= 0)
                r = execute(&init, &sync_fd, &error);
        (void) wire_send_result(sync_fd, r, &error);
        /* whoever supervises sees the end only when the starter has written down why: it closes the socket then */
        (void) recv(sync_fd, &byte, 1, 0);
        _exit(plan->failure_exit_status ?: error_exit_status(&error));
}
