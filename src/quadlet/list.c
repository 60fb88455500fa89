/* SPDX-License-Identifier: Apache-2.0 */
/* Lists unit files with the state of their services. */
#include "quadlet/list.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "unit/value.h"

void quadlet_list_done(QuadletList *list) {
        for (size_t i = 0; i < list->n; i++) {
                free(list->rows[i].service);
                free(list->rows[i].status);
                free(list->rows[i].application);
        }
        free(list->rows);
        list->rows = NULL;
        list->n = 0;
        quadlet_check_done(&list->check);
}

static int add_rows(QuadletList *list, Error *reterr) {
        UnitSet *set = &list->check.set;

        list->rows = calloc(MAX(set->n_units, (size_t) 1), sizeof(*list->rows));
        if (!list->rows)
                return error_oom(reterr);
        for (size_t i = 0; i < set->n_units; i++) {
                const Unit *unit = set->units[i];
                QuadletRow *row = list->rows + list->n;

                if (unit->masked)
                        continue;
                *row = (QuadletRow){ .unit = unit, .fault = quadlet_check_fault(&list->check, unit),
                                     .service = unit->service ? str_format("%s.service", unit->service) : NULL };
                list->n++;
                if (unit->service && !row->service)
                        return error_oom(reterr);
                if (unit->type == UNIT_CONTAINER)
                        row->pod = unit_value_string(&unit->file, KEY_Pod, &set->arena);
        }
        return 0;
}

/* ---- records ---- */

/* Each directory's records once: the units stand together by directory. */
static int add_applications(QuadletList *list, Error *reterr) {
        _cleanup_quadlet_records_ QuadletRecords records = {};
        const char *dir = NULL;
        int r = 0;

        for (size_t i = 0; i < list->n && r >= 0; i++) {
                QuadletRow *row = list->rows + i;

                if (!dir || strcmp(dir, row->unit->dir) != 0) {
                        _cleanup_fd_ int fd = open(row->unit->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                        dir = row->unit->dir;
                        quadlet_records_done(&records);
                        r = fd < 0 ? 0 : quadlet_records_read(fd, &records, reterr);
                }
                const QuadletRecord *record = r < 0 ? NULL : quadlet_records_of(&records, row->unit->name);
                if (record && str_has_suffix(record->name, ".app") && !(row->application = strdup(record->name)))
                        r = error_oom(reterr);
        }
        return r;
}

/* ---- states ---- */

static int compare_units(const void *a, const void *b) {
        return strcmp(((const ManagerUnit *) a)->name, ((const ManagerUnit *) b)->name);
}

static char *status_of(const QuadletRow *row, const ManagerUnit *units, size_t n) {
        const ManagerUnit key = { .name = row->service };
        const ManagerUnit *unit = row->service && n > 0 ? bsearch(&key, units, n, sizeof(*units), compare_units) : NULL;

        if (!unit || !str_equal(unit->load_state, "loaded"))
                return strdup("Not loaded");
        return str_format("%s/%s", unit->active_state, unit->sub_state);
}

static int add_states(QuadletList *list, Error *reterr) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char **names = calloc(list->n + 1, sizeof(*names));
        ManagerUnit *units = NULL;
        size_t n = 0, n_names = 0;
        int r = names ? manager_connect(&manager, reterr) : error_oom(reterr);

        for (size_t i = 0; r >= 0 && i < list->n; i++) /* a template itself has no state, and systemd refuses to be asked for one */
                if (list->rows[i].service && !str_has_suffix(list->rows[i].unit->service, "@"))
                        names[n_names++] = list->rows[i].service;
        if (r >= 0 && n_names > 0)
                r = manager_list_units(&manager, names, /* patterns= */ false, &units, &n, reterr);
        if (r == -ENOENT)
                r = 0;
        if (n > 1)
                qsort(units, n, sizeof(*units), compare_units);
        for (size_t i = 0; i < list->n && r >= 0; i++)
                if (!(list->rows[i].status = status_of(&list->rows[i], units, n)))
                        r = error_oom(reterr);
        manager_units_free(units, n);
        return r;
}

int quadlet_list(bool judge, QuadletList *ret, Error *reterr) {
        int r = quadlet_check_read(&ret->check, judge, reterr);

        if (r >= 0)
                r = add_rows(ret, reterr);
        if (r >= 0)
                r = add_applications(ret, reterr);
        return r < 0 ? r : add_states(ret, reterr);
}
