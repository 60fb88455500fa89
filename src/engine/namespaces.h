/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that containers share: who joins whom, and what follows from it.
 *
 * Every container has a user namespace of its own, and the kernel gives power over another namespace only to who has it in the
 * user namespace that owns it. So whoever joins a namespace of a container lives in that container's user namespace, and all
 * that it joins must belong to that one. */
#pragma once

#include "proc/plan.h"
#include "state/container.h"

/* The kinds, as Podman's options name them. */
typedef enum NamespaceKind {
        NAMESPACE_USER,
        NAMESPACE_NET,
        NAMESPACE_IPC,
        NAMESPACE_UTS,
        NAMESPACE_PID,
        NAMESPACE_CGROUP,
        _NAMESPACE_KIND_MAX,
} NamespaceKind;

/* At creation: makes full IDs of the names in config's modes and of --requires, checks that each may be joined, and gives the
 * container the ID map of the user namespace that it will live in. `replaces`: a container of config's name is removed first. */
int namespaces_resolve(const Store *store, ContainerConfig *config, bool replaces, Error *reterr);

/* At a start: opens what is joined, and decides what is made. plan->map is there already. A container that must run and does
 * not: -ESRCH (ERROR_STATE). */
int namespaces_plan(const Store *store, const ContainerConfig *config, ProcPlan *plan, Error *reterr);

/* The container whose namespace of that kind this one is in, by the records: the end of the chain of "container:ID". It is
 * loaded into *ret; 0: the container's own or something outside; 1: *ret has it. */
int namespaces_holder(const Store *store, const ContainerConfig *config, NamespaceKind kind, Container *ret, Error *reterr);

/* For showing: a container in another's network has the ports of that one, as Podman has it. Where that cannot be read it keeps
 * what it has. */
void namespaces_take_ports(const Store *store, Container *container);

/* The ID of the container that this mode names ("container:ID"), borrowed; NULL: none. */
const char *namespace_joined(const char *mode);
