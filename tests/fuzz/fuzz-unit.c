/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a unit file of any type (the first byte says which). What comes out is read again: the same words in the
 * main command, and not a line that neither the author nor the converter has written. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "unit/convert.h"

static void ignore(void *userdata, UnitSeverity severity, const char *text) {
        (void) userdata;
        (void) severity;
        (void) text;
}

static void require(bool holds, const char *what, const char *text) {
        if (holds)
                return;
        fprintf(stderr, "%s:\n%s\n", what, text);
        abort();
}

static size_t count_lines(const Text *text) {
        size_t n = 0;

        for (size_t i = 0; i < text->size; i++)
                n += text->data[i] == '\n' ? 1 : 0;
        return n;
}

static size_t count_keys(const UnitFile *file, const char *group, const char *renamed) {
        size_t n = 0;

        for (size_t i = 0; i < file->n_entries; i++) {
                const UnitEntry *e = file->entries + i;
                const char *name = e->kind == ENTRY_KEY && !e->dropped ? file->groups[e->group].name : "";

                n += strcmp(name, group) == 0 || (renamed && strcmp(name, renamed) == 0) ? 1 : 0;
        }
        return n;
}

/* systemd takes a `;` that stands alone as the end of the command. */
static bool has_bare_semicolon(const char *value) {
        char quote = 0;

        for (const char *p = value; *p; p++) {
                if (*p == '\\' && p[1])
                        p++;
                else if (quote ? *p == quote : *p == '"' || *p == '\'')
                        quote = quote ? 0 : *p;
                else if (!quote && *p == ';' && (p == value || p[-1] == ' ') && (p[1] == ' ' || !p[1]))
                        return true;
        }
        return false;
}

static void check_exec(const Convert *c, const UnitFile *again, const char *text) {
        const UnitEntry *e =
                unit_file_last_named(again, "Service", c->unit->type == UNIT_POD ? "ExecStartPre" : "ExecStart");
        Words words = {};
        Arena arena = {};

        require(e, "no command", text);
        require(!has_bare_semicolon(e->value), "a bare semicolon", text);
        require(unit_split(&arena, e->value, UNIT_SPLIT_ESCAPES, &words) == 0, "a command that cannot be read", text);
        require(words.n > c->argv.n, "words are missing", text);
        for (size_t i = 0; i < c->argv.n; i++)
                require(strcmp(words.items[words.n - c->argv.n + i], c->argv.items[i]) == 0, "another word", text);
        words_done(&words);
        arena_done(&arena);
}

/* Groups of the same names with the same number of keys, but for what the converter adds. */
static void check_groups(const Convert *c, const UnitFile *again, const char *text) {
        const UnitFile *file = &c->unit->file;

        for (size_t g = 0; g < again->n_groups; g++) {
                const char *name = again->groups[g].name, *renamed = str_after(name, "X-");
                size_t expected;

                if (renamed && strcmp(renamed, "Quadlet") != 0 &&
                    strcmp(renamed, unit_type_info(file->type)->group) != 0)
                        renamed = NULL;
                expected = count_keys(file, name, renamed);
                if (strcmp(name, "Unit") == 0)
                        expected += count_lines(&c->first) + count_lines(&c->last);
                if (strcmp(name, "Service") == 0)
                        expected += count_lines(&c->service);
                require(count_keys(again, name, NULL) == expected, "other lines", text);
        }
}

/* Our reader trims lines before it looks for a backslash at their end, as Podman's does; systemd does not, so the
 * converter puts a blank behind one. For reading again, such a backslash becomes another letter. */
static char *as_systemd_reads(const Text *text) {
        char *copy = strdup(text->data);

        for (char *p = copy; p && (p = strstr(p, "\\ \n"));)
                *p = '_';
        return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "f.container", "f.volume", "f.network", "f.pod",
                                             "f.kube",      "f.image",  "f.build",   "f.artifact" };
        static const char other[] = "[Container]\nImage=r.x/a\n";
        UnitSet set = { .tool = "/usr/bin/sdpod", .report = ignore };
        Unit *unit = NULL, *beside = NULL;
        Arena arena = {};
        Convert c = { .set = &set, .arena = &arena };
        Text text = {};

        if (size < 1)
                return 0;
        if (unit_set_add_text(&set, "/d", names[data[0] % ELEMENTSOF(names)], (const char *) data + 1, size - 1,
                              &unit) >= 0 &&
            unit_set_add_text(&set, "/d", "other.container", other, strlen(other), &beside) >= 0 &&
            unit_set_name(&set) >= 0 && !unit->broken && unit_convert(&c, unit, &text) == 0) {
                UnitFile again = { .type = UNIT_CONTAINER };
                UnitFault fault = {};

                require(unit_file_add_buffer(&again, as_systemd_reads(&text), text.size, "/again", &fault) == 0,
                        "a service that cannot be read", text.data);
                check_exec(&c, &again, text.data);
                check_groups(&c, &again, text.data);
                unit_file_done(&again);
        } else if (unit && unit->broken && unit->service) {
                text_clear(&text);
                unit_convert_fault(unit, "/usr/bin/sdpod", &arena, &text);
                UnitFile again = { .type = UNIT_CONTAINER };
                UnitFault fault = {};

                require(unit_file_add_buffer(&again, as_systemd_reads(&text), text.size, "/again", &fault) == 0 &&
                                count_keys(&again, "Service", NULL) == 3 && count_keys(&again, "Unit", NULL) == 2,
                        "a service for a fault that is not one", text.data);
                unit_file_done(&again);
        }
        text_done(&text);
        unit_convert_done(&c);
        arena_done(&arena);
        unit_set_done(&set);
        return 0;
}
