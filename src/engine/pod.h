/* SPDX-License-Identifier: Apache-2.0 */
/* Pods: containers that are made, started, stopped and removed together.
 *
 * Theory of operation. A pod is a record (state/pod.h) with a mark for each of its containers. One of them is mostly the infra
 * container: it has no image, its one process (main/sdpod-infra.c) does nothing, and the namespaces that the pod shares are its
 * own; the others are made with --network=container:INFRA and so on, and depend on it. So ports, hosts and name servers of
 * the pod are those of the infra container, on its record, and nothing in the start of a container knows of pods.
 *
 * The cgroups of all are in a slice of systemd's, which has the pod's limits. What is in a unit of somebody's own (--cgroups=split,
 * and so all containers of unit files) stays there. */
#pragma once

#include "engine/detached.h"
#include "state/pod.h"

/* Members of a pod as they are now: the end of one that nobody recorded is recorded. Sorted by ID; what vanished meanwhile
 * is left out. */
typedef struct PodMembers {
        Container *items;
        size_t n;
} PodMembers;

void pod_members_done(PodMembers *members);
#define _cleanup_pod_members_ _cleanup_(pod_members_done)

int engine_pod_members(const Store *store, const Pod *pod, PodMembers *ret, Error *reterr);

/* The infra container among them; NULL: there is none (any more). */
Container *pod_members_infra(const PodMembers *members);

/* All of them in the order in which they were made, NULL-terminated and borrowed; the vector is the caller's. NULL: out of memory. */
Container **pod_members_in_order(const PodMembers *members);

/* Podman's word for the pod's state: "Running", "Degraded", ... */
const char *pod_members_state(const PodMembers *members);

typedef struct PodCreateOptions {
        bool replace;               /* a pod of that name is removed first, running or not */
        const char *storage_driver;
} PodCreateOptions;

/* Makes the record and, unless `infra` is NULL, the infra container from what the pod was asked for. Both configs are moved.
 * *ret is not locked. */
int engine_pod_create(const Store *store, PodConfig *config, ContainerConfig *infra, const PodCreateOptions *options, Pod *ret, Error *reterr);

/* What a new container gets from its pod: the namespaces that are shared, the slice, volumes, devices, policies. What the
 * container was given itself stands where it can; what it cannot have of its own in a pod is refused. */
int engine_pod_apply(const Store *store, const Pod *pod, ContainerConfig *config, Error *reterr);

/* Starts the infra container where it does not run, and puts the member into the pod's hosts file: before each start of one. */
int engine_pod_start_infra(const Store *store, const ContainerConfig *member, const DetachedOptions *options, Error *reterr);

/* Infra container, init containers one after the other, all others. `again`: init containers have run already. */
int engine_pod_start(const Store *store, const Pod *pod, bool again, const DetachedOptions *options, Error *reterr);

/* Members, all at the same time, then the infra container. `timeout` NULL: each its own. */
int engine_pod_stop(const Store *store, const Pod *pod, const int64_t *timeout, Error *reterr);

/* The one and then the other; or the unit of somebody else's making that holds the pod is restarted. */
int engine_pod_restart(const Store *store, const Pod *pod, const DetachedOptions *options, Error *reterr);

/* All members that run, one after the other; the first error ends it. SIGKILL waits for their ends for a moment. */
int engine_pod_kill(const Store *store, const Pod *pod, int signal, Error *reterr);

/* Pauses the members that run, or has those go on that are paused. */
int engine_pod_pause(const Store *store, const Pod *pod, bool pause, Error *reterr);

/* Removes containers and record. -EBUSY (ERROR_STATE): a member runs, and `force` is not set. */
int engine_pod_remove(const Store *store, Pod *pod, bool force, const int64_t *timeout, Error *reterr);

/* What follows from the end, or the removal, of one of its containers: the exit policy. No container may be locked. */
void engine_pod_member_ended(const Store *store, const ContainerConfig *config);

/* The JSON view of a pod: `podman pod inspect`. */
int inspect_pod(const Store *store, const Pod *pod, json_t **ret, Error *reterr);
