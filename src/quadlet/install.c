/* SPDX-License-Identifier: Apache-2.0 */
/* Puts unit files in place: verified first, all at once. */
#include "quadlet/install.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "quadlet/change.h"

int quadlet_connect(bool user, Manager *ret, Error *reterr) {
        int r = manager_connect(ret, reterr);

        if (r != -ENOENT)
                return r;
        (void) error_set(reterr, r, ERROR_UNSUPPORTED, "cannot have systemd read the unit files: there is no %s here",
                         user ? "user manager (systemd --user)" : "systemd");
        return error_with_hint(reterr, r, "--reload-systemd=false does without");
}

/* The place in the search path of what lies at `path`; the last one where it is in none. */
static size_t search_index(const QuadletCheck *check, const char *path) {
        size_t found = check->dirs.n, longest = 0;

        for (size_t i = 0; i < check->dirs.n; i++) {
                const char *dir = check->dirs.items[i].path, *rest = str_after(path, dir);

                if (rest && (*rest == '/' || !*rest) && strlen(dir) > longest) {
                        found = i;
                        longest = strlen(dir);
                }
        }
        return found;
}

typedef struct Job {
        const QuadletItems *items;
        const QuadletInstall *options;
        const QuadletCheck *now;       /* what is there */
        const char *dir;
        const char *record;            /* ".web.app"; NULL: none */
        const QuadletRecords *records;
} Job;

static int clash(const QuadletItem *item, const char *other, bool replaceable, Error *reterr) {
        (void) error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot install '%s': '%s' is there already", item->source, other);
        return replaceable ? error_with_hint(reterr, -EEXIST, "--replace puts the new one in its place")
                           : error_with_hint(reterr, -EEXIST, "systemd would go on using that one: it comes first");
}

static int check_same_name(const Job *job, const QuadletItem *item, Error *reterr) {
        for (size_t i = 0; i < job->now->set.n_units; i++) {
                const Unit *unit = job->now->set.units[i];

                if (strcmp(unit->name, item->name) != 0)
                        continue;
                bool wins = search_index(job->now, unit->path) < search_index(job->now, job->dir);
                return wins || !job->options->replace ? clash(item, unit->path, !wins, reterr) : 0;
        }
        return 0;
}

static int check_native(const Job *job, const QuadletItem *item, const Unit *unit, Error *reterr) {
        _cleanup_free_ char *native = unit && unit->service ? quadlet_place_native(job->now->user, unit->service) : NULL;

        if (!native)
                return 0;
        bool wins = !str_after(native, "/usr/") && !str_after(native, "/lib/");
        return wins || !job->options->replace ? clash(item, native, !wins, reterr) : 0;
}

/* A file of the same name in that very directory: of another application, or in the way. */
static int check_file(const Job *job, const QuadletItem *item, Error *reterr) {
        const QuadletRecord *record = quadlet_records_of(job->records, item->name);
        _cleanup_free_ char *path = str_format("%s/%s", job->dir, item->name);

        if (!path)
                return error_oom(reterr);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        if (!job->options->replace)
                return clash(item, path, /* replaceable= */ true, reterr);
        if (record && !str_equal(record->name, job->record)) {
                (void) error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot install '%s': '%s' was installed with others, by '%s'", item->source, path,
                                 record->name);
                return error_with_hint(reterr, -EEXIST, "'sdpod quadlet rm %s' removes all of that", record->name);
        }
        return 0;
}

static int check_clashes(const Job *job, const QuadletCheck *new, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < job->items->n && r >= 0; i++) {
                const QuadletItem *item = job->items->items + i;

                if (item->type >= 0)
                        r = check_same_name(job, item, reterr);
                if (r >= 0)
                        r = check_file(job, item, reterr);
                if (r >= 0 && item->type >= 0)
                        r = check_native(job, item, unit_set_find(&new->set, item->name), reterr);
        }
        return r;
}

static int stage_record(const Job *job, QuadletChange *change, Error *reterr) {
        _cleanup_text_ Text text = {};

        for (size_t i = 0; i < job->items->n; i++)
                text_addf(&text, "%s\n", job->items->items[i].name);
        return text.failed ? error_oom(reterr)
                           : quadlet_change_put(change, job->record, text.data, text.size, 0644, job->options->replace, reterr);
}

/* What the application had before and has no more. */
static int stage_old_files(const Job *job, QuadletChange *change, Error *reterr) {
        const QuadletRecord *old = quadlet_records_named(job->records, job->record);
        int r = 0;

        for (char **file = old && job->options->replace ? old->files : NULL; file && *file && r >= 0; file++)
                if (!quadlet_items_find(job->items, *file))
                        r = quadlet_change_take(change, *file, reterr);
        return r;
}

static int stage(const Job *job, QuadletChange *change, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < job->items->n && r >= 0; i++) {
                const QuadletItem *item = job->items->items + i;

                r = quadlet_change_put(change, item->name, item->data, item->size, item->mode, job->options->replace, reterr);
        }
        if (r >= 0 && job->record)
                r = stage_old_files(job, change, reterr);
        return r >= 0 && job->record ? stage_record(job, change, reterr) : r;
}

/* Errors stop it; all that was found is printed. */
static int verify(QuadletCheck *new, const QuadletItems *items, const char *dir, const QuadletInstall *options, Error *reterr) {
        int r = quadlet_check_load_items(new, items, dir, NULL, reterr);

        if (r >= 0)
                r = quadlet_check_run(new, reterr);
        if (r >= 0 && options->judge)
                r = options->judge(new, reterr);
        if (r < 0)
                return r;
        quadlet_check_print(new, /* warnings= */ true);
        if (new->n_errors == 0)
                return 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot install '%s': %u error%s, nothing was installed", items->items[0].source,
                         new->n_errors, new->n_errors == 1 ? "" : "s");
}

static int put_in_place(Job *job, const QuadletCheck *new, Manager *manager, Error *reterr) {
        _cleanup_quadlet_change_ QuadletChange change = QUADLET_CHANGE_NULL;
        _cleanup_quadlet_records_ QuadletRecords records = {};
        _cleanup_quadlet_check_ QuadletCheck now = {};
        int r = quadlet_change_begin(job->dir, &change, reterr);

        if (r >= 0)
                r = quadlet_check_read(&now, /* judge= */ false, reterr);
        if (r >= 0)
                r = quadlet_records_read(change.dir_fd, &records, reterr);
        job->now = &now;
        job->records = &records;
        if (r >= 0)
                r = check_clashes(job, new, reterr);
        if (r >= 0)
                r = stage(job, &change, reterr);
        if (r >= 0)
                r = quadlet_change_apply(&change, reterr);
        if (r >= 0 && job->options->reload)
                r = manager_reload(manager, reterr);
        if (r >= 0)
                quadlet_change_keep(&change);
        return r;
}

static int list_paths(const QuadletItems *items, const char *dir, char ***ret, Error *reterr) {
        for (size_t i = 0; i < items->n; i++)
                if (strv_consume(ret, str_format("%s/%s", dir, items->items[i].name)) < 0)
                        return error_oom(reterr);
        return 0;
}

int quadlet_install(char *const *paths, const QuadletInstall *options, char ***ret, Error *reterr) {
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *dir = NULL, *record = NULL;
        _cleanup_quadlet_check_ QuadletCheck new = {};
        int r = quadlet_items_read(paths, &items, reterr);

        if (r >= 0)
                r = quadlet_check_begin(&new, reterr);
        if (r >= 0)
                r = quadlet_place_directory(&new, &dir, reterr);
        if (r >= 0)
                r = verify(&new, &items, dir, options, reterr);
        if (r >= 0 && options->reload)
                r = quadlet_connect(new.user, &manager, reterr);
        if (r < 0)
                return r;
        if (items.application || items.n > 1) {
                record = str_format(".%s.app", items.application ?: items.items[0].name);
                if (!record)
                        return error_oom(reterr);
        }
        Job job = { .items = &items, .options = options, .dir = dir, .record = record };
        r = put_in_place(&job, &new, &manager, reterr);
        return r < 0 ? r : list_paths(&items, dir, ret, reterr);
}
