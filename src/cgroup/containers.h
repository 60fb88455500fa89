/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroups of containers in the foreground: each a directory of its own below one delegated unit of the manager,
 * sdpod-containers.service.
 *
 * Theory of operation. A scope takes in a process that is there already, and to move a process the kernel waits for a grace
 * period of RCU: more than half of the wall time of a run. A process that is born in its cgroup (CLONE_INTO_CGROUP) waits for
 * nothing, but its cgroup must be there before it, and must be ours to fill: so there is one unit for all of them, whose inside
 * systemd leaves alone (Delegate=). Who makes a cgroup in it writes its limits, and removes it. An empty unit would end, and
 * its cgroup go: in the sub-cgroup `holder` lives one process that does nothing. It is no main process: if somebody kills it,
 * the unit ends with the last container, and the next one starts it again.
 *
 * The kernel lets only those be born there whose parent is in a cgroup below the user manager's too (cgroups(7), "Delegation
 * containment"). A login session (ssh, console) is not: its containers get a scope, which the system manager helps to fill. */
#pragma once

#include "cgroup/limits.h"

#define CONTAINERS_UNIT "sdpod-containers.service"

/* Whether this process may bear children in there. */
bool containers_cgroup_reachable(void);

/* What the unit executes: hands the controllers of its own cgroup down, for which no process may be in there, forks the
 * process that holds it, and returns in the parent. */
int containers_cgroup_hold(Error *reterr);

/* Makes the cgroup of container `id`, with these limits, and opens it. What an earlier run left is removed. -ENOENT: the unit
 * is not active, or, with `held`, nothing keeps it so. -EOPNOTSUPP: a limit was asked for that has no controller there. */
int containers_cgroup_make(const char *id, const LimitSettings *limits, bool held);

/* Removes it, and ends what is still in it. 0: it is gone, 1: there was none. */
int containers_cgroup_remove(const char *id);

/* Whether a cgroup is that of the container in this unit. */
bool containers_cgroup_is(const char *cgroup, const char *id);
