/* SPDX-License-Identifier: Apache-2.0 */
/* A further command in a running container. */
#include "engine/exec.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/process.h"
#include "base/secret-memory.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "engine/bypass.h"
#include "engine/front.h"
#include "engine/pipes.h"
#include "engine/policy.h"
#include "engine/relay.h"
#include "engine/secrets.h"
#include "ns/idmap.h"
#include "proc/join.h"
#include "state/events.h"

enum { DYING_USEC = 2000000 };

/* The manager moves a process across sessions, which the kernel does not let a user do. */
static int attach_by_manager(pid_t pid, void *data, Error *reterr) {
        const Container *container = data;
        _cleanup_free_ char *own = journal_unit_of(container->process.cgroup, geteuid() != 0);
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_strv_ char **parts = strv_split(container->process.cgroup, "/");
        _cleanup_free_ char *sub_cgroup = NULL;
        const char *unit = NULL;

        if (!parts)
                return error_oom(reterr);
        /* the innermost unit of the path, and what lies below it */
        for (size_t i = 0; parts[i]; i++)
                if (str_has_suffix(parts[i], ".scope") || str_has_suffix(parts[i], ".service")) {
                        unit = parts[i];
                        free(sub_cgroup);
                        _cleanup_free_ char *rest = strv_join(parts + i + 1, "/");
                        sub_cgroup = str_format("/%s", rest ?: "");
                }
        int r = unit && own ? manager_connect(&manager, reterr) : -ENOENT;
        if (r == -ENOENT) { /* or it is the machine's, as of a service with User= */
                log_debug("there is no systemd to move the process into the container's cgroup");
                return 0;
        }
        return r < 0 ? r : manager_attach(&manager, unit, sub_cgroup, pid, reterr);
}

static void free_env(char ***env) {
        secret_strv_free(*env);
}

static int make_env(const Store *store, const ContainerConfig *config, const ExecOptions *options, char ***ret, Error *reterr) {
        _cleanup_(free_env) char **env = strv_copy(config->env);
        int r = config->env && !env ? -ENOMEM : 0;

        if (r >= 0 && config->hostname && !strv_env_get(env, "HOSTNAME"))
                r = strv_consume(&env, str_format("HOSTNAME=%s", config->hostname));
        if (r >= 0 && options->terminal && !strv_env_get(env, "TERM"))
                r = strv_append(&env, "TERM=xterm");
        r = r < 0 ? error_oom(reterr) : secrets_add_env(store, config, &env, reterr);
        if (r < 0)
                return r;
        for (char *const *p = options->env; p && *p && r >= 0; p++)
                r = strv_env_set(&env, *p);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(env);
        return 0;
}

static int join(const Store *store, Container *container, const ExecOptions *options, const Pipes *pipes, Proc *ret, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_user_map_ UserMap base = {};
        _cleanup_(free_env) char **env = NULL;
        _cleanup_fd_ int cgroup = -EBADF;
        JoinPlan plan = {
                .config = config,
                .init_pidfd = container->pidfd,
                .init_pid = container->process.pid,
                .user = options->user,
                .workdir = options->workdir,
                .args = options->args,
                .terminal = options->terminal,
                .die_with_parent = !options->detach,
                .cgroup_fd = -EBADF,
                .place = attach_by_manager,
                .place_data = container,
                .seccomp = &filter,
                .kept_fds = options->kept_fds,
                .n_kept_fds = options->n_kept_fds,
        };

        memcpy(plan.stdio, pipes->theirs, sizeof(plan.stdio));
        int r = user_map_default(&base, reterr);
        if (r >= 0 && container->process.bypass)
                r = bypass_wall_choose(&plan.bypass, reterr);
        if (r >= 0)
                r = policy_resolve(store, config, options->privileged, &plan.caps, &filter, reterr);
        if (r < 0)
                return r;
        r = make_env(store, config, options, &env, reterr);
        if (r < 0)
                return r;
        if (!str_empty(container->process.cgroup) && !str_equal(container->process.cgroup, "/")) {
                cgroup = cgroup_open(container->process.cgroup, reterr);
                if (cgroup < 0)
                        return cgroup;
                int own = options->sub_cgroup ? cgroup_make(cgroup, options->sub_cgroup, /* reterr= */ NULL) : -EBADF;
                if (own >= 0) {
                        (void) fd_close(cgroup);
                        cgroup = own;
                }
        } else
                plan.place = NULL;
        plan.setgroups_denied = base.single;
        plan.env = env;
        plan.cgroup_fd = cgroup;
        r = proc_join(&plan, ret, reterr);
        if (r >= 0)
                bypass_bring(store, container, ret);
        return r;
}

/* Somebody typed the keys: the command runs on, and what it writes is thrown away, as with exec --detach. */
static int leave(Relay *relay, Front *front, int signal_fd, Error *reterr) {
        int r = front_leave(front, reterr);

        relay->out.to = -EBADF;
        relay->open_stdin = relay->detached = false;
        return r < 0 ? r : relay_run(relay, signal_fd, reterr);
}

int engine_exec(const Store *store, Container *container, const ExecOptions *options, int *ret_exit_code, Error *reterr) {
        _cleanup_pipes_ Pipes pipes = PIPES_NULL;
        _cleanup_proc_ Proc proc = PROC_NULL;
        _cleanup_front_ Front front = FRONT_NULL;
        _cleanup_fd_ int signal_fd = -EBADF;
        int r = 0;

        if (container->pidfd < 0 || container->status != CONTAINER_RUNNING)
                return error_set(reterr, -ESRCH, ERROR_STATE,
                                 "cannot exec in container '%s': can only create exec sessions on running containers, it is %s",
                                 container->config.name, container_status_to_string(container->status));
        if (!options->detach && front_is_wanted(options->terminal, options->open_stdin, options->detach_keys))
                r = front_make(&front, reterr);
        if (r >= 0)
                r = relay_block_signals(!options->detach && !options->terminal, &signal_fd, reterr);
        if (r >= 0 && !options->terminal && !options->detach)
                r = pipes_make(options->open_stdin, &pipes, reterr);
        if (r >= 0)
                r = join(store, container, options, &pipes, &proc, reterr);
        /* whatever it was that could not be done then; what is in it ends a moment before its init is seen to */
        if (r == -ESRCH || (r < 0 && process_wait_end(container->pidfd, r == -EPIPE ? DYING_USEC : 0) >= 0))
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot exec in container '%s': it ended meanwhile", container->config.name);
        if (r < 0)
                return r;
        pipes_close_theirs(&pipes);
        if (!options->silent)
                event_container(store, &container->config, "exec", EVENT_NO_EXIT_CODE);
        *ret_exit_code = 0;
        if (options->detach)
                return 0;
        Relay relay = {
                .pidfd = proc.pidfd,
                .console_fd = TAKE_FD(proc.console_fd),
                .stdin_to = TAKE_FD(pipes.ours[0]),
                .open_stdin = options->open_stdin,
                .sig_proxy = !options->terminal,
                .out = { .from = TAKE_FD(pipes.ours[1]), .to = STDOUT_FILENO },
                .err = { .from = TAKE_FD(pipes.ours[2]), .to = STDERR_FILENO },
                .drain_only_until_end = true,
                .detach_keys = front.tell_fd >= 0 ? options->detach_keys : NULL,
        };
        r = relay_run(&relay, signal_fd, reterr);
        if (r >= 0 && relay.detached)
                r = leave(&relay, &front, signal_fd, reterr);
        relay_done(&relay);
        if (r < 0)
                (void) process_signal(proc.pidfd, SIGKILL);
        *ret_exit_code = process_reap(proc.pid);
        if (!options->silent)
                event_container(store, &container->config, "exec_died", *ret_exit_code);
        return r;
}
