/* SPDX-License-Identifier: Apache-2.0 */
/* New images for the containers of units that ask for them by a label: podman-auto-update(1). */
#pragma once

#include "state/container.h"

/* Labels of Podman's. */
#define AUTO_UPDATE_LABEL "io.containers.autoupdate"
#define AUTO_UPDATE_AUTHFILE_LABEL "io.containers.autoupdate.authfile"
#define AUTO_UPDATE_UNIT_LABEL "PODMAN_SYSTEMD_UNIT"

typedef enum AutoUpdateState {
        AUTO_UPDATE_CURRENT,     /* there is nothing newer */
        AUTO_UPDATE_PENDING,     /* there is, and only that was asked */
        AUTO_UPDATE_DONE,
        AUTO_UPDATE_ROLLED_BACK, /* the unit did not start with it, and has the old one again */
        AUTO_UPDATE_FAILED,
        _AUTO_UPDATE_STATE_MAX,
} AutoUpdateState;

/* Podman's words for them: "false", "pending", "true", "rolled back", "failed". */
const char *auto_update_state_to_string(AutoUpdateState state) _pure_;

/* Whether the label asks for updates, and says how in a word that there is: 1; 0: it asks for none; -EINVAL with the reason. */
int auto_update_check_policy(const char *policy, Error *reterr);

/* One container. */
typedef struct AutoUpdateTask {
        char *unit, *id, *name, *image, *policy, *authfile; /* owned; authfile may be NULL */
        char *image_id;          /* what it runs; owned */
        bool local;              /* the policy */
        AutoUpdateState state;
        Error error;             /* why it failed */
} AutoUpdateTask;

typedef struct AutoUpdateTasks {
        AutoUpdateTask *items;   /* those of one unit stand together */
        size_t n;
} AutoUpdateTasks;

void auto_update_tasks_done(AutoUpdateTasks *tasks);
#define _cleanup_auto_update_tasks_ _cleanup_(auto_update_tasks_done)

typedef struct AutoUpdate {
        bool dry_run, rollback;
        /* What speaks to a registry: whether it has another image of that name than `image_id`; and fetching it. */
        int (*ask)(void *data, const AutoUpdateTask *task, bool *ret_newer, Error *reterr);
        int (*pull)(void *data, const AutoUpdateTask *task, char ret_id[65], Error *reterr);
        void *data;
} AutoUpdate;

/* The running containers with a policy other than "disabled". A label that is not a policy, a container that no unit can make
 * anew, or a short name of an image is a task that failed. */
int engine_auto_update_tasks(const Store *store, AutoUpdateTasks *ret, Error *reterr);

/* Does it, unit by unit: one that fails does not hold up the others, and says so in its task. Returns the number of tasks that
 * failed or were rolled back. */
size_t engine_auto_update(const Store *store, const AutoUpdate *update, AutoUpdateTasks *tasks);
