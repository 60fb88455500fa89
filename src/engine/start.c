/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container in this very process. */
#include "engine/depend.h"
#include "engine/start.h"

#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/containers.h"
#include "cgroup/hierarchy.h"
#include "cgroup/limits.h"
#include "cgroup/manager.h"
#include "engine/bridge.h"
#include "engine/bypass.h"
#include "engine/health.h"
#include "engine/network.h"
#include "engine/notify-relay.h"
#include "engine/pid-file.h"
#include "engine/plan.h"
#include "engine/timeout.h"
#include "state/events.h"
#include "storage/volume.h"

/* ---- where it is accounted ---- */

typedef struct Placement {
        const Container *container;
        Manager manager;
        LimitSettings limits;
        bool own;      /* the cgroup is the container's alone */
        bool kept;     /* it is among those of sdpod-containers.service */
        int cgroup_fd; /* born there; -EBADF: placed later or not at all */
} Placement;

/* A cgroup below the unit's own. Where limits were asked, the controllers must be handed down, and then the unit's own
 * cgroup must be empty (cgroups(7), "no internal processes"): this process moves aside. */
static int place_in_unit(Placement *p, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        _cleanup_strv_ char **controllers = NULL;
        int r = process_cgroup(0, &path);

        if (r < 0)
                return p->limits.asked ? error_set_errno(reterr, r, "cannot find the unit's cgroup") : 0;
        _cleanup_fd_ int unit = cgroup_open(path, reterr);
        if (unit < 0)
                return unit;
        p->cgroup_fd = cgroup_make(unit, "container", reterr);
        if (p->cgroup_fd < 0 && !p->limits.asked) {
                error_done(reterr); /* not delegated: then the unit's own cgroup is the container's */
                log_debug("the unit's cgroup is not delegated (Delegate=yes), the container shares it");
                return 0;
        }
        p->own = p->cgroup_fd >= 0;
        if (p->cgroup_fd < 0) {
                (void) error_prefix(reterr, p->cgroup_fd, "cannot set limits");
                return error_with_hint(reterr, p->cgroup_fd, "the unit needs Delegate=yes");
        }
        if (!p->limits.asked)
                return 0;
        r = cgroup_controllers(unit, &controllers);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the unit's controllers");
        r = limits_check(&p->limits, controllers, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int aside = cgroup_make(unit, "supervisor", reterr);
        r = aside < 0 ? aside : cgroup_attach(aside, getpid());
        if (r >= 0)
                r = cgroup_enable_controllers(unit);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hand the unit's controllers down");
        return limits_write(&p->limits, p->cgroup_fd, reterr);
}

static int configure_scope(const Placement *p, pid_t pid, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = process_cgroup(pid, &path);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot find the container's cgroup");
        _cleanup_fd_ int fd = cgroup_open(path, reterr);
        return fd < 0 ? fd : limits_write_rest(&p->limits, fd, reterr);
}

static int enter_scope(pid_t pid, void *data, Error *reterr) {
        Placement *p = data;
        const ContainerConfig *config = &p->container->config;
        _cleanup_free_ char *name = str_format("sdpod-%s.scope", config->id), *job = NULL, *result = NULL;
        _cleanup_free_ char *description = str_format("sdpod container %s", config->name);
        const TransientUnit unit = { .name = name, .description = description, .slice = config->cgroup_parent, .limits = &p->limits, .pid = pid };

        if (!name || !description)
                return error_oom(reterr);
        int r = manager_start_transient(&p->manager, &unit, &job, reterr);
        if (r == -EEXIST) { /* an empty one of an earlier start, whose command was killed (engine/collect.c) */
                if (reterr)
                        error_done(reterr);
                r = manager_stop_unit(&p->manager, name, reterr);
                if (r >= 0)
                        r = manager_start_transient(&p->manager, &unit, &job, reterr);
        }
        if (r >= 0)
                r = manager_wait_job(&p->manager, job, &result, reterr);
        if (r < 0)
                return r;
        if (str_equal(result, "done"))
                return config->resources.cgroup_conf || container_resources_have_io(&config->resources) ? configure_scope(p, pid, reterr) : 0;
        (void) error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the scope of the container: %s", result);
        return error_with_hint(reterr, -EIO, "the manager's journal says why: journalctl --user --unit %s", name);
}

static int refuse_limits(const Placement *p, Error *reterr) {
        if (!p->limits.asked)
                return 0;
        (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set limits: there is no systemd manager of this user to ask");
        return error_with_hint(reterr, -EOPNOTSUPP, "log in so that 'systemctl --user status' works, or 'loginctl enable-linger'; 'sdpod doctor' tells what is missing");
}

/* The first since the user manager came up. */
static int start_containers_unit(void) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int r = manager_connect(&manager, /* reterr= */ NULL);

        return r < 0 ? r : manager_start_unit(&manager, CONTAINERS_UNIT, /* reterr= */ NULL);
}

/* To be born in a cgroup takes no time. Where that cannot be there is the scope, which also has the words for what is
 * missing. */
static bool place_among_containers(Placement *p, ProcPlan *plan) {
        const ContainerConfig *config = &p->container->config;

        if (config->cgroup_parent || !containers_cgroup_reachable())
                return false;
        int r = containers_cgroup_make(config->id, &p->limits, /* held= */ true);
        if (r == -ENOENT) {
                r = start_containers_unit(); /* where others run without a holder it is active */
                if (r >= 0)
                        r = containers_cgroup_make(config->id, &p->limits, /* held= */ false);
        }
        if (r < 0) {
                log_debug("no cgroup in " CONTAINERS_UNIT ", but a scope: %s", strerror(-r));
                return false;
        }
        plan->cgroup_fd = r;
        return p->own = p->kept = true;
}

static int place_in_scope(Placement *p, ProcPlan *plan, Error *reterr) {
        _cleanup_strv_ char **controllers = NULL;
        int r = manager_connect(&p->manager, reterr);

        if (r == -ENOENT)
                return refuse_limits(p, reterr);
        if (r < 0)
                return r;
        /* the default number of processes is systemd's business where the controller is missing: it passes it over */
        if (p->limits.asked) {
                r = manager_controllers(&p->manager, &controllers, reterr);
                if (r >= 0)
                        r = limits_check(&p->limits, controllers, reterr);
                if (r < 0)
                        return r;
        }
        p->own = true;
        plan->place = enter_scope;
        plan->place_data = p;
        return 0;
}

/* ---- what is written down ---- */

/* What is not handed the controllers of its unit is counted with it. */
static int64_t count_oom_kills(const ContainerProcess *process) {
        _cleanup_fd_ int fd = cgroup_open_memory_events(process->cgroup);
        const char *end = process->unit && fd < 0 ? strrchr(process->cgroup, '/') : NULL;

        if (end) {
                _cleanup_free_ char *unit = strndup(process->cgroup, (size_t) (end - process->cgroup));

                fd = cgroup_open_memory_events(unit);
        }
        return fd < 0 ? fd : cgroup_oom_kills(fd);
}

static int record_start(const Store *store, Container *container, const Proc *proc, bool in_unit, bool own_cgroup,
                        Error *reterr) {
        ContainerProcess *process = &container->process;
        int r = process_start_time(proc->pid, &process->start_time);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot record the container's process");
        if (!*store->boot_id)
                return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot record the container's process: the kernel does not tell the boot's ID");
        process->pid = proc->pid;
        /* a cgroup that others share is not the container's: pausing it would pause them */
        if ((!own_cgroup || process_cgroup(proc->pid, &process->cgroup) < 0) && !(process->cgroup = strdup("")))
                return error_oom(reterr);
        if (!(process->boot_id = strdup(store->boot_id)))
                return error_oom(reterr);
        if (in_unit) {
                process->unit = journal_own_unit();
                process->oom_kills = (uint64_t) MAX(count_oom_kills(process), 0);
        }
        container->state.started_usec = time_now_usec();
        container->state.finished_usec = 0;
        container->state.exited = container->state.oom_killed = container->state.initialized = false;
        container->state.exit_code = 0;
        (void) str_replace(&container->state.error, NULL);
        r = health_begin(store, container, reterr);
        if (r >= 0)
                r = container_save_process(store, container, reterr);
        return r < 0 ? r : container_save_state(container, reterr);
}

int engine_save_state(Container *container, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = container_save_state(container, &error);

        if (r == -ENOSPC || r == -EDQUOT) { /* or a full disk could not be emptied by removing what fills it */
                if (!container->config.auto_remove)
                        log_warning("container '%s': %s", container->config.name, error.message ?: strerror(-r));
                return 0;
        }
        if (r < 0)
                (void) error_move(reterr, &error);
        return r;
}

/* ---- the end ---- */

/* Whether this command is one of those that systemd runs after the container's process has ended (ExecStop=, ExecStopPost=): it is told
 * then how that was (systemd.exec(5), $SERVICE_RESULT). */
static bool ends_in_own_unit(const Container *container) {
        const char *unit = container->process.unit;
        _cleanup_free_ char *own = unit && getenv("EXIT_CODE") ? journal_own_unit() : NULL;

        return own && str_equal(own, unit);
}

bool engine_is_oom_killed(const Container *container) {
        int64_t kills = container->process.pid > 0 ? count_oom_kills(&container->process) : 0;

        /* a cgroup that is gone tells nothing any more: then it counts what was seen before */
        return container->state.oom_killed || (kills > 0 && (uint64_t) kills > container->process.oom_kills) ||
               (str_equal(getenv("SERVICE_RESULT"), "oom-kill") && ends_in_own_unit(container));
}

static int exit_code_from_environment(void) {
        const char *code = getenv("EXIT_CODE"), *status = getenv("EXIT_STATUS");
        int number;
        uint32_t n;

        if (str_equal(code, "exited") && status && parse_u32(status, &n) >= 0)
                return (int) n;
        if (code && status && parse_signal(status, &number) >= 0)
                return 128 + number;
        return -1;
}

int engine_exit_code(const Container *container) {
        const char *unit = container->state.unit ?: container->process.unit;
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int code, status;

        if (ends_in_own_unit(container))
                return exit_code_from_environment();
        if (!unit || manager_connect(&manager, /* reterr= */ NULL) < 0 ||
            manager_main_exit(&manager, unit, &code, &status, /* reterr= */ NULL) < 0)
                return -1;
        return code == CLD_EXITED ? status : 128 + status;
}

void engine_tell_exit(const Store *store, const Container *container, int exit_code) {
        if (engine_is_oom_killed(container))
                event_container(store, &container->config, "oom", EVENT_NO_EXIT_CODE);
        event_container(store, &container->config, "died", exit_code);
        event_container(store, &container->config, "cleanup", EVENT_NO_EXIT_CODE);
}

int engine_record_exit(const Store *store, Container *container, int exit_code, Error *reterr) {
        int r;

        container->state.oom_killed = engine_is_oom_killed(container);
        if (containers_cgroup_is(container->process.cgroup, container->config.id) &&
            (r = containers_cgroup_remove(container->config.id)) < 0)
                log_warning("cannot remove the cgroup of container '%s': %s", container->config.name, strerror(-r));
        if (timeout_was_over(store, container))
                exit_code = -1;
        health_unschedule(container);
        container->process.net_pid = 0; /* it ends by itself with the init */
        bridge_release(store, container);
        container->process.pid = 0;
        container->pidfd = fd_close(container->pidfd);
        container->state.exited = true;
        container->state.exit_code = exit_code;
        container->state.finished_usec = time_now_usec();
        r = engine_save_state(container, reterr);
        if (r >= 0)
                r = container_save_process(store, container, reterr);
        engine_tell_exit(store, container, exit_code);
        return r;
}

static void record_failure(const Store *store, Container *container, const Error *error, int64_t started_before) {
        container->process.pid = 0;
        container->state.initialized = false;
        container->state.started_usec = started_before;
        (void) str_replace(&container->state.error, error ? error->message : NULL);
        (void) container_save_process(store, container, /* reterr= */ NULL);
        (void) container_save_state(container, /* reterr= */ NULL);
}

static void mark_filled(const Store *store, VolumeHolds *volumes) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (volume_holds_mark(store, volumes, &error) < 0)
                log_warning("%s", error.message ?: "cannot note that a volume is filled");
}

/* ---- the start ---- */

static int place(Placement *p, const StartOptions *options, ProcPlan *plan, Error *reterr) {
        int r;

        switch (options->place) {
        case START_IN_UNIT:
                r = place_in_unit(p, reterr);
                plan->cgroup_fd = TAKE_FD(p->cgroup_fd);
                return r;
        case START_WITH_SYSTEMD:
                return place_among_containers(p, plan) ? 0 : place_in_scope(p, plan, reterr);
        default:
                if (p->container->config.cgroup_parent)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                         "cannot use --cgroup-parent: there is no systemd manager of this user to ask");
                return refuse_limits(p, reterr);
        }
}

static int run(const Store *store, Container *container, const StartOptions *options, ProcPlan *plan, bool own_cgroup,
               VolumeHolds *volumes, BridgeStart *bridge, Proc *proc, Error *reterr) {
        _cleanup_net_helper_ NetHelper net = NET_HELPER_NULL;
        _cleanup_bypass_ Bypass bypass = BYPASS_NULL;
        int r = proc_clone(plan, proc, reterr);

        proc_plan_forget_secrets(plan);
        /* the network and the root file system are made at the same time */
        if (r >= 0)
                r = network_start(&container->config, proc, &net, reterr);
        if (r >= 0)
                r = bridge_begin(store, container, proc, bridge, reterr);
        if (r >= 0)
                r = bypass_start(store, container, plan, proc, &bypass, reterr);
        if (r >= 0 && options->meanwhile)
                r = options->meanwhile(container, options->data, reterr);
        if (r >= 0)
                r = proc_wait_created(proc, reterr);
        if (r >= 0)
                r = network_wait(&net, &container->process, reterr);
        if (r >= 0)
                r = bridge_wait(bridge, &container->process, reterr);
        if (r >= 0)
                r = bypass_wait(&bypass, reterr);
        if (r >= 0 && options->created)
                r = options->created(container, proc, options->data, reterr);
        if (r >= 0)
                r = record_start(store, container, proc, options->place == START_IN_UNIT, own_cgroup, reterr);
        if (r >= 0)
                r = pid_files_write(&container->config, proc->pid, reterr);
        if (r >= 0)
                r = notify_relay_begin(store, container, plan->notify_fd, reterr);
        if (r >= 0)
                mark_filled(store, volumes); /* while nothing but the image's content can be in them */
        if (r >= 0)
                r = proc_start(proc, reterr);
        if (r >= 0)
                bypass_bring(store, container, proc);
        return r;
}

/* It runs: a watch that cannot be made ends it again, and whoever waits for it sees that. */
static void watch_time(const Store *store, Container *container) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (timeout_begin(store, container, &error) >= 0)
                return;
        log_warning("%s: killing it", error.message ?: "cannot watch the time of the container");
        (void) process_signal(container->pidfd, SIGKILL);
}

int engine_start_here(const Store *store, Container *container, const StartOptions *options, Proc *ret, Error *reterr) {
        _cleanup_proc_plan_ ProcPlan plan = PROC_PLAN_NULL;
        _cleanup_proc_ Proc proc = PROC_NULL;
        _cleanup_volume_holds_ VolumeHolds volumes = {};
        _cleanup_bridge_start_ BridgeStart bridge = BRIDGE_START_NULL;
        Placement placement = { .container = container, .manager = MANAGER_NULL, .cgroup_fd = -EBADF };
        PlanOptions plan_options = {
                .storage_driver = options->storage_driver,
                .die_with_parent = options->foreground,
                .cgroup_fd = -EBADF,
                .listen_fds = options->listen_fds,
                .kept_fds = options->kept_fds,
                .n_kept_fds = options->n_kept_fds,
        };
        int64_t started_before = container->state.started_usec;

        memcpy(plan_options.stdio, options->stdio, sizeof(plan_options.stdio));
        /* what a run that was killed with its supervisor left on record is not true of this one */
        json_fields_done(container_process_fields, &container->process);
        container->process = (ContainerProcess){};
        int r = dependencies_check(store, &container->config, reterr);
        if (r >= 0)
                r = network_check(&container->config, reterr);
        if (r >= 0)
                r = limits_resolve(&container->config.resources, options->place == START_WITH_SYSTEMD, &placement.limits, reterr);
        if (r >= 0)
                r = bridge_prepare(store, container, &bridge, reterr);
        plan_options.parent_userns_fd = bridge.router.userns_fd;
        if (r >= 0)
                r = plan_make(store, container, &plan_options, &plan, &volumes, reterr);
        plan.tcp_is_local = !bridge.leaves_machine;
        plan.failure_exit_status = options->failure_exit_status;
        plan.orphan = options->orphan;
        if (r >= 0)
                r = place(&placement, options, &plan, reterr);
        if (r >= 0 && !placement.own && !(plan.namespaces.flags & CLONE_NEWPID))
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                              "cannot join another container's PID namespace if not creating cgroups: nobody could end all its processes");
        if (r >= 0)
                r = run(store, container, options, &plan, placement.own, &volumes, &bridge, &proc, reterr);
        manager_done(&placement.manager);
        (void) fd_close(placement.cgroup_fd);
        if (r < 0) {
                bridge_release(store, container);
                record_failure(store, container, reterr, started_before);
                if (options->failed)
                        options->failed(container, reterr, options->data);
                if (placement.kept) {
                        proc_done(&proc); /* what is in it ends first */
                        (void) containers_cgroup_remove(container->config.id);
                }
                return r;
        }
        if (options->started)
                options->started(container, options->data);
        container->pidfd = fcntl(proc.pidfd, F_DUPFD_CLOEXEC, 3);
        container->status = CONTAINER_RUNNING;
        watch_time(store, container);
        event_container(store, &container->config, "init", EVENT_NO_EXIT_CODE);
        event_container(store, &container->config, "start", EVENT_NO_EXIT_CODE);
        *ret = proc;
        proc = PROC_NULL;
        return 0;
}
