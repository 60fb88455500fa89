/* SPDX-License-Identifier: Apache-2.0 */
/* Starts sdpod-net again.
 *
 * The tap went with its process; the network namespace is there, and what the container has bound to its addresses is bound
 * still. The new tap gets the same name, hardware address and addresses, and the ports are those that were really bound. */
#include "engine/network-restart.h"

#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "cgroup/hierarchy.h"
#include "engine/internal-command.h"
#include "engine/network.h"

enum { STEADY_USEC = 10000000, QUICK_MAX = 5 };

bool network_is_down(const Container *container) {
        const ContainerProcess *process = &container->process;

        if ((container->status != CONTAINER_RUNNING && container->status != CONTAINER_PAUSED) || process->net_pid <= 0)
                return false;
        _cleanup_fd_ int fd = process_open(process->net_pid, process->net_start_time);
        return fd < 0 || process_has_ended(fd);
}

int network_restart_command(const Store *store, const char *id, char ***ret) {
        return internal_command(store, /* storage_driver= */ NULL, "__network-restart", id, ret);
}

/* To where it was: systemd counts it with its unit, and ends it with it. Where the unit's controllers are handed down, its own
 * cgroup must have no processes (cgroups(7)), and the starter has made one beside the container's. */
static void enter_unit(const ContainerProcess *process) {
        _cleanup_free_ char *path = process->unit && !str_empty(process->cgroup) ? strdup(process->cgroup) : NULL;
        _cleanup_fd_ int unit = path ? cgroup_open(dirname(path), /* reterr= */ NULL) : -EBADF;

        if (unit < 0)
                return;
        if (cgroup_is_populated(unit, "supervisor") || cgroup_attach(unit, getpid()) < 0) {
                _cleanup_fd_ int aside = cgroup_make(unit, "supervisor", /* reterr= */ NULL);
                if (aside < 0 || cgroup_attach(aside, getpid()) < 0)
                        log_debug("the network process stays in the cgroup of who started it");
        }
}

static int start_again(Container *container, Error *reterr) {
        ContainerProcess *process = &container->process, before = *process;
        _cleanup_net_helper_ NetHelper helper = NET_HELPER_NULL;
        Proc proc = PROC_NULL;

        proc.pid = process->pid;
        proc.pidfd = container->pidfd;
        int r = network_start_with(&container->config, process->ports, process->n_ports, &proc, &helper, reterr);
        if (r < 0)
                return r;
        process->ports = NULL;
        process->n_ports = 0;
        r = network_wait(&helper, process, reterr);
        if (r < 0) { /* the record keeps what is wanted */
                *process = before;
                return r;
        }
        ContainerProcess old = { .ports = before.ports, .n_ports = before.n_ports };
        json_fields_done(container_process_fields, &old);
        return 0;
}

int network_restart(const Store *store, Container *container, Error *reterr) {
        int r = container_lock(store, container, reterr);

        if (r < 0)
                return r;
        if (network_is_down(container) && network_has_helper(&container->config)) {
                enter_unit(&container->process);
                r = start_again(container, reterr);
                if (r >= 0)
                        r = container_save_process(store, container, reterr);
                if (r >= 0)
                        log_info("the network of container '%s' is up again", container->config.name);
        }
        container_unlock(container);
        return r < 0 ? error_prefix(reterr, r, "cannot start the network again") : 0;
}

int network_guard_open(const NetworkGuard *guard) {
        const ContainerProcess *process = &guard->container->process;
        int fd = process->net_pid > 0 ? process_open(process->net_pid, process->net_start_time) : -EBADF;

        return MAX(fd, -EBADF);
}

int network_guard_ended(void *data) {
        _cleanup_error_ Error error = ERROR_NULL;
        NetworkGuard *guard = data;
        Container *container = guard->container;
        int64_t now = time_monotonic_usec();

        (void) process_reap(container->process.net_pid);
        if (container->pidfd < 0 || process_has_ended(container->pidfd))
                return -EBADF;
        guard->n_quick = guard->since_usec > 0 && now - guard->since_usec < STEADY_USEC ? guard->n_quick + 1 : 0;
        guard->since_usec = now;
        if (guard->n_quick > QUICK_MAX) {
                log_warning("the network of container '%s' is down and stays so: its network process ends again and again",
                            container->config.name);
                return -EBADF;
        }
        log_warning("the network process of container '%s' has ended; starting it again", container->config.name);
        if (network_restart(guard->store, container, &error) < 0) {
                log_warning("the network of container '%s' is down: %s", container->config.name, error.message ?: "out of memory");
                return -EBADF;
        }
        return network_guard_open(guard);
}
