/* SPDX-License-Identifier: Apache-2.0 */
/* Takes unit files away, with what was installed beside them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "quadlet/change.h"
#include "quadlet/enable.h"
#include "quadlet/install.h"

typedef struct Removal {
        const QuadletCheck *check;
        const QuadletRemove *options;
        Manager *manager; /* NULL: there is none */
        char **removed;
} Removal;

/* ---- what runs ---- */

static bool is_running(const ManagerUnit *unit) {
        return !str_equal(unit->active_state, "inactive") && !str_equal(unit->active_state, "failed");
}

/* Adds those of the units that run; nothing is asked where there are no names. */
static int add_running(const Removal *rm, char *const *names, bool patterns, char ***ret, Error *reterr) {
        ManagerUnit *units = NULL;
        size_t n = 0;
        int r = names ? manager_list_units(rm->manager, names, patterns, &units, &n, reterr) : 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (is_running(&units[i]) && strv_append(ret, units[i].name) < 0)
                        r = error_oom(reterr);
        manager_units_free(units, n);
        return r;
}

/* The running services of these files, owned; of a template, its instances. */
static int find_running(const Removal *rm, char *const *files, const char *dir, char ***ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL, **patterns = NULL;

        for (; rm->manager && *files; files++) {
                const Unit *unit = unit_set_find(&rm->check->set, *files);
                bool template = unit && unit->service && str_has_suffix(unit->service, "@");

                if (!unit || !unit->service || unit->doubled || strcmp(unit->dir, dir) != 0)
                        continue;
                if (strv_consume(template ? &patterns : &names, str_format("%s%s.service", unit->service, template ? "*" : "")) < 0)
                        return error_oom(reterr);
        }
        int r = add_running(rm, names, /* patterns= */ false, ret, reterr);
        return r < 0 ? r : add_running(rm, patterns, /* patterns= */ true, ret, reterr);
}

static int stop_running(const Removal *rm, char *const *files, const char *dir, Error *reterr) {
        _cleanup_strv_ char **running = NULL;
        int r = find_running(rm, files, dir, &running, reterr);

        if (r >= 0 && running && !rm->options->force) {
                (void) error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot remove '%s': '%s' is active", *files, *running);
                return error_with_hint(reterr, -EBUSY, "--force stops it first");
        }
        for (char **name = running; name && *name && r >= 0; name++)
                r = manager_stop_unit(rm->manager, *name, reterr);
        return r;
}

/* ---- what goes ---- */

static int take_files(const char *dir, char *const *files, const char *record, Error *reterr) {
        _cleanup_quadlet_change_ QuadletChange change = QUADLET_CHANGE_NULL;
        int r = quadlet_change_begin(dir, &change, reterr);

        for (char *const *file = files; *file && r >= 0; file++)
                r = quadlet_change_take(&change, *file, reterr);
        if (r >= 0 && record)
                r = quadlet_change_take(&change, record, reterr);
        if (r >= 0)
                r = quadlet_change_apply(&change, reterr);
        if (r < 0)
                return r;
        quadlet_change_keep(&change);
        for (; *files; files++)
                quadlet_enable_forget(change.dir_fd, *files);
        return 0;
}

static int remove_files(Removal *rm, const char *dir, char *const *files, const char *record, Error *reterr) {
        int r = stop_running(rm, files, dir, reterr);

        if (r >= 0)
                r = take_files(dir, files, record, reterr);
        for (; r >= 0 && *files; files++)
                if (unit_type_from_file(*files) >= 0 && strv_append(&rm->removed, *files) < 0)
                        r = error_oom(reterr);
        return r;
}

/* The records of a directory; none where it cannot be read. */
static int read_records(const char *dir, QuadletRecords *ret, Error *reterr) {
        _cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? 0 : quadlet_records_read(fd, ret, reterr);
}

static int remove_unit(Removal *rm, const Unit *unit, Error *reterr) {
        _cleanup_quadlet_records_ QuadletRecords records = {};
        char *alone[] = { (char *) unit->name, NULL };

        if (strv_contains(rm->removed, unit->name)) /* with another one already */
                return 0;
        int r = quadlet_name_check(unit->name, _UNIT_TYPE_INVALID, reterr);
        if (r >= 0)
                r = read_records(unit->dir, &records, reterr);
        if (r < 0)
                return r;
        const QuadletRecord *record = quadlet_records_of(&records, unit->name);
        return remove_files(rm, unit->dir, record ? record->files : alone, record ? record->name : NULL, reterr);
}

/* ".web.app": Podman's name for what was installed together. */
static int remove_record(Removal *rm, const char *name, Error *reterr) {
        _cleanup_quadlet_records_ QuadletRecords records = {};
        _cleanup_free_ char *dir = NULL;
        char *nothing[] = { NULL };
        int r = quadlet_place_directory(rm->check, &dir, reterr);

        if (r >= 0)
                r = read_records(dir, &records, reterr);
        if (r < 0)
                return r;
        const QuadletRecord *record = quadlet_records_named(&records, name);
        if (!record)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find '%s' in '%s'", name, dir);
        return remove_files(rm, dir, record->files ?: nothing, record->name, reterr);
}

static int remove_one(Removal *rm, const char *name, Error *reterr) {
        Unit *unit = NULL;
        int r;

        if (name[0] == '.' && str_has_suffix(name, ".app"))
                r = remove_record(rm, name, reterr);
        else {
                if (strv_contains(rm->removed, name))
                        return 0;
                r = quadlet_check_find(rm->check, name, &unit, reterr);
                if (r >= 0)
                        r = remove_unit(rm, unit, reterr);
        }
        if (r == -ENOENT && rm->options->ignore) {
                error_done(reterr);
                return 0;
        }
        return r;
}

/* Those that are this user's to remove. */
static int list_all(const Removal *rm, char ***ret) {
        for (size_t i = 0; i < rm->check->set.n_units; i++) {
                const Unit *unit = rm->check->set.units[i];

                if (!unit->masked && access(unit->dir, W_OK) == 0 && !str_after(unit->dir, "/usr/") && strv_append(ret, unit->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int quadlet_remove(char *const *names, const QuadletRemove *options, char ***ret, unsigned *ret_failed, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_quadlet_check_ QuadletCheck check = {};
        _cleanup_strv_ char **all = NULL;
        Removal rm = { .check = &check, .options = options };
        int r = quadlet_check_read(&check, /* judge= */ false, reterr);

        if (r >= 0 && options->all)
                r = list_all(&rm, &all) < 0 ? error_oom(reterr) : 0;
        if (r >= 0 && (options->reload || manager_is_there())) {
                r = quadlet_connect(check.user, &manager, reterr);
                rm.manager = &manager;
        }
        if (r < 0)
                return r;
        for (char *const *name = options->all ? all : names; name && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (remove_one(&rm, *name, &error) >= 0)
                        continue;
                error_print(&error);
                (*ret_failed)++;
        }
        *ret = rm.removed;
        return options->reload ? manager_reload(&manager, reterr) : 0;
}
