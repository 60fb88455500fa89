/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to a plan for the process: everything is looked up, opened and decided here, so that the container's init
 * only carries out. */
#pragma once

#include "proc/plan.h"
#include "state/container.h"
#include "storage/volume.h"

typedef struct PlanOptions {
        const char *storage_driver; /* NULL: what works */
        int stdio[3];               /* for no terminal; borrowed */
        bool die_with_parent;
        int cgroup_fd;              /* moved into the plan; -EBADF: none */
        int listen_fds;
        const int *kept_fds;        /* further descriptors for the process, see proc/plan.h */
        size_t n_kept_fds;
        int parent_userns_fd;       /* the user namespace in which the container's must be made; -EBADF: any. Borrowed */
} PlanOptions;

/* Fills *ret. `holds` gets the volumes, of which the init fills some from the image (to be marked once it has). The
 * files for /etc/hosts, resolv.conf and hostname are written. */
int plan_make(const Store *store, Container *container, const PlanOptions *options, ProcPlan *ret, VolumeHolds *holds, Error *reterr);
