/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that somebody else has made: entering them before the container's init is born. */
#pragma once

#include <linux/sched.h>

#include "proc/plan.h"

void namespace_plan_done(NamespacePlan *plan);

/* clone3(2), by a process in between, of a child of the caller, or of the subreaper (plan->orphan), in the namespaces of
 * plan->namespaces.joins, which runs `function` and exits with what it returns. `args` as for clone3(), but its exit signal and
 * parent, which the plan decides. Where there are joins the child is not dumpable until its execve(2): in a PID namespace that is
 * shared, others see it while it holds descriptors of the host (ptrace(2)). Returns the pid and *ret_pidfd, or -errno: then there
 * is no child. */
int namespaces_clone_inside(const ProcPlan *plan, const struct clone_args *args, int (*function)(void *data), void *data,
                            int *ret_pidfd, Error *reterr);

/* A detached copy of the mount at `path` of the process behind the pidfd, which must be a tmpfs: seen from inside its mount
 * namespace, no symlink followed. `own_user_namespace`: it has another one than the caller. A descriptor or -errno. */
int namespaces_clone_tmpfs(int pidfd, bool own_user_namespace, const char *path, Error *reterr);
