/* SPDX-License-Identifier: Apache-2.0 */
/* Removing containers. */
#pragma once

#include "state/container.h"

typedef struct RemoveOptions {
        bool force;            /* a running one is stopped first, and killed when its time is over */
        bool volumes;          /* its anonymous volumes too */
        bool with_pod;         /* its pod goes, too: an infra container is not removed otherwise */
        bool by_supervisor;    /* called by what held it: there is no unit to stop */
        bool has_timeout;
        int64_t timeout;       /* seconds before the kill; -1: never */
} RemoveOptions;

/* Removes the container and all that belongs to it. Takes its lock. -EBUSY (ERROR_STATE): it runs, and `force` is not set;
 * -EEXIST: others need it (engine/depend.h). */
int engine_remove(const Store *store, Container *container, const RemoveOptions *options, Error *reterr);

/* Removes the cgroup, or the scope, of a container of which nothing runs, where a killed command left one. */
void engine_drop_cgroup(const char *id);
