/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing away what killed commands left. */
#include "engine/collect.h"

#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/pod.h"
#include "engine/remove.h"
#include "state/pending.h"
#include "storage/mapped.h"

enum { DYING_USEC = 2000000 };

bool engine_is_leftover(const Store *store, const Container *container) {
        if (!container->config.auto_remove || container->pidfd >= 0 || container->state.unit)
                return false;
        /* without a mark it was made by a command that is done with it, and waits to be started */
        _cleanup_fd_ int fd = pending_try(store, container->config.id);
        return fd >= 0;
}

static bool is_id(const char *text) {
        return strlen(text) == CONTAINER_ID_LENGTH && strspn(text, "0123456789abcdef") == CONTAINER_ID_LENGTH;
}

/* A record without a name is no container: see state/container.c. */
static int remove_nameless(const Store *store, const char *id, Error *reterr) {
        _cleanup_fd_ int parent = store_open_data(store, "containers", reterr);
        _cleanup_fd_ int runtime = store_open_runtime(store, "containers", reterr);
        int r = parent < 0 ? parent : runtime < 0 ? runtime : 0;

        _cleanup_free_ char *dying = str_format(".tmp-rm-%s", id);
        if (!dying)
                return error_oom(reterr);
        if (r >= 0)
                r = mapped_remove_tree(parent, id, reterr);
        if (r >= 0)
                r = mapped_remove_tree(parent, dying, reterr);
        return r < 0 ? r : mapped_remove_tree(runtime, id, reterr);
}

/* A pod whose maker was killed before its infra container was there. 1: the mark is that of a pod. */
static int collect_pod(const Store *store, const char *id, Error *reterr) {
        _cleanup_container_ Container infra = CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = pod_load(store, id, &pod, &error);

        if (r == -ENOENT)
                return 0;
        if (r >= 0 && pod.config.infra_id)
                r = container_load(store, pod.config.infra_id, &infra, &error);
        if (r >= 0)
                return 1;
        if (r != -ENOENT) /* what cannot be read is not gone */
                return error_move(reterr, &error);
        r = engine_pod_remove(store, &pod, /* force= */ true, /* timeout= */ NULL, reterr);
        return r < 0 ? r : 1;
}

static int collect_one(const Store *store, const char *id, int *pending_fd, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_free_ char *found = NULL;
        _cleanup_error_ Error ignored = ERROR_NULL;
        int r = collect_pod(store, id, reterr);

        if (r != 0)
                return r;
        r = container_load(store, id, &container, &ignored);
        if (r >= 0) /* by its ID: it may be getting another name at this moment */
                r = container_find(store, id, &found, &ignored);
        if (r < 0 || !str_equal(found, id)) {
                engine_drop_cgroup(id);
                return remove_nameless(store, id, reterr);
        }
        r = container_settle_name(store, &container, reterr);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!container.config.auto_remove || container.state.unit)
                return 0; /* it was made, or started, before its command was killed */
        /* in the foreground it dies with its command, but not in the same moment */
        if (container.pidfd >= 0 && process_wait_end(container.pidfd, DYING_USEC) < 0)
                return 0;
        container.pending_fd = TAKE_FD(*pending_fd);
        return engine_remove(store, &container, &(RemoveOptions){ .volumes = true, .by_supervisor = true }, reterr);
}

void engine_collect(const Store *store) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        if (pending_list(store, &ids, &error) < 0)
                log_warning("%s", error.message ?: "out of memory");
        for (char **id = ids; id && *id; id++) {
                _cleanup_error_ Error failure = ERROR_NULL;
                int fd = is_id(*id) ? pending_try(store, *id) : -EINVAL;

                if (fd < 0)
                        continue;
                log_debug("clearing away what is left of container %.12s", *id);
                int r = collect_one(store, *id, &fd, &failure);
                if (r == -EEXIST) { /* others need it: it goes once they are gone */
                        fd = fd_close(fd);
                        continue;
                }
                if (r < 0) {
                        log_warning("cannot clear away container %.12s, which a killed command left: %s", *id,
                                    failure.message ?: "out of memory");
                        fd = fd_close(fd);
                } else
                        pending_drop(store, *id, &fd);
        }
}
