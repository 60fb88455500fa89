/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a container that is there: its record, and what runs.
 *
 * Who limits a running container is who made its cgroup. Of a unit of ours (sdpod-ID.service, sdpod-ID.scope) that is systemd, which is
 * told, or the next daemon-reload would write its own values again; the sub-cgroup that the container sees has them, too. Of a
 * cgroup in sdpod-containers.service, and below a unit file's unit, it is us. */
#pragma once

#include "state/container.h"

/* What has changed in it. */
typedef struct Update {
        bool resources, restart, health;
        const char *storage_driver; /* for the checks that a timer makes */
} Update;

/* Locks the container and reads its record again: now the caller may change container->config, and engine_update() carries that out. */
int engine_update_begin(const Store *store, Container *container, Error *reterr);

/* Brings what runs into line with the changed record, and writes the record. On failure the one on disk stays as it was. */
int engine_update(const Store *store, Container *container, const Update *update, Error *reterr);
