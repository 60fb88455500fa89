/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping pods. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "engine/pod.h"
#include "engine/remove.h"
#include "engine/stop.h"
#include "state/events.h"

enum { HOSTS_LIMIT = 1024 * 1024, KILL_TIMEOUT_USEC = 10000000 };

/* ---- the slice ---- */

/* Only where there are limits: otherwise it comes with the units in it. */
static int start_slice(const Pod *pod, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *name = pod_slice(&pod->config), *description = str_format("sdpod pod %s", pod->config.name), *job = NULL,
                            *result = NULL;
        _cleanup_strv_ char **controllers = NULL;
        LimitSettings limits;

        if (!name || !description)
                return error_oom(reterr);
        if (!pod_has_limits(&pod->config))
                return 0;
        int r = limits_resolve(&pod->config.resources, /* with_default= */ false, &limits, reterr);
        if (r >= 0)
                r = manager_connect(&manager, reterr);
        if (r == -ENOENT)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot start pod '%s': it has limits, and there is no systemd manager of this user to ask", pod->config.name);
        if (r >= 0)
                r = manager_controllers(&manager, &controllers, reterr);
        if (r >= 0)
                r = limits_check(&limits, controllers, reterr);
        if (r < 0)
                return r;
        const TransientUnit unit = { .name = name, .description = description, .limits = &limits };
        r = manager_start_transient(&manager, &unit, &job, reterr);
        if (r == -EEXIST) { /* it runs, with the limits that the record has: they do not change */
                error_done(reterr);
                return 0;
        }
        if (r >= 0)
                r = manager_wait_job(&manager, job, &result, reterr);
        return r < 0 || str_equal(result, "done")
                       ? r
                       : error_set(reterr, -EIO, ERROR_INTERNAL, "cannot start the slice of pod '%s': %s", pod->config.name, result);
}

/* It would stay when its units have gone. */
static void stop_slice(const Pod *pod) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *name = pod_slice(&pod->config);

        if (name && pod->config.infra_id && manager_is_there() && manager_connect(&manager, /* reterr= */ NULL) >= 0)
                (void) manager_stop_unit(&manager, name, /* reterr= */ NULL);
}

/* ---- start ---- */

/* Whether this very command is the start of the unit that the pod was made for: then the infra container is its main process. */
static bool is_own_unit(const ContainerConfig *infra) {
        _cleanup_free_ char *own = infra->systemd_unit ? journal_own_unit() : NULL;

        /* where systemd heard of the unit by another name of its first (Alias=), both commands are told that one */
        return own && (str_equal(own, infra->systemd_unit) || str_equal(getenv("PODMAN_SYSTEMD_UNIT"), infra->systemd_unit));
}

static int start_infra(const Store *store, const Pod *pod, Container *infra, const DetachedOptions *options, Error *reterr) {
        int r = start_slice(pod, reterr);

        if (r >= 0)
                r = container_lock(store, infra, reterr);
        if (r < 0)
                return r;
        if (infra->pidfd >= 0) { /* somebody else was faster */
                container_unlock(infra);
                return 0;
        }
        r = is_own_unit(&infra->config) ? engine_start_in_unit(store, infra, options, reterr)
                                        : engine_start_detached(store, infra, options, reterr);
        container_unlock(infra);
        return r < 0 ? r : container_refresh(store, infra, reterr);
}

/* Members reach each other by their names, too: a line in the hosts file that all of them have mounted. It is written anew when
 * the infra container starts. A name more or less is no reason not to start. */
static void add_host_name(const Store *store, Container *infra, const char *name) {
        _cleanup_free_ char *line = str_format("127.0.0.1\t%s\n", name), *text = NULL;
        int dir_fd = container_runtime_fd(store, infra, /* reterr= */ NULL);

        if (!line || dir_fd < 0 || file_read(dir_fd, "hosts", HOSTS_LIMIT, &text, /* ret_size= */ NULL) < 0 || strstr(text, line))
                return;
        _cleanup_fd_ int fd = openat(dir_fd, "hosts", O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && io_write_full(fd, line, strlen(line)) < 0)
                log_warning("cannot add '%s' to the hosts of the pod", name);
}

int engine_pod_start_infra(const Store *store, const ContainerConfig *member, const DetachedOptions *options, Error *reterr) {
        _cleanup_container_ Container infra = CONTAINER_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;

        if (!member->pod || member->infra)
                return 0;
        int r = pod_load(store, member->pod, &pod, reterr);
        if (r < 0 || !pod.config.infra_id)
                return r;
        r = container_load(store, pod.config.infra_id, &infra, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot start pod '%s'", pod.config.name);
        r = infra.pidfd >= 0 ? 0 : start_infra(store, &pod, &infra, options, reterr);
        if (r >= 0 && member->name && member->network && str_after(member->network, "container:"))
                add_host_name(store, &infra, member->name);
        return r;
}

static int start_one(const Store *store, Container *c, const DetachedOptions *options, Error *reterr) {
        int r = container_lock(store, c, reterr);

        if (r >= 0 && c->pidfd < 0)
                r = engine_start_detached(store, c, options, reterr);
        container_unlock(c);
        return r;
}

static int run_init_container(const Store *store, Container *c, const DetachedOptions *options, Error *reterr) {
        bool gone = false;
        int r = start_one(store, c, options, reterr);

        if (r >= 0)
                r = container_refresh(store, c, reterr);
        if (r >= 0 && c->pidfd >= 0)
                r = process_wait_end(c->pidfd, UINT64_MAX);
        if (r >= 0)
                r = engine_wait_recorded(store, c, &gone, reterr);
        if (r < 0)
                return r;
        if (gone || c->state.exit_code != 0)
                return error_set(reterr, -ECANCELED, ERROR_STATE, "cannot start the pod: init container '%s' exited with code %d",
                                 c->config.name, gone ? -1 : c->state.exit_code);
        return str_equal(c->config.init_container, "once")
                       ? engine_remove(store, c, &(RemoveOptions){ .volumes = true, .with_pod = true }, reterr)
                       : 0;
}

/* All but init containers, each of them tried; the last failure counts, those before are told. */
static int start_members(const Store *store, Container *const *order, const DetachedOptions *options, Error *reterr) {
        _cleanup_error_ Error last = ERROR_NULL;

        for (; *order; order++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if ((*order)->config.infra || (*order)->config.init_container || (*order)->pidfd >= 0)
                        continue;
                if (start_one(store, *order, options, &error) >= 0)
                        continue;
                if (last.code < 0)
                        error_print(&last);
                (void) error_move(&last, &error);
        }
        return last.code < 0 ? error_move(reterr, &last) : 0;
}

static bool has_work(Container *const *order) {
        for (; *order; order++)
                if (!(*order)->config.infra && !(*order)->config.init_container && (*order)->pidfd < 0)
                        return true;
        return false;
}

int engine_pod_start(const Store *store, const Pod *pod, bool again, const DetachedOptions *options, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ Container **order = NULL;
        int r = engine_pod_members(store, pod, &members, reterr);

        if (r < 0)
                return r;
        Container *infra = pod_members_infra(&members);
        if (members.n == 0 || (pod->config.infra_id && !infra)) {
                (void) error_set(reterr, -ENOENT, ERROR_STATE,
                                 members.n == 0 ? "cannot start pod '%s': it has no containers" : "cannot start pod '%s': its infra container is gone",
                                 pod->config.name);
                return error_with_hint(reterr, -ENOENT, members.n == 0 ? "add some: sdpod create --pod %s IMAGE" : "remove it: sdpod pod rm --force %s",
                                  pod->config.name);
        }
        if (!(order = pod_members_in_order(&members)))
                return error_oom(reterr);
        if (infra && infra->pidfd < 0)
                r = start_infra(store, pod, infra, options, reterr);
        bool run_init = !again && has_work(order);
        for (Container **c = order; r >= 0 && run_init && *c; c++)
                if ((*c)->config.init_container && (*c)->pidfd < 0)
                        r = run_init_container(store, *c, options, reterr);
        if (r >= 0)
                r = start_members(store, order, options, reterr);
        if (r >= 0)
                event_named(store, "pod", "start", pod->config.id, pod->config.name);
        return r;
}

/* ---- the end ---- */

typedef int (*MemberAction)(const Store *store, Container *c, const void *data, Error *reterr);

/* The action for all members at once, each in a child: what one of them takes long for the others do not wait for. The children
 * tell what went wrong. */
static int each_at_once(const Store *store, const PodMembers *members, MemberAction action, const void *data, const char *what, Error *reterr) {
        _cleanup_free_ pid_t *pids = calloc(members->n + 1, sizeof(pid_t));
        bool failed = false;

        if (!pids)
                return error_oom(reterr);
        for (size_t i = 0; i < members->n; i++) {
                Container *c = &members->items[i];

                if (c->config.infra)
                        continue;
                pids[i] = fork();
                if (pids[i] < 0) {
                        log_warning("cannot start a helper for container '%s': %s", c->config.name, strerror(errno));
                        failed = true;
                }
                if (pids[i] != 0)
                        continue;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = action(store, c, data, &error);
                if (r < 0 && r != -ENOENT)
                        error_print(&error);
                _exit(r < 0 && r != -ENOENT);
        }
        for (size_t i = 0; i < members->n; i++)
                if (pids[i] > 0)
                        failed = process_reap(pids[i]) != 0 || failed;
        return failed ? error_set(reterr, -EIO, ERROR_INTERNAL, "cannot %s: not all of its containers could be", what) : 0;
}

static int stop_member(const Store *store, Container *c, const void *data, Error *reterr) {
        const int64_t *timeout = data;

        if (c->pidfd < 0 && !c->state.unit)
                return 0;
        return engine_stop(store, c, timeout ? *timeout : c->config.stop_timeout, /* by_user= */ true, reterr);
}

int engine_pod_stop(const Store *store, const Pod *pod, const int64_t *timeout, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ char *what = str_format("stop pod '%s'", pod->config.name);
        int r = what ? engine_pod_members(store, pod, &members, reterr) : error_oom(reterr);

        if (r >= 0)
                r = each_at_once(store, &members, stop_member, timeout, what, reterr);
        Container *infra = pod_members_infra(&members);
        if (r >= 0 && infra) /* it has nothing to do for its stop signal */
                r = stop_member(store, infra, timeout, reterr);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        stop_slice(pod);
        event_named(store, "pod", "stop", pod->config.id, pod->config.name);
        return 0;
}

int engine_pod_restart(const Store *store, const Pod *pod, const DetachedOptions *options, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        int r = engine_pod_members(store, pod, &members, reterr);
        Container *infra = pod_members_infra(&members);

        if (r >= 0 && infra && infra->pidfd >= 0 && infra->process.unit && !infra->state.unit)
                return engine_restart_in_unit(infra, /* timeout= */ NULL, reterr); /* the members' units are bound to it */
        if (r >= 0)
                r = engine_pod_stop(store, pod, /* timeout= */ NULL, reterr);
        return r < 0 ? r : engine_pod_start(store, pod, /* again= */ true, options, reterr);
}

int engine_pod_kill(const Store *store, const Pod *pod, int signal, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        int r = engine_pod_members(store, pod, &members, reterr);

        for (size_t i = 0; i < members.n && r >= 0; i++)
                if (members.items[i].pidfd >= 0)
                        r = engine_kill(store, &members.items[i], signal, reterr);
        for (size_t i = 0; i < members.n && r >= 0 && signal == SIGKILL; i++)
                if (members.items[i].pidfd >= 0) /* there is no way around that one: who asks next sees the end */
                        (void) process_wait_end(members.items[i].pidfd, KILL_TIMEOUT_USEC);
        if (r >= 0)
                event_named(store, "pod", "kill", pod->config.id, pod->config.name);
        return r;
}

int engine_pod_pause(const Store *store, const Pod *pod, bool pause, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        int r = engine_pod_members(store, pod, &members, reterr);

        for (size_t i = 0; i < members.n && r >= 0; i++)
                if (members.items[i].status == (pause ? CONTAINER_RUNNING : CONTAINER_PAUSED))
                        r = engine_pause(store, &members.items[i], pause, reterr);
        if (r >= 0)
                event_named(store, "pod", pause ? "pause" : "unpause", pod->config.id, pod->config.name);
        return r;
}

/* ---- removal ---- */

typedef struct Removal {
        const int64_t *timeout;
        bool force;
} Removal;

static int remove_member(const Store *store, Container *c, const void *data, Error *reterr) {
        const Removal *removal = data;
        const RemoveOptions options = {
                .force = removal->force, .volumes = true, .with_pod = true,
                .has_timeout = removal->timeout, .timeout = removal->timeout ? *removal->timeout : 0,
        };

        return engine_remove(store, c, &options, reterr);
}

static int refuse_running(const Pod *pod, const PodMembers *members, Error *reterr) {
        for (size_t i = 0; i < members->n; i++) {
                const Container *c = &members->items[i];

                if (c->config.infra || c->pidfd < 0)
                        continue;
                (void) error_set(reterr, -EBUSY, ERROR_STATE, "cannot remove pod '%s': container '%s' is %s", pod->config.name,
                                 c->config.name, container_status_to_string(c->status));
                return error_with_hint(reterr, -EBUSY, "stop it first, or use --force");
        }
        return 0;
}

int engine_pod_remove(const Store *store, Pod *pod, bool force, const int64_t *timeout, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_free_ char *what = str_format("remove pod '%s'", pod->config.name);
        const Removal removal = { timeout, force }, infra_removal = { timeout, /* force= */ true };

        if (!what)
                return error_oom(reterr);
        int r = pod_lock(pod, reterr);
        if (r == -ENOENT) {
                error_done(reterr);
                return 0;
        }
        if (r >= 0)
                r = engine_pod_members(store, pod, &members, reterr);
        if (r >= 0 && !force)
                r = refuse_running(pod, &members, reterr);
        if (r >= 0)
                r = each_at_once(store, &members, remove_member, &removal, what, reterr);
        Container *infra = pod_members_infra(&members);
        if (r >= 0 && infra)
                r = remove_member(store, infra, &infra_removal, reterr);
        if (r >= 0) {
                stop_slice(pod);
                r = pod_delete(store, pod, reterr);
        }
        pod_unlock(pod);
        if (r >= 0)
                event_named(store, "pod", "remove", pod->config.id, pod->config.name);
        return r;
}

/* ---- the exit policy ---- */

static bool is_busy(const Container *c) {
        return !c->config.infra && !c->config.init_container && c->pidfd >= 0;
}

/* A restart policy brings it back. */
static bool comes_again(const Container *c) {
        const char *policy = c->config.restart_policy;

        if (!policy || c->state.stopped_by_user || c->state.started_usec == 0)
                return false;
        return str_equal(policy, "always") || str_equal(policy, "unless-stopped") ||
               (str_equal(policy, "on-failure") && c->state.exit_code != 0 &&
                (c->config.restart_retries == 0 || c->state.restart_count < c->config.restart_retries));
}

void engine_pod_member_ended(const Store *store, const ContainerConfig *config) {
        _cleanup_pod_members_ PodMembers members = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;

        if (!config->pod || config->infra || config->init_container)
                return;
        int r = pod_load(store, config->pod, &pod, &error);
        if (r >= 0 && !str_equal(pod.config.exit_policy, "stop"))
                return;
        if (r >= 0)
                r = engine_pod_members(store, &pod, &members, &error);
        for (size_t i = 0; i < members.n && r >= 0; i++)
                if (is_busy(&members.items[i]) || comes_again(&members.items[i]))
                        return;
        /* nothing but that: the end of a member is told by its unit, which is not over before we are, and the slice has it in it */
        Container *infra = pod_members_infra(&members);
        if (r >= 0 && infra && infra->pidfd >= 0)
                r = engine_stop(store, infra, infra->config.stop_timeout, /* by_user= */ true, &error);
        if (r < 0 && r != -ENOENT)
                log_warning("%s", error.message ?: "cannot stop the pod: out of memory");
}
