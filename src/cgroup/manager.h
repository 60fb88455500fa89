/* SPDX-License-Identifier: Apache-2.0 */
/* The systemd manager of this user (of the system, for root) over D-Bus: transient units that hold containers. */
#pragma once

#include <sys/types.h>

#include "cgroup/bus.h"
#include "cgroup/limits.h"

enum { MANAGER_RESTART_USEC = 100000 }; /* RestartSec= of the transient services */

typedef struct Manager {
        Bus bus;
} Manager;

/* Connects to the manager's own socket ($XDG_RUNTIME_DIR/systemd/private; /run/systemd/private), which saves the hop
 * through the message bus. -ENOENT without a message: there is no manager. */
int manager_connect(Manager *ret, Error *reterr);

/* The same for the manager that has its runtime files in this directory ($XDG_RUNTIME_DIR). */
int manager_connect_in(const char *runtime_dir, Manager *ret, Error *reterr);
void manager_done(Manager *manager);
#define MANAGER_NULL ((Manager){ .bus = BUS_NULL })
#define _cleanup_manager_ _cleanup_(manager_done)

/* Whether there seems to be a manager: its socket is there. Only manager_connect() knows. */
bool manager_is_there(void);

/* The controllers that units of this manager can have; owned vector. */
int manager_controllers(Manager *manager, char ***ret, Error *reterr);

/* A scope that takes process `pid` in. Sent without waiting: manager_wait_job() waits. */
typedef struct TransientUnit {
        const char *name;         /* "sdpod-ID.service"; ".scope", ".slice" */
        const char *description;
        const char *slice;        /* NULL: the default */
        const LimitSettings *limits; /* may be NULL */
        pid_t pid;                /* of a scope */
        char *const *exec_start, *const *exec_stop, *const *exec_stop_post; /* of a service: argv */
        const char *restart;      /* "no", "always", "on-failure" */
        uint32_t restart_limit;   /* at most so many restarts; 0: no limit */
        int restart_prevent_status; /* exit status of ExecStart= after which it is not restarted; 0: none */
        uint64_t stop_timeout_usec; /* UINT64_MAX: none */
        uint32_t fd_store_max;    /* descriptors that systemd keeps for it (sd_notify(3)) */
        char *const *environment;
} TransientUnit;

/* Asks for the unit; *ret_job is the job's object path, owned. */
int manager_start_transient(Manager *manager, const TransientUnit *unit, char **ret_job, Error *reterr);

/* Writes properties of a unit: (sv), one after another. */
typedef void ManagerPut(BusBody *body, const void *userdata);

/* Asks for a transient unit that has just these properties. */
int manager_start_with(Manager *manager, const char *unit, ManagerPut *put, const void *userdata, char **ret_job, Error *reterr);

/* Changes properties of a unit until it ends (SetUnitProperties, with `runtime`). */
int manager_set_properties(Manager *manager, const char *unit, ManagerPut *put, const void *userdata, Error *reterr);

/* Waits for the job's end; *ret_result is "done", "failed", ... (owned). */
int manager_wait_job(Manager *manager, const char *job, char **ret_result, Error *reterr);

/* Starts a unit and waits for that. -ENOENT: there is no such unit. */
int manager_start_unit(Manager *manager, const char *unit, Error *reterr);

/* Restarts a unit, or starts it, and waits until it is up. */
int manager_restart_unit(Manager *manager, const char *unit, Error *reterr);

/* Stops a unit and waits for that. A unit that is not loaded is not an error. */
int manager_stop_unit(Manager *manager, const char *unit, Error *reterr);

/* Forgets a failed unit, so that its name can be used again. Errors do not matter. */
void manager_reset_failed(Manager *manager, const char *unit);

/* Moves a process into a sub-cgroup of a unit; the manager does it, with the system manager's help where it must
 * (AttachProcessesToUnit, systemd 238). */
int manager_attach(Manager *manager, const char *unit, const char *sub_cgroup, pid_t pid, Error *reterr);

/* The exit of a unit's last main process: *ret_code is a CLD_ code (sigaction(2)), *ret_status its status. -ENODATA: it
 * has none. */
int manager_main_exit(Manager *manager, const char *unit, int *ret_code, int *ret_status, Error *reterr);

/* What systemd says of a unit. */
typedef struct ManagerUnit {
        char *name, *load_state, *active_state, *sub_state; /* owned */
} ManagerUnit;

/* The states of units by their names ("not-found" is a load state), or of all that are loaded and match one of these patterns
 * (glob(7)). Owned: manager_units_free(). */
int manager_list_units(Manager *manager, char *const *names, bool patterns, ManagerUnit **ret, size_t *ret_n, Error *reterr);
void manager_units_free(ManagerUnit *units, size_t n);

/* Changes a unit's limits until it ends, also across a daemon-reload (SetUnitProperties, with `runtime`). */
int manager_set_limits(Manager *manager, const char *unit, const LimitSettings *limits, Error *reterr);

/* Has the manager read its unit files again, and waits for that. */
int manager_reload(Manager *manager, Error *reterr);

/* Writes what systemd reads besides the unit `unit`, until it is removed or the machine ends: a drop-in in the directory for
 * changes at run time, where SetUnitProperties puts its own. Takes effect with a reload. */
int manager_write_drop_in(const char *unit, const char *name, const char *text, Error *reterr);

/* Removes all drop-ins there, also those of SetUnitProperties: a transient unit of the same name would get them. */
void manager_remove_drop_ins(const char *unit);
