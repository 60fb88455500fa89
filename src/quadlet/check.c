/* SPDX-License-Identifier: Apache-2.0 */
/* The generator's own code over unit files, with findings kept instead of services written. */
#include "quadlet/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "config.h"
#include "unit/load-inih.h"
#include "unit/output.h"

void quadlet_check_done(QuadletCheck *check) {
        for (size_t i = 0; i < check->n_findings; i++)
                free(check->findings[i].text);
        free(check->findings);
        unit_set_done(&check->set);
        unit_dirs_done(&check->dirs);
        *check = (QuadletCheck){};
}

/* Takes `text` over. Findings of a file come in the order of its lines, whenever they were found. */
static void add_finding(QuadletCheck *check, QuadletFinding finding, char *text) {
        QuadletFinding *grown = text && check->n_findings < QUADLET_FINDINGS_MAX
                                        ? realloc(check->findings, (check->n_findings + 1) * sizeof(*grown))
                                        : NULL;

        if (!grown) {
                free(text);
                return;
        }
        check->findings = grown;
        finding.text = text;
        size_t i = check->n_findings++;
        for (; i > 0 && finding.unit && grown[i - 1].unit == finding.unit && grown[i - 1].source == finding.source &&
               grown[i - 1].line > finding.line; i--)
                grown[i] = grown[i - 1];
        grown[i] = finding;
}

static void report(void *userdata, UnitSeverity severity, const char *text) {
        if (severity != UNIT_DEBUG)
                add_finding(userdata, (QuadletFinding){ .severity = severity }, strdup(text));
}

/* The place where a person has it, which may be another than where it is going to be. */
static void found(void *userdata, const Unit *unit, UnitSeverity severity, const char *path, uint32_t line, const char *message) {
        QuadletCheck *check = userdata;
        const QuadletItem *item = check->items && strcmp(path, unit->path) == 0 ? quadlet_items_find(check->items, unit->name) : NULL;
        _cleanup_free_ char *place = NULL, *again = str_format(" in %s", path); /* once is enough */
        const char *after = NULL;

        if (severity == UNIT_DEBUG || check->deaf)
                return;
        place = line > 0 ? str_format("%s:%u", item ? item->source : path, line + (item ? item->line : 0))
                         : strdup(item ? item->source : path);
        const char *at = again ? strstr(message, again) : NULL;
        if (at)
                after = at + strlen(again);
        QuadletFinding finding = { .severity = severity, .unit = unit, .line = line };
        for (size_t i = 0; i < unit->file.n_sources; i++)
                if (strcmp(unit->file.sources[i], path) == 0)
                        finding.source = (unsigned) i;
        add_finding(check, finding,
                    !place ? NULL
                    : at   ? str_format("%s: %.*s%s", place, (int) (at - message), message, after)
                           : str_format("%s: %s", place, message));
}

int quadlet_check_begin(QuadletCheck *check, Error *reterr) {
        check->user = geteuid() != 0;
        check->set = (UnitSet){ .user = check->user, .tool = SDPOD_BINDIR "/sdpod", .sdpod = SDPOD_BINDIR "/sdpod",
                                .report = report, .found = found, .userdata = check };
        if (!unit_library_is_there())
                return error_set(reterr, -ENOSYS, ERROR_UNSUPPORTED, "cannot read unit files: the library libinih.so.1 is not installed");
        return unit_dirs_find(check->user, report, check, &check->dirs) < 0 ? error_oom(reterr) : 0;
}

static int scan_failed(int r, Error *reterr) {
        return r == -ENOMEM ? error_oom(reterr) : error_set_errno(reterr, r, "cannot read the unit files");
}

static int name_all(QuadletCheck *check, Error *reterr) {
        int r = unit_set_name(&check->set);

        return r < 0 ? scan_failed(r, reterr) : 0;
}

int quadlet_check_load(QuadletCheck *check, Error *reterr) {
        int r = unit_set_scan(&check->set, check->dirs.items, check->dirs.n);

        return r < 0 ? scan_failed(r, reterr) : name_all(check, reterr);
}

/* Directories beside the items: their drop-ins, and the files that they refer to. */
static int scan_beside(QuadletCheck *check, const QuadletItems *items) {
        int r = 0;

        for (size_t i = 0; i < items->n && r >= 0; i++) {
                bool seen = items->items[i].type < 0;

                for (size_t j = 0; j < i && !seen; j++)
                        seen = items->items[j].type >= 0 && strcmp(items->items[j].dir, items->items[i].dir) == 0;
                if (!seen)
                        r = unit_set_scan(&check->set, &(UnitSearchDir){ .path = items->items[i].dir, .flat = true }, 1);
        }
        return r;
}

int quadlet_check_load_items(QuadletCheck *check, const QuadletItems *items, const char *dir, char *const *directories, Error *reterr) {
        UnitSet *set = &check->set;
        int r = 0;

        check->items = items;
        for (size_t i = 0; i < items->n && r >= 0; i++) {
                const QuadletItem *item = items->items + i;
                Unit *unit;

                if (item->type >= 0)
                        r = unit_set_add_text(set, dir ?: item->dir, item->name, item->data, item->size, &unit);
        }
        for (size_t i = 0; directories && directories[i] && r >= 0; i++)
                r = unit_set_scan(set, &(UnitSearchDir){ .path = directories[i] }, 1);
        size_t n_given = set->n_units;
        if (r >= 0 && !dir)
                r = scan_beside(check, items);
        if (r >= 0)
                r = unit_set_scan(set, check->dirs.items, check->dirs.n);
        for (size_t i = n_given; i < set->n_units; i++)
                set->units[i]->aside = true;
        return r < 0 ? scan_failed(r, reterr) : name_all(check, reterr);
}

/* Two files that make one service: said by name, if one of them matters here. */
static void find_rivals(QuadletCheck *check) {
        for (size_t i = 0; i < check->set.n_units; i++) {
                const Unit *unit = check->set.units[i], *rival = unit->rival;

                if (!unit->doubled || !rival || (unit->aside && rival->aside))
                        continue;
                const Unit *given = unit->aside ? rival : unit, *other = unit->aside ? unit : rival;
                const QuadletItem *item = check->items ? quadlet_items_find(check->items, given->name) : NULL;
                const QuadletItem *second = check->items && !other->aside ? quadlet_items_find(check->items, other->name) : NULL;
                add_finding(check, (QuadletFinding){ .severity = UNIT_ERROR, .unit = given },
                            str_format("%s: it makes %s.service, and so does %s (set ServiceName= in one of them)",
                                       item ? item->source : given->path, unit->service, second ? second->source : other->path));
        }
}

int quadlet_check_run(QuadletCheck *check, Error *reterr) {
        int r = unit_output_all(&check->set, &(UnitOutput){ .dir_fd = -EBADF, .late_fd = -EBADF, .check = true });
        size_t n = 0;

        if (r < 0)
                return scan_failed(r, reterr);
        find_rivals(check);
        for (size_t i = 0; i < check->n_findings; i++) {
                QuadletFinding *f = check->findings + i;

                if (f->unit && f->unit->aside)
                        free(f->text);
                else
                        check->findings[n++] = *f;
        }
        check->n_findings = n;
        for (size_t i = 0; i < n; i++)
                if (check->findings[i].severity == UNIT_ERROR)
                        check->n_errors++;
                else
                        check->n_warnings++;
        return 0;
}

int quadlet_check_read(QuadletCheck *check, bool judge, Error *reterr) {
        int r = quadlet_check_begin(check, reterr);

        if (r >= 0)
                r = quadlet_check_load(check, reterr);
        return r < 0 || !judge ? r : quadlet_check_run(check, reterr);
}

void quadlet_check_warn(QuadletCheck *check, const Unit *unit, const UnitEntry *at, const char *message) {
        size_t before = check->n_findings;

        found(check, unit, UNIT_WARNING, at && at->source < unit->file.n_sources ? unit->file.sources[at->source] : unit->path,
              at ? at->line : 0, message);
        check->n_warnings += check->n_findings > before;
}

const char *quadlet_check_fault(const QuadletCheck *check, const Unit *unit) {
        for (size_t i = 0; i < check->n_findings; i++)
                if (check->findings[i].unit == unit && check->findings[i].severity == UNIT_ERROR)
                        return check->findings[i].text;
        return NULL;
}

void quadlet_check_print(const QuadletCheck *check, bool warnings) {
        for (size_t i = 0; i < check->n_findings; i++) {
                const QuadletFinding *f = check->findings + i;
                _cleanup_free_ char *clean = str_escape_control(f->text);

                if (f->severity == UNIT_ERROR || warnings)
                        fprintf(stderr, "%s%s\n", f->severity == UNIT_ERROR ? "" : "warning: ", clean ?: "out of memory");
        }
}

/* ---- names that people use ---- */

static bool is_meant(const Unit *unit, const char *word, bool by_service) {
        const char *rest = str_after(word, unit->service ?: "");

        if (by_service)
                return unit->service && rest && (strcmp(rest, ".service") == 0 || !*rest);
        rest = str_after(unit->name, word);
        return rest && *rest == '.' && !strchr(rest + 1, '.');
}

int quadlet_check_find(const QuadletCheck *check, const char *word, Unit **ret, Error *reterr) {
        Unit *unit = unit_set_find(&check->set, word), *one = NULL, *two = NULL;

        if (unit) {
                *ret = unit;
                return 0;
        }
        for (int by_service = 1; by_service >= 0 && !one; by_service--)
                for (size_t i = 0; i < check->set.n_units; i++) {
                        unit = check->set.units[i];
                        if (unit->masked || unit->doubled || !is_meant(unit, word, by_service))
                                continue;
                        two = one ? unit : two;
                        one = one ?: unit;
                }
        if (two)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot tell which unit file '%s' is: '%s' or '%s'", word, one->name, two->name);
        if (!one) {
                (void) error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the unit file '%s': it is in none of the directories", word);
                return error_with_hint(reterr, -ENOENT, "'sdpod quadlet list' shows those that are there");
        }
        *ret = one;
        return 0;
}
