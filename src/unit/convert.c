/* SPDX-License-Identifier: Apache-2.0 */
/* The service around the commands: groups, dependencies, defaults, Exec lines. */
#include "unit/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

int convert_fail(Convert *c, const UnitEntry *at, const char *format, ...) {
        char *message = NULL;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&message, format, ap);
        va_end(ap);
        (void) unit_fail(c->set, c->unit, at ? at->source : 0, at ? at->line : 0, "%s",
                         r < 0 ? "out of memory" : message);
        if (r >= 0)
                free(message);
        return -EINVAL;
}

const char *convert_string(Convert *c, UnitKey key) {
        return unit_value_string(&c->unit->file, key, c->arena);
}

int convert_bool(Convert *c, UnitKey key, bool *ret) {
        const UnitEntry *e = unit_file_last(&c->unit->file, key);
        const char *value = e ? unit_value_unquote(e->value, c->arena) : NULL;

        if (str_empty(value))
                return 0;
        if (unit_value_bool(value, ret) < 0)
                return convert_fail(c, e, "%s=%s: neither yes nor no", e->name, value);
        return 0;
}

int convert_words(Convert *c, UnitKey key, UnitSplit how, Words *words) {
        UnitSelect select = UNIT_SELECT(key);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                int r = unit_split(c->arena, e->value, how, words);

                if (r == -EINVAL)
                        unit_warn(c->set, c->unit, e->source, e->line,
                                  "unsupported escape char in %s=%s, leaving the line out", e->name, e->value);
                else if (r < 0)
                        return r;
        }
        return 0;
}

const char *convert_service_key(const Convert *c, const char *name) {
        const UnitEntry *e = unit_file_last_named(&c->unit->file, "Service", name);

        return e ? e->value : NULL;
}

static void add_line(Text *text, const char *key, const char *value) {
        text_add(text, key);
        text_add_char(text, '=');
        text_add(text, value);
        if (value && str_has_suffix(value, "\\")) /* would join the next line: systemd looks before it trims */
                text_add_char(text, ' ');
        text_add_char(text, '\n');
}

void convert_add_service(Convert *c, const char *key, const char *value) {
        add_line(&c->service, key, value);
}

void convert_default_service(Convert *c, const char *key, const char *value) {
        if (!convert_service_key(c, key))
                add_line(&c->service, key, value);
}

static void drop_lines(Convert *c, const char *group, const char *key) {
        int g = unit_file_group(&c->unit->file, group);

        for (size_t i = 0; g >= 0 && i < c->unit->file.n_entries; i++) {
                UnitEntry *e = c->unit->file.entries + i;

                if (e->kind == ENTRY_KEY && e->group == g && strcmp(e->name, key) == 0)
                        e->dropped = true;
        }
}

void convert_replace_service(Convert *c, const char *key, const char *value) {
        drop_lines(c, "Service", key);
        add_line(&c->service, key, value);
}

void convert_add_unit(Convert *c, const char *key, const char *value) {
        add_line(&c->last, key, value);
}

int convert_add_exec(Convert *c, const char *key, const char *prefix, const char *const *words, size_t n) {
        UnitSelect select = UNIT_SELECT(KEY_ContainersConfModule);
        _cleanup_words_ Words globals = {};
        Text *out = &c->service;
        const UnitEntry *e;
        size_t start = out->size;

        text_addf(out, "%s=%s", key, prefix);
        unit_quote_word(out, c->set->tool);
        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                text_add_char(out, ' ');
                unit_quote_word(out, arena_format(c->arena, "--module=%s", e->value));
        }
        int r = convert_words(c, KEY_GlobalArgs, UNIT_SPLIT_ESCAPES, &globals);
        if (r < 0)
                return r;
        for (size_t i = 0; i < globals.n + n; i++) {
                text_add_char(out, ' ');
                unit_quote_word(out, i < globals.n ? globals.items[i] : words[i - globals.n]);
        }
        text_add_char(out, '\n');
        if (!out->failed && out->size - start >= UNIT_FILE_SIZE_MAX) /* systemd would refuse the file */
                return convert_fail(c, NULL, "%s= would be longer than %d bytes", key, UNIT_FILE_SIZE_MAX);
        return 0;
}

void convert_add(Convert *c, const char *word) {
        words_add(&c->argv, word);
}

void convert_add_two(Convert *c, const char *flag, const char *value) {
        words_add(&c->argv, flag);
        words_add(&c->argv, value);
}

void convert_oneshot(Convert *c, bool remain_after_exit) {
        convert_default_service(c, "SyslogIdentifier", "%N");
        convert_default_service(c, "Type", "oneshot");
        if (remain_after_exit)
                convert_default_service(c, "RemainAfterExit", "yes");
}

int convert_create(Convert *c, const char *what) {
        convert_add_two(c, what, "create");
        convert_add(c, "--ignore");
        int r = convert_add_rows(c);
        if (r < 0)
                return r;
        convert_add(c, c->name);
        r = convert_add_exec(c, "ExecStart", "", c->argv.items, c->argv.n);
        convert_oneshot(c, /* remain_after_exit= */ true);
        return r;
}

int convert_kill_mode(Convert *c) {
        const UnitEntry *e = unit_file_last_named(&c->unit->file, "Service", "KillMode");

        if (!e)
                convert_add_service(c, "KillMode", "mixed");
        else if (strcmp(e->value, "mixed") != 0 && strcmp(e->value, "control-group") != 0)
                return convert_fail(c, e, "invalid KillMode '%s': it must be mixed or control-group", e->value);
        return 0;
}

int convert_notify_type(Convert *c, bool *ret_oneshot) {
        const UnitEntry *e = unit_file_last_named(&c->unit->file, "Service", "Type");

        *ret_oneshot = e && strcmp(e->value, "oneshot") == 0;
        if (e && !*ret_oneshot && strcmp(e->value, "notify") != 0)
                return convert_fail(c, e, "invalid service Type '%s': it must be notify or oneshot", e->value);
        if (!*ret_oneshot) {
                convert_replace_service(c, "Type", "notify");
                convert_replace_service(c, "NotifyAccess", "all");
        }
        return 0;
}

/* --- the groups that every type has --- */

static bool is_dependency_key(const char *name) {
        static const char *const keys[] = {
                "After",       "Before",             "BindsTo",          "Conflicts",            "OnFailure",
                "OnSuccess",   "PartOf",             "PropagatesReloadTo", "PropagatesStopTo",   "ReloadPropagatedFrom",
                "Requires",    "Requisite",          "StopPropagatedFrom", "Upholds",            "Wants",
        };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strcmp(name, keys[i]) == 0)
                        return true;
        return false;
}

/* The group of systemd's that a key which is none of ours belongs to; NULL: of none that people mistake. */
static const char *home_of_key(const char *name) {
        static const struct {
                const char *name, *group;
        } homes[] = {
                { "Alias", "Install" },          { "DefaultInstance", "Install" },       { "RequiredBy", "Install" },
                { "UpheldBy", "Install" },       { "WantedBy", "Install" },
                { "ExecCondition", "Service" },  { "ExecStart", "Service" },             { "ExecStartPost", "Service" },
                { "ExecStartPre", "Service" },   { "ExecStop", "Service" },              { "ExecStopPost", "Service" },
                { "Restart", "Service" },        { "RestartSec", "Service" },            { "RuntimeMaxSec", "Service" },
                { "SuccessExitStatus", "Service" }, { "TimeoutSec", "Service" },         { "TimeoutStartSec", "Service" },
                { "TimeoutStopSec", "Service" }, { "Type", "Service" },                  { "WatchdogSec", "Service" },
                { "ConditionPathExists", "Unit" }, { "Description", "Unit" },            { "Documentation", "Unit" },
                { "RequiresMountsFor", "Unit" }, { "StartLimitBurst", "Unit" },          { "StartLimitIntervalSec", "Unit" },
        };

        for (size_t i = 0; i < ELEMENTSOF(homes); i++)
                if (strcmp(name, homes[i].name) == 0)
                        return homes[i].group;
        return is_dependency_key(name) ? "Unit" : NULL;
}

static int check_keys(Convert *c) {
        const UnitFile *file = &c->unit->file;
        int r = 0;

        for (size_t i = 0; i < file->n_entries && c->unit->n_faults < UNIT_FAULTS_MAX; i++) {
                const UnitEntry *e = file->entries + i;
                UnitGroupKind kind = e->kind == ENTRY_KEY ? file->groups[e->group].kind : GROUP_OTHER;
                const char *near, *home;

                if (kind == GROUP_OTHER || (kind == GROUP_QUADLET && e->key == KEY_DefaultDependencies) ||
                    unit_type_row(file->type, e->key))
                        continue;
                home = home_of_key(e->name);
                near = home ? NULL : kind == GROUP_OWN ? unit_key_nearest(file->type, e->name) : "DefaultDependencies";
                r = convert_fail(c, e, "unsupported key '%s' in group '%s' in %s%s%s%s", e->name,
                                 file->groups[e->group].name, file->sources[e->source],
                                 home ? "; it belongs to [" : near ? "; did you mean '" : "", home ?: near ?: "",
                                 home ? "]" : near ? "'?" : "");
        }
        return r;
}

/* The group that a mistyped name most likely meant; NULL where it is one that we know, or like none of them. */
static const char *nearest_group(const char *name, const char *own) {
        const char *const known[] = { "Unit", "Service", "Install", "Quadlet", "X-Sdpod", own };
        const char *nearest = NULL;
        size_t best = 3;

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (strcmp(name, known[i]) == 0)
                        return NULL;
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                size_t distance = str_distance(name, known[i], best - 1);

                if (distance < best && distance * 2 <= strlen(known[i])) {
                        best = MAX(distance, (size_t) 1);
                        nearest = known[i];
                }
        }
        return nearest;
}

/* systemd passes over groups that it does not know: a slip of the pen there would be a service without its settings. */
static int check_groups(Convert *c) {
        const UnitFile *file = &c->unit->file;
        int r = 0;

        for (size_t g = 0; g < file->n_groups; g++) {
                const UnitGroup *group = file->groups + g;
                UnitEntry at = { .line = group->line, .source = group->source };
                const char *near = nearest_group(group->name, unit_type_info(file->type)->group);

                if (group->kind == GROUP_OTHER && unit_type_from_group(group->name) >= 0)
                        unit_warn(c->set, c->unit, at.source, at.line, "[%s] has no meaning in a .%s file, ignoring it",
                                  group->name, unit_type_info(file->type)->name);
                else if (near)
                        r = convert_fail(c, &at, "unknown group '[%s]'; did you mean '[%s]'?", group->name, near);
        }
        return r;
}

/* Ours alone; Podman passes over it. */
static int check_sdpod_group(Convert *c) {
        int g = unit_file_group(&c->unit->file, "X-Sdpod");
        bool harden = false;

        for (size_t i = 0; g >= 0 && i < c->unit->file.n_entries; i++) {
                const UnitEntry *e = c->unit->file.entries + i;

                if (e->kind != ENTRY_KEY || e->group != g)
                        continue;
                if (strcmp(e->name, "Harden") != 0)
                        return convert_fail(c, e, "unsupported key '%s' in group 'X-Sdpod'; did you mean 'Harden'?",
                                            e->name);
                if (*e->value && unit_value_bool(e->value, &harden) < 0)
                        return convert_fail(c, e, "Harden=%s: neither yes nor no", e->value);
                if (harden)
                        return convert_fail(c, e, "Harden=yes is not there yet");
        }
        return 0;
}

static void warn_service_users(Convert *c) {
        static const char *const keys[] = { "User", "Group", "DynamicUser" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const UnitEntry *e = unit_file_last_named(&c->unit->file, "Service", keys[i]);

                if (e)
                        unit_warn(c->set, c->unit, e->source, e->line,
                                  "using key %s in the Service group is not supported - use at your own risk", keys[i]);
        }
}

/* Files' names among a key's words become services; its lines become one then. An empty line keeps its effect. */
static int translate_dependency(Convert *c, UnitEntry *last) {
        UnitFile *file = &c->unit->file;
        UnitSelect select = { .group = last->group, .name = last->name };
        _cleanup_words_ Words words = {};
        bool translated = false;
        Text joined = {};
        const UnitEntry *e;
        int r = 0;

        for (size_t i = unit_lines_begin(file, &select); r >= 0 && (e = unit_lines_next(file, &select, &i));) {
                r = unit_split(c->arena, e->value, UNIT_SPLIT_PLAIN, &words);
                for (size_t w = 0; w < words.n && r >= 0; w++) {
                        const char *word = words.items[w];
                        UnitReference reference;

                        if (unit_type_from_file(word) >= 0) {
                                if (!unit_set_refer(c->set, word, c->arena, &reference))
                                        r = convert_fail(c, e, "unable to translate dependency for %s", word);
                                else
                                        word = reference.service;
                                translated = true;
                        }
                        text_add(&joined, joined.size > 0 ? " " : "");
                        text_add(&joined, word);
                }
                words_clear(&words);
        }
        if (r >= 0 && translated) {
                for (size_t i = 0; i < file->n_entries; i++) {
                        UnitEntry *each = file->entries + i;

                        if (each->kind == ENTRY_KEY && each->group == last->group && *each->value &&
                            strcmp(each->name, last->name) == 0)
                                each->dropped = true;
                }
                last->dropped = false;
                last->value = joined.failed ? NULL : arena_copy(&c->set->arena, joined.data);
                r = last->value ? 0 : -ENOMEM;
        }
        text_done(&joined);
        return r;
}

static int translate_dependencies(Convert *c) {
        UnitFile *file = &c->unit->file;
        int group = unit_file_group(file, "Unit"), failed = 0;

        for (size_t i = file->n_entries; group >= 0 && i-- > 0;) {
                UnitEntry *e = file->entries + i;
                bool later = false;

                if (e->kind != ENTRY_KEY || e->group != group || e->dropped || !*e->value ||
                    !is_dependency_key(e->name))
                        continue;
                for (size_t j = i + 1; j < file->n_entries && !later; j++) /* the last line stands for all */
                        later = file->entries[j].kind == ENTRY_KEY && file->entries[j].group == group &&
                                strcmp(file->entries[j].name, e->name) == 0;
                int r = later ? 0 : translate_dependency(c, e);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        failed = r;
        }
        return failed;
}

static int add_unit_lines(Convert *c) {
        const char *online = c->set->user ? "sdpod-user-wait-network-online.service" : "network-online.target";
        bool dependencies = true;
        int r = convert_bool(c, KEY_DefaultDependencies, &dependencies);

        if (r < 0)
                return r;
        if (dependencies) {
                add_line(&c->first, "Wants", online);
                add_line(&c->first, "After", online);
        }
        add_line(&c->last, "SourcePath", unit_escape_specifiers(c->arena, c->unit->path, /* dollar= */ false));
        add_line(&c->last, "RequiresMountsFor", "%t/containers");
        return 0;
}

/* --- the whole text --- */

static void add_group_entries(const Convert *c, size_t g, Text *out) {
        const UnitFile *file = &c->unit->file;

        for (size_t i = 0; i < file->n_entries; i++) {
                const UnitEntry *e = file->entries + i;

                if (e->group != g || e->dropped || e->kind == ENTRY_GROUP)
                        continue;
                if (e->kind == ENTRY_KEY)
                        add_line(out, e->name, e->value);
                else {
                        text_add(out, e->value);
                        text_add_char(out, '\n');
                }
        }
}

static void add_group(const Convert *c, const char *name, int g, const Text *first, const Text *last, Text *out) {
        UnitGroupKind kind = g < 0 ? GROUP_OTHER : c->unit->file.groups[g].kind;

        text_addf(out, "\n[%s%s]\n", kind == GROUP_OTHER ? "" : "X-", name);
        if (first && first->size > 0)
                text_add_n(out, first->data, first->size);
        if (g >= 0)
                add_group_entries(c, (size_t) g, out);
        if (last && last->size > 0)
                text_add_n(out, last->data, last->size);
}

static void write_service(const Convert *c, Text *out) {
        const UnitFile *file = &c->unit->file;
        bool unit = false, service = false;

        for (size_t i = 0; i < file->n_entries; i++) /* comments before the first group */
                if (file->entries[i].kind == ENTRY_COMMENT && file->entries[i].group == UINT16_MAX) {
                        text_add(out, file->entries[i].value);
                        text_add_char(out, '\n');
                }
        for (size_t g = 0; g < file->n_groups; g++) {
                const char *name = file->groups[g].name;
                bool is_unit = strcmp(name, "Unit") == 0, is_service = strcmp(name, "Service") == 0;

                const Text *last = is_unit ? &c->last : is_service ? &c->service : NULL;

                add_group(c, name, (int) g, is_unit ? &c->first : NULL, last, out);
                unit = unit || is_unit;
                service = service || is_service;
        }
        if (!unit)
                add_group(c, "Unit", -1, &c->first, &c->last, out);
        if (!service)
                add_group(c, "Service", -1, NULL, &c->service, out);
}

int unit_convert(Convert *c, Unit *unit, Text *ret) {
        c->unit = unit;
        arena_reset(c->arena);
        words_clear(&c->argv);
        text_clear(&c->first);
        text_clear(&c->last);
        text_clear(&c->service);
        c->name = unit->resource;

        warn_service_users(c);
        int keys = check_keys(c), groups = check_groups(c), own = check_sdpod_group(c), dependencies = translate_dependencies(c);
        int r = keys < 0 ? keys : groups < 0 ? groups : own < 0 ? own : dependencies;
        if (r == -EINVAL) /* nothing comes of it, but what else is wrong is worth knowing */
                return convert_add_rows(c) == -ENOMEM ? -ENOMEM : r;
        if (r >= 0)
                r = add_unit_lines(c);
        if (r >= 0)
                r = unit_type_info(unit->type)->convert(c);
        if (r < 0)
                return r;
        write_service(c, ret);
        bool failed = c->argv.failed || c->first.failed || c->last.failed || c->service.failed || c->arena->failed;
        return failed || ret->failed ? -ENOMEM : 0;
}

void unit_convert_done(Convert *c) {
        words_done(&c->argv);
        text_done(&c->first);
        text_done(&c->last);
        text_done(&c->service);
}

void unit_convert_fault(const Unit *unit, const char *sdpod, Arena *arena, Text *ret) {
        enum { MESSAGE_MAX = 2000 };
        _cleanup_free_ char *clean = str_escape_control(unit->fault ? unit->fault : unit->path);
        const char *message = clean ? arena_copy_n(arena, clean, strnlen(clean, MESSAGE_MAX)) : NULL;

        text_add(ret, "# This stands where the service of a broken file would stand, so that starting it says why.\n");
        text_add(ret, "\n[Unit]\n");
        /* systemd says it wherever it says that the service has failed */
        add_line(ret, "Description", arena_format(arena, "%s cannot be used: %s", unit_escape_specifiers(arena, unit->name, /* dollar= */ false),
                                                  unit_escape_specifiers(arena, message, /* dollar= */ false)));
        add_line(ret, "SourcePath", unit_escape_specifiers(arena, unit->path, /* dollar= */ false));
        text_add(ret, "\n[Service]\nType=oneshot\nSyslogIdentifier=sdpod\nExecStart=");
        unit_quote_word(ret, sdpod);
        text_add(ret, " __fault ");
        unit_quote_word(ret, unit_escape_specifiers(arena, message, /* dollar= */ true));
        text_add_char(ret, '\n');
}
