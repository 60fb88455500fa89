/* SPDX-License-Identifier: Apache-2.0 */
/* New images for units.
 *
 * Theory of operation. A unit makes its container anew at each start, from the image that has the name then. So an update is a name
 * that moves and a restart of the unit; a restart waits until the unit is up, which with Notify=yes or healthy means that the service
 * in the container is. Where that fails the name moves back, and the unit is started with what it had. */
#include "engine/auto-update.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "image/store.h"
#include "spec/reference.h"
#include "state/events.h"

const char *auto_update_state_to_string(AutoUpdateState state) {
        static const char *const words[_AUTO_UPDATE_STATE_MAX] = {
                [AUTO_UPDATE_CURRENT] = "false",           [AUTO_UPDATE_PENDING] = "pending", [AUTO_UPDATE_DONE] = "true",
                [AUTO_UPDATE_ROLLED_BACK] = "rolled back", [AUTO_UPDATE_FAILED] = "failed",
        };

        return words[state];
}

static void task_done(AutoUpdateTask *task) {
        free(task->unit);
        free(task->id);
        free(task->name);
        free(task->image);
        free(task->policy);
        free(task->authfile);
        free(task->image_id);
        error_done(&task->error);
}

void auto_update_tasks_done(AutoUpdateTasks *tasks) {
        for (size_t i = 0; i < tasks->n; i++)
                task_done(tasks->items + i);
        free(tasks->items);
        *tasks = (AutoUpdateTasks){};
}

/* ---- which there are ---- */

/* A registry is only asked for a name that says which one, and a digest never has anything newer. */
static int check_name(const char *image, Error *reterr) {
        _cleanup_reference_ Reference reference = {};
        int r = reference_parse(str_after(image, "docker://") ?: image, &reference, reterr);

        if (r >= 0 && !reference.domain)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is a short name: the registry must be said", image);
        return r;
}

int auto_update_check_policy(const char *policy, Error *reterr) {
        if (str_empty(policy) || str_equal(policy, "disabled"))
                return 0;
        if (str_equal(policy, "local") || str_equal(policy, "registry") || str_equal(policy, "image"))
                return 1;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "'%s' is not one of registry, local and disabled", policy);
}

static int check_task(AutoUpdateTask *task, Error *reterr) {
        int r = auto_update_check_policy(task->policy, reterr);

        if (r < 0)
                return r;
        task->local = str_equal(task->policy, "local");
        if (!*task->unit)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "it has no label " AUTO_UPDATE_UNIT_LABEL ": only a unit can make it anew");
        return task->local ? 0 : check_name(task->image, reterr);
}

static int task_failed(AutoUpdateTask *task, int r) {
        task->state = AUTO_UPDATE_FAILED;
        return error_prefix(&task->error, r, "cannot update container '%s'", task->name);
}

static int add_task(AutoUpdateTasks *tasks, const Container *c, const char *policy, Error *reterr) {
        char *const *labels = c->config.labels;
        const char *authfile = strv_env_get(labels, AUTO_UPDATE_AUTHFILE_LABEL);
        AutoUpdateTask *task = container_array_add((void **) &tasks->items, &tasks->n, sizeof(*task));

        if (!task)
                return error_oom(reterr);
        *task = (AutoUpdateTask){
                .unit = strdup(strv_env_get(labels, AUTO_UPDATE_UNIT_LABEL) ?: ""),
                .id = strdup(c->config.id),
                .name = strdup(c->config.name),
                .image = strdup(c->config.image ?: ""),
                .image_id = strdup(c->config.image_id ?: ""),
                .policy = strdup(policy),
                .authfile = authfile ? strdup(authfile) : NULL,
        };
        if (!task->unit || !task->id || !task->name || !task->image || !task->image_id || !task->policy || (authfile && !task->authfile))
                return error_oom(reterr);
        int r = check_task(task, &task->error);
        if (r < 0)
                (void) task_failed(task, r);
        return 0;
}

static int compare_units(const void *a, const void *b) {
        const AutoUpdateTask *left = a, *right = b;
        int r = strcmp(left->unit, right->unit);

        return r != 0 ? r : strcmp(left->name, right->name);
}

int engine_auto_update_tasks(const Store *store, AutoUpdateTasks *ret, Error *reterr) {
        _cleanup_auto_update_tasks_ AutoUpdateTasks tasks = {};
        _cleanup_strv_ char **ids = NULL;
        int r = container_list(store, &ids, reterr);

        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load(store, *id, &c, &error);
                if (r == -ENOENT) { /* removed meanwhile */
                        r = 0;
                        continue;
                }
                if (r < 0)
                        return error_move(reterr, &error);
                const char *policy = strv_env_get(c.config.labels, AUTO_UPDATE_LABEL);
                if (auto_update_check_policy(policy, NULL) == 0 || c.pidfd < 0) /* a wrong one is told with its container */
                        continue;
                r = add_task(&tasks, &c, policy, reterr);
        }
        if (r < 0)
                return r;
        if (tasks.n > 0)
                qsort(tasks.items, tasks.n, sizeof(*tasks.items), compare_units);
        *ret = tasks;
        tasks = (AutoUpdateTasks){};
        return 0;
}

/* ---- a unit ---- */

/* The image that the name means here now, and whether it is another one. */
static int ask_store(const Store *store, const AutoUpdateTask *task, bool *ret_newer, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        int r = image_store_resolve(store, task->image, &info, reterr);

        if (r >= 0)
                *ret_newer = !str_equal(info.id, task->image_id);
        return r;
}

/* Finds out, and fetches. What is fetched can turn out to be what is there, under another digest. */
static int look(const Store *store, const AutoUpdate *update, AutoUpdateTask *task, Error *reterr) {
        char id[65] = "";
        bool newer = false;
        int r = task->local ? ask_store(store, task, &newer, reterr) : update->ask(update->data, task, &newer, reterr);

        if (r >= 0 && newer && !update->dry_run && !task->local) {
                r = update->pull(update->data, task, id, reterr);
                newer = !str_equal(id, task->image_id);
        }
        if (r >= 0 && newer)
                task->state = AUTO_UPDATE_PENDING;
        return r;
}

static void set_pending(AutoUpdateTask *tasks, size_t n, AutoUpdateState state) {
        for (size_t i = 0; i < n; i++)
                if (tasks[i].state == AUTO_UPDATE_PENDING)
                        tasks[i].state = state;
}

/* The names get their old images again. */
static int put_back(const Store *store, AutoUpdateTask *tasks, size_t n, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (tasks[i].state == AUTO_UPDATE_PENDING)
                        r = image_store_tag(store, tasks[i].image_id, str_after(tasks[i].image, "docker://") ?: tasks[i].image, reterr);
        return r;
}

/* The unit has not come up with the new images. */
static void restart_failed(const Store *store, const AutoUpdate *update, Manager *manager, AutoUpdateTask *tasks, size_t n, Error *cause) {
        _cleanup_error_ Error error = ERROR_NULL;
        AutoUpdateState state = AUTO_UPDATE_FAILED;

        log_warning("%s", cause->message ?: "cannot restart a unit: out of memory");
        if (update->rollback) {
                int r = put_back(store, tasks, n, &error);

                if (r >= 0) {
                        manager_reset_failed(manager, tasks->unit); /* its own failures must not count against the old image */
                        r = manager_restart_unit(manager, tasks->unit, &error);
                }
                if (r >= 0) {
                        state = AUTO_UPDATE_ROLLED_BACK;
                        log_warning("unit '%s' has its old image again", tasks->unit);
                } else
                        log_warning("cannot go back to the old image of unit '%s': %s", tasks->unit, error.message ?: "out of memory");
        }
        set_pending(tasks, n, state);
}

static void update_unit(const Store *store, const AutoUpdate *update, Manager *manager, AutoUpdateTask *tasks, size_t n) {
        _cleanup_error_ Error error = ERROR_NULL;
        bool newer = false;

        for (size_t i = 0; i < n; i++) {
                int r = tasks[i].state == AUTO_UPDATE_FAILED ? 0 : look(store, update, tasks + i, &tasks[i].error);

                if (r < 0)
                        (void) task_failed(tasks + i, r);
                newer = newer || tasks[i].state == AUTO_UPDATE_PENDING;
        }
        if (!newer || update->dry_run)
                return;
        int r = manager->bus.fd >= 0 ? 0 : manager_connect(manager, &error);
        if (r == -ENOENT)
                r = error_set(&error, r, ERROR_UNSUPPORTED, "cannot restart unit '%s': there is no systemd manager of this user to ask", tasks->unit);
        if (r >= 0)
                r = manager_restart_unit(manager, tasks->unit, &error);
        if (r >= 0) {
                set_pending(tasks, n, AUTO_UPDATE_DONE);
                log_info("unit '%s' runs with its new image", tasks->unit);
        } else
                restart_failed(store, update, manager, tasks, n, &error);
}

size_t engine_auto_update(const Store *store, const AutoUpdate *update, AutoUpdateTasks *tasks) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        size_t failed = 0;

        for (size_t i = 0, n; i < tasks->n; i += n) {
                for (n = 1; i + n < tasks->n && str_equal(tasks->items[i].unit, tasks->items[i + n].unit);)
                        n++;
                update_unit(store, update, &manager, tasks->items + i, n);
        }
        for (size_t i = 0; i < tasks->n; i++)
                failed += tasks->items[i].state == AUTO_UPDATE_FAILED || tasks->items[i].state == AUTO_UPDATE_ROLLED_BACK;
        event_write(store, &(Event){ .type = "system", .status = "auto-update", .exit_code = EVENT_NO_EXIT_CODE });
        return failed;
}
