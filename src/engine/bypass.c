/* SPDX-License-Identifier: Apache-2.0 */
/* Outgoing connections by sockets of the host. */
#include "engine/bypass.h"

#include <linux/capability.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/namespaces.h"
#include "engine/network.h"
#include "proc/seccomp-bypass.h"

#define DOOR "bypass.sock" /* in the container's runtime directory */

void bypass_done(Bypass *bypass) {
        bypass->listen_fd = fd_close(bypass->listen_fd);
        bypass_helper_done(&bypass->helper);
}

/* The options of the network that the container is in, with its own wish. 1: it wants it. */
static int wanted(const Store *store, const ContainerConfig *config, NetConfig *ret, Error *reterr) {
        _cleanup_container_ Container holder = CONTAINER_NULL;
        bool own = false;
        int said = network_bypass_annotation(config, &own, reterr), r = said;

        if (r >= 0)
                r = namespaces_holder(store, config, NAMESPACE_NET, &holder, reterr);
        if (r >= 0)
                r = network_slirp_config(r > 0 ? &holder.config : config, ret, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                return own ? error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                       "cannot use the annotation '" NETWORK_BYPASS_ANNOTATION "': it is for --network=slirp4netns") : 0;
        return said > 0 ? own : ret->bypass;
}

static int check(const ProcPlan *plan, Error *reterr) {
        if (plan->map.host) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use bypass as root: the container's root would have root's power over the host's network");
                return error_with_hint(reterr, -EOPNOTSUPP, "run it as an ordinary user");
        }
        if (plan->caps.bounding & CAPS_BIT(CAP_NET_ADMIN)) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot use bypass with CAP_NET_ADMIN: connections would go past the container's own firewall");
                return error_with_hint(reterr, -EOPNOTSUPP, "leave out --cap-add NET_ADMIN and --privileged, or bypass");
        }
        return seccomp_bypass_is_known() ? 0 : error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use bypass: not on this architecture");
}

int bypass_plan(const Store *store, const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;
        int r = config->infra ? 0 : wanted(store, config, &net, reterr); /* a pod's infra container connects to nothing */

        if (r <= 0)
                return r;
        plan->hands_out_namespaces = true;
        r = check(plan, reterr);
        return r < 0 ? r : bypass_wall_choose(&plan->bypass, reterr);
}

int bypass_start(const Store *store, Container *container, const ProcPlan *plan, const Proc *proc, Bypass *ret, Error *reterr) {
        _cleanup_net_config_ NetConfig net = NET_CONFIG_NULL;

        if (!plan->bypass)
                return 0;
        int r = wanted(store, &container->config, &net, reterr), dir_fd = r < 0 ? r : container_runtime_fd(store, container, reterr);
        if (dir_fd < 0)
                return dir_fd;
        if (unlinkat(dir_fd, DOOR, 0) < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot remove '" DOOR "' of an earlier start");
        ret->listen_fd = io_unix_listen(dir_fd, DOOR, SOCK_SEQPACKET, 0600);
        if (ret->listen_fd < 0)
                return error_set_errno(reterr, ret->listen_fd, "cannot make '" DOOR "'");
        const BypassHelperRequest request = { .config = &net, .listen_fd = ret->listen_fd, .init_pidfd = proc->pidfd, .userns_fd = proc->userns_fd };

        container->process.bypass = true;
        r = bypass_helper_start(&request, &ret->helper, reterr);
        ret->listen_fd = fd_close(ret->listen_fd); /* or nobody would see that it has ended */
        return r;
}

int bypass_wait(Bypass *bypass, Error *reterr) {
        return bypass_helper_wait_ready(&bypass->helper, reterr);
}

void bypass_bring(const Store *store, Container *container, Proc *proc) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (proc->bypass_listener_fd < 0)
                return;
        int dir_fd = container_runtime_fd(store, container, &error);
        int r = dir_fd < 0 ? dir_fd : bypass_helper_bring(dir_fd, DOOR, proc->bypass_listener_fd, proc->bypass_route_fd);
        if (r < 0)
                log_warning("container '%s' cannot connect to anything: its sdpod-bypass has ended; a restart brings it back",
                            container->config.name);
        proc->bypass_listener_fd = fd_close(proc->bypass_listener_fd);
        proc->bypass_route_fd = fd_close(proc->bypass_route_fd);
}
