/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a container's life: hooks poststart, and all that goes with it. */
#include <signal.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/time.h"
#include "oci/create.h"
#include "oci/host-mounts.h"

enum { KILL_TIMEOUT_USEC = 20 * 1000 * 1000 };

/* config.json is read again only where there are such hooks. */
static int run_hooks(RuntimeHookKind kind, const OciContainer *c, const char *status, pid_t pid, Error *reterr) {
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;

        int r = oci_container_spec(c, &spec, reterr);
        if (r < 0)
                return r;
        const OciHookState state = { .spec = &spec, .id = c->id, .bundle = c->record.bundle, .status = status, .pid = pid };
        return oci_hooks_run(kind, &state, /* go_on= */ kind == HOOK_POSTSTOP, reterr);
}

int oci_poststart(const OciContainer *container, Error *reterr) {
        return container->record.has_poststart ? run_hooks(HOOK_POSTSTART, container, "running", container->record.pid, reterr) : 0;
}

/* The init ends, and with it all of its PID namespace; what shares another's is found by the cgroup. */
static int kill_processes(OciContainer *c, Error *reterr) {
        if (c->pidfd < 0)
                return 0;
        int r = process_signal(c->pidfd, SIGKILL);
        if (r < 0 && r != -ESRCH)
                return error_set_errno(reterr, r, "cannot kill the container '%s'", c->id);
        if (runtime_cgroup_is_frozen(&c->record.cgroup))
                (void) runtime_cgroup_freeze(&c->record.cgroup, false, /* reterr= */ NULL); /* in v1 nothing dies while it is frozen */
        r = process_wait_end(c->pidfd, KILL_TIMEOUT_USEC);
        if (r == -ETIMEDOUT) {
                (void) error_set(reterr, r, ERROR_IN_USE, "cannot end the container '%s': its process is killed, but has not ended in %d seconds",
                                 c->id, KILL_TIMEOUT_USEC / 1000000);
                return error_with_hint(reterr, r, "another's cgroup may have it frozen, or the kernel waits for a disk");
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot wait for the end of the container '%s'", c->id);
        c->pidfd = fd_close(c->pidfd);
        return 0;
}

static void poststop(const OciContainer *c) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (c->record.has_poststop && c->record.pid > 0 && run_hooks(HOOK_POSTSTOP, c, "stopped", 0, &error) < 0)
                log_warning("%s", error.message);
}

int oci_unmake(OciContainer *container, Error *reterr) {
        log_debug("removing the container '%s'", container->id);
        int r = kill_processes(container, reterr);

        if (r >= 0 && container->record.cgroup.path)
                r = runtime_cgroup_remove(&container->record.cgroup, reterr);
        if (r >= 0)
                r = oci_host_mounts_remove(&container->record, reterr);
        if (r < 0)
                return r;
        poststop(container);
        return oci_container_remove(container, reterr);
}
