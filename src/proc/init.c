/* SPDX-License-Identifier: Apache-2.0 */
/* The container's init: from the clone to the exec.
 *
 * Theory of operation. The steps below run in this order, as root of the container's user namespace; each names what it
 * irreversibly does.
 *   1. become root of the user namespace (setgroups, setresgid, setresuid), once the starter has written the maps
 *   2. a cgroup namespace of its own: unshared here, as the one that clone3() makes would be rooted at the starter's cgroup
 *   3. mounts, by descriptors: root, /proc, /dev, /sys, the user's, masks, read-only root; pivot_root; the host is gone
 *   4. report "created"; wait for "start"
 *   5. identity, capabilities, no_new_privs, seccomp (proc/credentials.h has their order); execve */
#include "proc/init.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "base/wire.h"
#include "proc/credentials.h"
#include "proc/exec-path.h"
#include "proc/mount.h"
#include "proc/proc.h"
#include "proc/sysctl.h"

static int become_root(Init *init, Error *reterr) {
        const UserMap *map = &init->plan->map;

        if (map->host)
                return 0;
        if (!map->single && setgroups(0, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot drop the supplementary groups");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot become root of the user namespace");
        return 0;
}

static int separate_cgroup(Init *init, Error *reterr) {
        if (str_equal(init->plan->config->cgroupns_mode, "host"))
                return 0;
        return unshare(CLONE_NEWCGROUP) < 0 ? error_set_errno(reterr, -errno, "cannot make a cgroup namespace") : 0;
}

static int apply_sysctl(Init *init, Error *reterr) {
        int flags = init->plan->namespaces.flags;
        SysctlNamespaces own = ((flags & CLONE_NEWIPC) ? SYSCTL_NAMESPACE_IPC : 0) |
                               ((flags & CLONE_NEWNET) ? SYSCTL_NAMESPACE_NET : 0) |
                               ((flags & CLONE_NEWUTS) ? SYSCTL_NAMESPACE_UTS : 0);

        return sysctl_apply(init->plan->config->sysctl, own, init->proc_fd, reterr);
}

static int set_hostname(Init *init, Error *reterr) {
        const char *name = init->plan->hostname;

        if (!name || !(init->plan->namespaces.flags & CLONE_NEWUTS))
                return 0;
        return sethostname(name, strlen(name)) < 0 ? error_set_errno(reterr, -errno, "cannot set the host name '%s'", name) : 0;
}

static int set_oom_score(Init *init, Error *reterr) {
        char text[16];
        int r;

        if (init->plan->config->oom_score_adj == 0)
                return 0;
        (void) snprintf(text, sizeof(text), "%d", init->plan->config->oom_score_adj);
        r = file_write_string(init->proc_fd, "self/oom_score_adj", text);
        if (r < 0) {
                (void) error_set_errno(reterr, r, "cannot set the OOM score to %s", text);
                (void) error_hint(reterr, "an ordinary user can only raise it");
        }
        return r;
}

static int create(Init *init, Error *reterr) {
        static int (*const steps[])(Init *, Error *) = {
                become_root,       separate_cgroup,  init_mount_root, init_mount_proc, init_mount_sys,  init_mount_dev,
                init_mount_volumes, init_mask_paths, apply_sysctl,    set_oom_score,   set_hostname,    init_seal_root,
                init_pivot_root,
        };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r = steps[i](init, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Pipes become the user's: a process may reopen /dev/stdout, which is a file check on the pipe's owner. */
static int take_stdio(const Init *init, const ContainerUser *user, Error *reterr) {
        int stdio[3];

        for (int i = 0; i < 3; i++) {
                stdio[i] = init->console_fd >= 0 ? init->console_fd : init->plan->stdio[i];
                if (stdio[i] < 0)
                        stdio[i] = init->null_fd;
                stdio[i] = fcntl(stdio[i] == init->null_fd ? open("/dev/null", O_RDWR | O_CLOEXEC) : stdio[i], F_DUPFD_CLOEXEC,
                                 16 + SD_LISTEN_FDS_MAX);
                if (stdio[i] < 0)
                        return error_set_errno(reterr, -errno, "cannot set up standard input and output");
        }
        if (init->console_fd >= 0 && (setsid() < 0 || ioctl(stdio[0], TIOCSCTTY, 0) < 0))
                return error_set_errno(reterr, -errno, "cannot take the terminal");
        for (int i = 0; i < 3; i++) {
                struct stat st;

                if (fstat(stdio[i], &st) >= 0 && (S_ISFIFO(st.st_mode) || init->console_fd >= 0) &&
                    fchown(stdio[i], user->uid, S_ISFIFO(st.st_mode) ? user->gid : (gid_t) -1) < 0 && errno != EPERM)
                        return error_set_errno(reterr, -errno, "cannot set up standard input and output");
                if (dup2(stdio[i], i) < 0)
                        return error_set_errno(reterr, -errno, "cannot set up standard input and output");
        }
        return 0;
}

/* Everything but standard input and output, the sockets of socket activation and the handshake is closed. */
static int close_others(const Init *init, int *sync_fd, Error *reterr) {
        unsigned first = 3 + (unsigned) init->plan->listen_fds;

        if ((unsigned) *sync_fd != first) {
                if (dup3(*sync_fd, (int) first, O_CLOEXEC) < 0)
                        return error_set_errno(reterr, -errno, "cannot close descriptors");
                *sync_fd = (int) first;
        }
        for (unsigned fd = 3; fd < first; fd++)
                (void) fcntl((int) fd, F_SETFD, 0);
        return close_range(first + 1, ~0U, 0) < 0 ? error_set_errno(reterr, -errno, "cannot close descriptors") : 0;
}

static int enter_workdir(const ContainerConfig *config, const ContainerUser *user, Error *reterr) {
        const char *path = str_empty(config->workdir) ? "/" : config->workdir;
        char cwd[4096];

        if (chdir(path) < 0) {
                _cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), made = -EBADF;

                if (errno != ENOENT)
                        return error_set_errno(reterr, -errno, "cannot enter the working directory '%s'", path);
                made = path_mkdirs_in_root(root, path, 0755, user->uid, user->gid);
                if (made < 0)
                        return error_set_errno(reterr, made, "cannot make the working directory '%s'", path);
                if (chdir(path) < 0)
                        return error_set_errno(reterr, -errno, "cannot enter the working directory '%s'", path);
        }
        /* a descriptor of the host as the working directory would show as "(unreachable)/..." (CVE-2024-21626) */
        if (!getcwd(cwd, sizeof(cwd)) || *cwd != '/')
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use the working directory '%s': it is outside the container",
                                 path);
        return 0;
}

/* The environment of the process: HOME where nobody set it. */
static int finish_environment(char ***env, const ContainerUser *user, Error *reterr) {
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
                r = finish_environment(&env, &user, reterr);
        if (r >= 0)
                r = rlimit_plan(plan->config->rlimits, plan->config->n_rlimits, &rlimits, reterr);
        if (r >= 0)
                r = take_stdio(init, &user, reterr);
        if (r >= 0)
                r = close_others(init, sync_fd, reterr);
        if (r >= 0)
                r = enter_workdir(plan->config, &user, reterr);
        if (r >= 0)
                r = exec_path_find(plan->args[0], strv_env_get(env, "PATH"), &program, reterr);
        if (r < 0)
                return r;
        if (plan->config->umask_text && parse_mode(plan->config->umask_text, &mask) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use umask '%s'", plan->config->umask_text);
        (void) umask(mask);
        const Credentials credentials = {
                .user = &user,
                .caps = &plan->caps,
                .rlimits = &rlimits,
                .seccomp = &plan->seccomp,
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
        return exec_path_explain(-errno, plan->args[0], reterr);
}

void proc_init(const ProcPlan *plan, int sync_fd) {
        _cleanup_error_ Error error = ERROR_NULL;
        Init init = { .plan = plan, .root_fd = -EBADF, .proc_fd = -EBADF, .null_fd = -EBADF, .console_fd = -EBADF, .master_fd = -EBADF };
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* KILL and STOP refuse; fine */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) umask(0);

        int r = wire_receive_result(sync_fd, &error);
        if (r >= 0)
                r = create(&init, &error);
        if (r >= 0)
                r = wire_send_result_fd(sync_fd, 0, /* error= */ NULL, init.master_fd);
        if (r >= 0) {
                init.master_fd = fd_close(init.master_fd);
                r = wire_receive_result(sync_fd, &error);
        }
        if (r >= 0)
                r = execute(&init, &sync_fd, &error);
        (void) wire_send_result(sync_fd, r, &error);
        _exit(1);
}
