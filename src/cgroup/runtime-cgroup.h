/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a container of sdpod-oci: one directory in each hierarchy the machine has (v1, v2 or both, cgroups(7)), or a
 * scope of systemd, with the limits of the runtime-spec (config-linux.md, "Control groups"). A controller that is absent is
 * an error only where a limit was asked of it. */
#pragma once

#include <sys/types.h>

#include "spec/runtime-spec.h"

typedef struct RuntimeCgroup {
        char *path;              /* below every hierarchy's root, "/..."; owned */
        char *unit, *slice;      /* with the systemd driver: the scope and its slice; owned */
        bool systemd;
        bool rootless;           /* what cannot be made is done without, where no limit was asked */
        bool is_none;            /* --cgroup-manager=disabled */
        bool is_made;            /* by us: it is removed with the container */
        bool is_foreign;         /* found to be in use: not to be removed */
        struct CgroupTree *tree; /* what making it opened, for the first process that is put there */
        bool is_limited;         /* a limit was asked: a process that cannot be put into it must not run */
} RuntimeCgroup;

#define RUNTIME_CGROUP_NULL ((RuntimeCgroup){})

typedef enum RuntimeCgroupDriver {
        RUNTIME_CGROUP_FILES,    /* cgroupfs */
        RUNTIME_CGROUP_SYSTEMD,
        RUNTIME_CGROUP_DISABLED,
} RuntimeCgroupDriver;

/* For the record of a container. */
extern const JsonField runtime_cgroup_fields[];

void runtime_cgroup_done(RuntimeCgroup *cgroup);
#define _cleanup_runtime_cgroup_ _cleanup_(runtime_cgroup_done)

/* Where the container goes: by linux.cgroupsPath (relative ones are below the root, too; NULL: "/ID"; with systemd
 * "slice:prefix:name"), whatever of it can be told without making anything. */
int runtime_cgroup_plan(const RuntimeSpec *spec, const char *id, RuntimeCgroupDriver driver, bool rootless,
                        RuntimeCgroup *ret, Error *reterr);

/* Makes it and writes the limits (device rules, too). With systemd this is where the scope is started with process `pid` in it;
 * with files `pid` is not looked at. An existing cgroup that is not empty or is frozen is refused. What was made is taken back on
 * an error; a process that was in a scope by then is killed. */
int runtime_cgroup_make(RuntimeCgroup *cgroup, const RuntimeSpec *spec, pid_t pid, Error *reterr);

/* Its directory in the unified hierarchy, for CLONE_INTO_CGROUP, or -EBADF where a process is to be moved. */
int runtime_cgroup_open_unified(const RuntimeCgroup *cgroup);

/* Moves a process into it in every hierarchy (where it is already, nothing is done), or into sub-cgroups: words "[CONTROLLER,...:]PATH" of exec
 * --cgroup, which are there already; NULL: none. Where the container has made cgroups below its own it goes to its init, `init_pid` (0: not).
 * -ENOENT where the cgroup is gone. */
int runtime_cgroup_attach(const RuntimeCgroup *cgroup, pid_t pid, pid_t init_pid, char *const *subs, Error *reterr);

/* `update`: what is given in `resources` changes, the rest stays. All or nothing, as far as the kernel lets. Device rules are passed over, as the
 * peers do: engines send those that the container was made with. */
int runtime_cgroup_update(const RuntimeCgroup *cgroup, const RuntimeResources *resources, Error *reterr);

int runtime_cgroup_freeze(const RuntimeCgroup *cgroup, bool freeze, Error *reterr);
bool runtime_cgroup_is_frozen(const RuntimeCgroup *cgroup);

/* All processes in it and below; owned array. None where it has no cgroup of its own. */
int runtime_cgroup_pids(const RuntimeCgroup *cgroup, pid_t **ret, size_t *ret_n, Error *reterr);

/* Sends a signal to all of them, none missed (SIGKILL by cgroup.kill where there is one). -ENOENT without a message: the container has no
 * cgroup of its own, or no process is in it; who must reach a process that is not in there signals that one. */
int runtime_cgroup_kill(const RuntimeCgroup *cgroup, int signal, Error *reterr);

/* Kills what is left in it, and removes it with all below it. A missing one is not an error. Of one that is not `is_made` nothing is
 * killed, and it only goes where it is empty, without an error: it may be another's, or what a killed maker left. */
int runtime_cgroup_remove(const RuntimeCgroup *cgroup, Error *reterr);

/* The counters as runc's `events --stats` has them ("data"); new reference. */
int runtime_cgroup_stats(const RuntimeCgroup *cgroup, json_t **ret, Error *reterr);

/* A descriptor that tells by poll(2), for *ret_events, of OOM kills (in v1 of the cgroup's removal, too), until it is drained; and their number
 * now. -errno where there is no memory controller. */
int runtime_cgroup_open_oom(const RuntimeCgroup *cgroup, short *ret_events);
void runtime_cgroup_drain_oom(int fd);
int runtime_cgroup_oom_kills(const RuntimeCgroup *cgroup, uint64_t *ret);
