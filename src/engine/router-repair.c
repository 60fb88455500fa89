/* SPDX-License-Identifier: Apache-2.0 */
/* From records to what the router is asked. */
#include "engine/router-repair.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/str.h"
#include "engine/bridge.h"
#include "ns/handle.h"
#include "state/container.h"

/* Calls back for each container that may live and is on a network; stops at what is not 0. */
static int for_each(const Store *store, int (*function)(const Store *store, Container *container, void *data), void *data) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int r = container_lister_open(store, &lister, /* reterr= */ NULL);

        if (r >= 0)
                r = container_list(store, &ids, /* reterr= */ NULL);
        for (char **id = ids; r == 0 && id && *id; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (container_may_run(&lister, *id) && container_load(store, *id, &container, /* reterr= */ NULL) >= 0 && container.pidfd >= 0 &&
                    container.process.n_networks > 0)
                        r = function(store, &container, data);
        }
        return r;
}

static int find_userns(_unused_ const Store *store, Container *container, void *data) {
        _cleanup_fd_ int userns = ns_open_of_process(container->pidfd, container->process.pid, "user", /* reterr= */ NULL);
        int parent = userns < 0 || ns_is_own(userns, "user") ? -ENOENT : ns_parent(userns);

        if (parent < 0)
                return 0;
        if (ns_is_own(parent, "user")) {
                (void) fd_close(parent);
                return 0;
        }
        *(int *) data = parent;
        return 1;
}

int router_repair_userns(const Store *store) {
        int fd = -EBADF;

        return for_each(store, find_userns, &fd) == 1 ? fd : -ENOENT;
}

typedef struct Found {
        RouterRequest *requests;
        int (*fds)[2];
        size_t n;
} Found;

static int collect(const Store *store, Container *container, void *data) {
        Found *found = data;
        RouterRequest *requests = reallocarray(found->requests, found->n + 1, sizeof(*requests));

        if (!requests)
                return -ENOMEM;
        found->requests = requests;
        int (*fds)[2] = reallocarray(found->fds, found->n + 1, sizeof(*fds));
        if (!fds)
                return -ENOMEM;
        found->fds = fds;
        fds[found->n][0] = fds[found->n][1] = -EBADF;
        requests[found->n] = (RouterRequest){};
        int r = bridge_request(store, container, &requests[found->n], /* reterr= */ NULL);
        if (r < 0) {
                router_request_done(&requests[found->n]);
                return r;
        }
        fds[found->n][0] = fcntl(container->pidfd, F_DUPFD_CLOEXEC, 3);
        fds[found->n][1] = ns_open_of_process(container->pidfd, container->process.pid, "net", /* reterr= */ NULL);
        found->n++;
        return 0;
}

int router_repair_list(const Store *store, RouterRequest **ret_requests, int (**ret_fds)[2], size_t *ret_n) {
        Found found = {};
        int r = for_each(store, collect, &found);

        *ret_requests = found.requests;
        *ret_fds = found.fds;
        *ret_n = found.n;
        return r;
}
