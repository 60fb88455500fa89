/* SPDX-License-Identifier: Apache-2.0 */
/* The units of one run: reading, drop-ins, names, references. */
#include "unit/set.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "unit/name.h"
#include "unit/scan.h"
#include "unit/value.h"

Unit *unit_set_find(const UnitSet *set, const char *name) {
        Unit *unit = unit_table_get(set->by_name, name);

        return unit && !unit->masked ? unit : NULL;
}

static void report_place(UnitSet *set, const Unit *unit, unsigned source, uint32_t line, UnitSeverity severity,
                         const char *prefix, const char *message) {
        const char *path = source < unit->file.n_sources ? unit->file.sources[source] : unit->path;
        _cleanup_text_ Text text = {};

        if (set->found) {
                set->found(set->userdata, unit, severity, path, line, message);
                return;
        }
        text_add(&text, path);
        if (line > 0)
                text_addf(&text, ":%u", line);
        text_addf(&text, ": %s%s", prefix, message);
        set->report(set->userdata, severity, text.failed ? "out of memory" : text.data);
}

int unit_fail(UnitSet *set, Unit *unit, unsigned source, uint32_t line, const char *format, ...) {
        const char *path = source < unit->file.n_sources ? unit->file.sources[source] : unit->path;
        _cleanup_free_ char *message = NULL, *prefix = NULL;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&message, format, ap);
        va_end(ap);
        if (r < 0)
                message = NULL;
        if (!unit->broken)
                set->n_broken++;
        unit->broken = true;
        if (unit->n_faults++ >= UNIT_FAULTS_MAX)
                return -EINVAL;
        prefix = str_format("converting \"%s\": ", unit->name);
        report_place(set, unit, source, line, UNIT_ERROR, prefix ? prefix : "", message ? message : "out of memory");
        if (!unit->fault && message)
                unit->fault =
                        line > 0 ? str_format("%s:%u: %s", path, line, message) : str_format("%s: %s", path, message);
        return -EINVAL;
}

void unit_warn(UnitSet *set, const Unit *unit, unsigned source, uint32_t line, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&message, format, ap);
        va_end(ap);
        if (r < 0)
                message = NULL;
        report_place(set, unit, source, line, UNIT_WARNING, "Warning: ", message ? message : "out of memory");
}

static int read_source(UnitSet *set, Unit *unit, int dir_fd, const char *name, const char *path) {
        UnitFault fault = {};
        int r = unit_file_add(&unit->file, dir_fd, name, path, &fault);

        if (r == -ENOMEM && !fault.message)
                set->failed = true;
        else if (r < 0) {
                unsigned source = unit->file.n_sources > 0 ? (unsigned) unit->file.n_sources - 1 : 0;
                bool opened = unit->file.n_sources > 0 && strcmp(unit->file.sources[source], path) == 0;

                if (opened || strcmp(path, unit->path) == 0)
                        (void) unit_fail(set, unit, source, fault.line, "%s", fault.message);
                else
                        (void) unit_fail(set, unit, 0, 0, "the drop-in '%s' %s", path, fault.message);
        }
        unit_fault_done(&fault);
        return r;
}

static int new_unit(UnitSet *set, const char *dir, const char *name, UnitType type, bool masked, Unit **ret) {
        if (set->n_units == set->units_room) {
                size_t room = MAX(set->units_room * 2, (size_t) 64);
                Unit **units = realloc(set->units, room * sizeof(*units));

                if (!units)
                        return -ENOMEM;
                set->units = units;
                set->units_room = room;
        }
        Unit *unit = arena_alloc(&set->arena, sizeof(*unit));
        if (!unit)
                return -ENOMEM;
        *unit = (Unit){ .type = type, .file.type = type, .masked = masked, .dir = dir,
                        .name = arena_copy(&set->arena, name),
                        .path = arena_format(&set->arena, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) };
        set->units[set->n_units++] = unit;
        if (!unit->name || !unit->path)
                return -ENOMEM;
        *ret = unit;
        return unit_table_put(&set->by_name, unit->name, unit);
}

/* Called by the scan for each file whose name is new. */
int unit_set_add(UnitSet *set, int dir_fd, const char *dir, const char *name, UnitType type, bool masked) {
        Unit *unit = NULL;
        int r = new_unit(set, dir, name, type, masked, &unit);

        if (r < 0 || masked)
                return r;
        return read_source(set, unit, dir_fd, name, unit->path) == -ENOMEM ? -ENOMEM : 0;
}

int unit_set_add_text(UnitSet *set, const char *dir, const char *name, const char *text, size_t size, Unit **ret) {
        UnitFault fault = {};
        Unit *unit = NULL;
        int r = new_unit(set, dir, name, unit_type_from_file(name), /* masked= */ false, &unit);
        char *buffer = r < 0 ? NULL : malloc(size + 1);

        if (!buffer)
                return r < 0 ? r : -ENOMEM;
        memcpy(buffer, text, size);
        buffer[size] = '\0';
        r = unit_file_add_buffer(&unit->file, buffer, size, unit->path, &fault);
        if (r == -EINVAL)
                (void) unit_fail(set, unit, 0, fault.line, "%s", fault.message);
        unit_fault_done(&fault);
        *ret = unit;
        return r == -EINVAL ? 0 : r;
}

/* --- drop-ins --- */

typedef struct DropIn {
        const char *name; /* of the .conf file */
        const char *dir;
} DropIn;

static int compare_drop_ins(const void *a, const void *b) {
        return strcmp(((const DropIn *) a)->name, ((const DropIn *) b)->name);
}

static void list_drop_ins(UnitSet *set, UnitDropInDir *d) {
        struct dirent *entry;
        DIR *stream = opendir(d->path);

        d->listed = true;
        while (stream && (entry = readdir(stream)))
                if (str_has_suffix(entry->d_name, ".conf") && entry->d_name[0] != '.')
                        words_add(&d->names, arena_copy(&set->arena, entry->d_name));
        if (stream)
                (void) closedir(stream);
        if (d->names.failed)
                set->failed = true;
}

/* Adds the .conf files of all directories of that name; one of the same name in a more specific (or earlier) directory
 * has been taken already. */
static void collect_drop_ins(UnitSet *set, const char *dir_name, DropIn **list, size_t *n) {
        for (UnitDropInDir *d = unit_table_get(set->drop_in_dirs, dir_name); d; d = d->next) {
                if (!d->listed)
                        list_drop_ins(set, d);
                for (size_t w = 0; w < d->names.n; w++) {
                        bool taken = false;

                        for (size_t i = 0; i < *n && !taken; i++)
                                taken = strcmp((*list)[i].name, d->names.items[w]) == 0;
                        if (taken)
                                continue;
                        DropIn *grown = *n < UNIT_DROP_INS_MAX ? realloc(*list, (*n + 1) * sizeof(**list)) : NULL;
                        if (!grown) {
                                set->failed = true;
                                return;
                        }
                        *list = grown;
                        (*list)[(*n)++] = (DropIn){ .name = d->names.items[w], .dir = d->path };
                }
        }
}

/* systemd.unit(5): a-b@i.container looks into a-b@i.container.d, a-b@.container.d, a-@.container.d, container.d. */
static void find_drop_ins(UnitSet *set, const Unit *unit, DropIn **list, size_t *n) {
        const char *type = unit_type_info(unit->type)->name, *at = unit_name_at(unit->name);
        size_t base = strlen(unit->name) - strlen(type) - 1;
        size_t prefix = at && (size_t) (at - unit->name) < base ? (size_t) (at - unit->name) : base;
        bool with_at = prefix < base;
        char name[NAME_MAX + 16];

        (void) snprintf(name, sizeof(name), "%s.d", unit->name);
        collect_drop_ins(set, name, list, n);
        if (with_at && prefix + 1 < base) {
                (void) snprintf(name, sizeof(name), "%.*s@.%s.d", (int) prefix, unit->name, type);
                collect_drop_ins(set, name, list, n);
        }
        for (size_t i = prefix; i-- > 1;) {
                if (unit->name[i] != '-' || i + 1 == prefix)
                        continue;
                (void) snprintf(name, sizeof(name), "%.*s%s.%s.d", (int) i + 1, unit->name, with_at ? "@" : "", type);
                collect_drop_ins(set, name, list, n);
        }
        (void) snprintf(name, sizeof(name), "%s.d", type);
        collect_drop_ins(set, name, list, n);
}

static void read_drop_ins(UnitSet *set, Unit *unit) {
        _cleanup_free_ DropIn *list = NULL;
        size_t n = 0;

        if (!set->drop_in_dirs)
                return;
        find_drop_ins(set, unit, &list, &n);
        if (n > 1)
                qsort(list, n, sizeof(*list), compare_drop_ins);
        for (size_t i = 0; i < n && !unit->broken; i++) {
                const char *path = arena_format(&set->arena, "%s/%s", list[i].dir, list[i].name);
                char target[16];
                ssize_t length = path ? readlink(path, target, sizeof(target)) : -1;

                if (length == STRLEN("/dev/null") && memcmp(target, "/dev/null", (size_t) length) == 0)
                        continue; /* masked */
                if (!path || read_source(set, unit, AT_FDCWD, path, path) == -ENOMEM)
                        set->failed = true;
        }
}

/* --- names --- */

static void name_unit(UnitSet *set, Unit *unit) {
        static const UnitKey name_keys[_UNIT_TYPE_MAX] = {
                [UNIT_ARTIFACT] = KEY_Artifact, [UNIT_CONTAINER] = KEY_ContainerName, [UNIT_NETWORK] = KEY_NetworkName,
                [UNIT_POD] = KEY_PodName,       [UNIT_VOLUME] = KEY_VolumeName,
        };
        const UnitEntry *at = unit_file_last(&unit->file, KEY_ServiceName);
        const char *service = unit_value_string(&unit->file, KEY_ServiceName, &set->arena), *resource = NULL;

        unit->service = service ? service : unit_service_from_file(&set->arena, unit->type, unit->name);
        if (unit->service && (!unit_name_is_valid(unit->service) || strlen(unit->service) > UNIT_NAME_MAX - 8)) {
                const char *wrong = unit->service;

                unit->service = NULL;
                (void) unit_fail(set, unit, at ? at->source : 0, at ? at->line : 0,
                                 "'%s' is not a name that a service can have", wrong);
                return;
        }
        if (name_keys[unit->type] != KEY_NONE)
                resource = unit_value_string(&unit->file, name_keys[unit->type], &set->arena);
        if (unit->type == UNIT_IMAGE) {
                resource = unit_value_string(&unit->file, KEY_ImageTag, &set->arena);
                resource = resource ? resource : unit_value_string(&unit->file, KEY_Image, &set->arena);
        } else if (unit->type == UNIT_BUILD)
                resource = unit_value_first_line(&unit->file, KEY_ImageTag);
        else if (unit->type == UNIT_CONTAINER) {
                /* The default is systemd-%N, or systemd-%p_%i for templates: only the first can be told from here. */
                if (!resource && !unit_name_at(unit->name))
                        resource = "systemd-%N";
                resource = unit_value_replace(&set->arena, resource, "%N", unit->service);
                if (resource && strchr(resource, '%'))
                        resource = NULL;
        } else if (!resource && unit->type != UNIT_ARTIFACT)
                resource = unit_resource_from_file(&set->arena, unit->name);
        unit->resource = resource;
}

static int claim_service(UnitSet *set, Unit *unit) {
        const Unit *other = unit->service ? unit_table_get(set->by_service, unit->service) : NULL;
        _cleanup_free_ char *text = NULL;

        if (!unit->service)
                return 0;
        if (!other)
                return unit_table_put(&set->by_service, unit->service, unit);
        /* Not a fault of the file: which of both is meant, only their author knows. The first found stays. */
        unit->doubled = true;
        unit->rival = other;
        if (set->found)
                return 0;
        text = str_format(
                "%s and %s both make %s.service; the second one is left out (set ServiceName= in one of them)",
                other->path, unit->path, unit->service);
        set->report(set->userdata, UNIT_ERROR, text ? text : "out of memory");
        return 0;
}

int unit_set_load(UnitSet *set, const UnitSearchDir *dirs, size_t n_dirs) {
        int r = unit_set_scan(set, dirs, n_dirs);

        return r < 0 ? r : unit_set_name(set);
}

int unit_set_name(UnitSet *set) {
        int r = 0;

        for (size_t i = 0; i < set->n_units && r >= 0; i++) {
                Unit *unit = set->units[i];

                if (unit->masked)
                        continue;
                if (!unit->broken)
                        read_drop_ins(set, unit);
                name_unit(set, unit);
                r = claim_service(set, unit);
        }
        return r < 0 ? r : set->failed || set->arena.failed ? -ENOMEM : 0;
}

bool unit_set_refer(const UnitSet *set, const char *name, Arena *arena, UnitReference *ret) {
        const Unit *unit = unit_set_find(set, name);
        const char *at = unit_name_at(name), *dot = strrchr(name, '.');

        if (unit && unit->service) {
                *ret = (UnitReference){ .type = unit->type, .resource = unit->resource,
                                        .service = arena_format(arena, "%s.service", unit->service) };
                return true;
        }
        if (unit || !at || !dot || dot <= at + 1)
                return false;
        const char *template = arena_format(arena, "%.*s@%s", (int) (at - name), name, dot);
        const char *instance = arena_copy_n(arena, at + 1, (size_t) (dot - at - 1));
        unit = template ? unit_set_find(set, template) : NULL;
        if (!unit || !unit->service || !str_has_suffix(unit->service, "@"))
                return false;
        *ret = (UnitReference){ .type = unit->type,
                                .service = arena_format(arena, "%s%s.service", unit->service, instance),
                                .resource = unit_value_replace(arena, unit->resource, "%i", instance) };
        return true;
}

static void free_drop_in_dirs(void *first) {
        for (UnitDropInDir *d = first; d; d = d->next)
                words_done(&d->names);
}

void unit_set_done(UnitSet *set) {
        for (size_t i = 0; i < set->n_units; i++) {
                unit_file_done(&set->units[i]->file);
                words_done(&set->units[i]->starts);
                free(set->units[i]->fault);
        }
        free(set->units);
        unit_table_each(set->drop_in_dirs, free_drop_in_dirs);
        unit_table_free(set->by_name);
        unit_table_free(set->by_service);
        unit_table_free(set->drop_in_dirs);
        free(set->visited);
        arena_done(&set->arena);
        *set = (UnitSet){};
}
