/* SPDX-License-Identifier: Apache-2.0 */
/* Writes unit files. */
#include "unit/write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "unit/quote.h"

/* How a key's lines are read (unit/value.h). */
typedef enum Lookup {
        LOOKUP_NONE,
        LOOKUP_STRING,
        LOOKUP_STRING_EMPTY,
        LOOKUP_LINE,
        LOOKUP_PLAIN,
        LOOKUP_ESCAPED,
        LOOKUP_BOOL,
} Lookup;

/* Keys that a function reads, or the code around the command. */
static const struct {
        UnitKey key;
        Lookup lookup;
} elsewhere[] = {
        { KEY_AddDevice, LOOKUP_PLAIN },      { KEY_AutoUpdate, LOOKUP_STRING },    { KEY_CgroupsMode, LOOKUP_STRING },
        { KEY_ContainerName, LOOKUP_STRING }, { KEY_Copy, LOOKUP_BOOL },            { KEY_Device, LOOKUP_STRING },
        { KEY_Driver, LOOKUP_STRING },        { KEY_ExitPolicy, LOOKUP_STRING },    { KEY_ExposeHostPort, LOOKUP_LINE },
        { KEY_File, LOOKUP_STRING },          { KEY_GIDMap, LOOKUP_PLAIN },         { KEY_Gateway, LOOKUP_LINE },
        { KEY_GlobalArgs, LOOKUP_ESCAPED },   { KEY_Group, LOOKUP_STRING },         { KEY_IPRange, LOOKUP_LINE },
        { KEY_Image, LOOKUP_STRING },         { KEY_ImageTag, LOOKUP_LINE },        { KEY_Mount, LOOKUP_ESCAPED },
        { KEY_Network, LOOKUP_LINE },         { KEY_NetworkName, LOOKUP_STRING },   { KEY_Notify, LOOKUP_STRING },
        { KEY_Options, LOOKUP_STRING },       { KEY_Pod, LOOKUP_STRING },           { KEY_PodName, LOOKUP_STRING },
        { KEY_PodmanArgs, LOOKUP_ESCAPED },   { KEY_Rootfs, LOOKUP_STRING },        { KEY_SetWorkingDirectory, LOOKUP_STRING },
        { KEY_StartWithPod, LOOKUP_BOOL },    { KEY_StopTimeout, LOOKUP_STRING },   { KEY_SubGIDMap, LOOKUP_STRING },
        { KEY_SubUIDMap, LOOKUP_STRING },     { KEY_Subnet, LOOKUP_LINE },          { KEY_Type, LOOKUP_STRING },
        { KEY_UIDMap, LOOKUP_PLAIN },         { KEY_User, LOOKUP_STRING },          { KEY_UserNS, LOOKUP_STRING },
        { KEY_Volume, LOOKUP_LINE },          { KEY_VolumeName, LOOKUP_STRING },
};

static Lookup key_lookup(UnitType type, UnitKey key) {
        const UnitRow *row = unit_type_row(type, key);

        switch (row ? row->kind : KIND_ELSEWHERE) {
        case KIND_STRING:
        case KIND_JOINED:
                return LOOKUP_STRING;
        case KIND_JOINED_EMPTY:
                return LOOKUP_STRING_EMPTY;
        case KIND_LINES:
                return LOOKUP_LINE;
        case KIND_WORDS:
        case KIND_WORDS_LOWER:
        case KIND_WORD_PATHS:
                return LOOKUP_PLAIN;
        case KIND_ARGS:
        case KIND_PATHS:
        case KIND_PAIRS:
                return LOOKUP_ESCAPED;
        case KIND_BOOL:
        case KIND_SWITCH:
                return LOOKUP_BOOL;
        case KIND_CALL:
        case KIND_ALWAYS:
        case KIND_ELSEWHERE:
                break;
        }
        for (size_t i = 0; row && i < ELEMENTSOF(elsewhere); i++)
                if (elsewhere[i].key == key)
                        return elsewhere[i].lookup;
        return LOOKUP_NONE;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* What stands in a file as it is: text in one line. */
static bool is_text(const char *value) {
        for (const char *p = value; *p;) {
                size_t n = unit_utf8_length(p);

                if (n == 0 || ((unsigned char) *p < ' ' && *p != '\t') || *p == 0x7F)
                        return false;
                p += n;
        }
        return true;
}

/* One pair of quotes around it is taken off. */
static bool needs_pair(const char *value) {
        size_t n = strlen(value);

        return n > 0 && (is_blank(value[0]) || is_blank(value[n - 1]) || value[n - 1] == '\\' ||
                         (n > 1 && value[0] == '"' && value[n - 1] == '"'));
}

/* The quotation mark for a word in which a backslash is a character like another; 0: none is needed, -1: none will do. */
static int plain_quote(const char *value) {
        if (!strpbrk(value, " \t\"'") && !str_has_suffix(value, "\\"))
                return 0;
        return !strchr(value, '"') ? '"' : !strchr(value, '\'') ? '\'' : -1;
}

bool unit_key_can_say(UnitType type, UnitKey key, const char *value) {
        switch (key_lookup(type, key)) {
        case LOOKUP_STRING:
                return *value && is_text(value);
        case LOOKUP_STRING_EMPTY:
                return is_text(value);
        case LOOKUP_LINE:
                return *value && is_text(value) && !is_blank(value[0]) && !is_blank(value[strlen(value) - 1]) &&
                       !str_has_suffix(value, "\\");
        case LOOKUP_PLAIN:
                return *value && is_text(value) && plain_quote(value) >= 0;
        case LOOKUP_ESCAPED:
                return *value;
        case LOOKUP_BOOL:
                return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
        case LOOKUP_NONE:
                break;
        }
        return false;
}

static void write_value(UnitWriter *w, UnitKey key, const char *value) {
        Lookup lookup = key_lookup(w->type, key);
        int quote = 0;

        text_addf(&w->own, "%s=", unit_key_to_string(key));
        if (lookup == LOOKUP_ESCAPED) {
                unit_quote_readable(&w->own, value);
                text_add_char(&w->own, '\n');
                return;
        }
        if (lookup == LOOKUP_PLAIN)
                quote = plain_quote(value);
        else if (lookup != LOOKUP_LINE && needs_pair(value))
                quote = '"';
        if (quote)
                text_add_char(&w->own, (char) quote);
        text_add(&w->own, value);
        if (quote)
                text_add_char(&w->own, (char) quote);
        text_add_char(&w->own, '\n');
}

bool unit_write_key(UnitWriter *w, UnitKey key, const char *value) {
        if (!unit_key_can_say(w->type, key, value))
                return false;
        const char *escaped = unit_escape_specifiers(w->arena, value, /* dollar= */ true);
        if (escaped)
                write_value(w, key, escaped);
        else
                w->failed = true;
        return true;
}

void unit_write_raw(UnitWriter *w, UnitKey key, const char *value) {
        if (value)
                write_value(w, key, value);
        else
                w->failed = true;
}

static void write_word(UnitWriter *w, const char *word) {
        unit_quote_readable(&w->own, unit_escape_specifiers(w->arena, word, /* dollar= */ true));
}

void unit_write_argument(UnitWriter *w, const char *word) {
        text_addf(&w->own, "%s=", unit_key_to_string(KEY_PodmanArgs));
        write_word(w, word);
        text_add_char(&w->own, '\n');
}

void unit_write_exec(UnitWriter *w, char *const *words) {
        if (!words || !*words)
                return;
        text_addf(&w->own, "%s=", unit_key_to_string(KEY_Exec));
        for (char *const *word = words; *word; word++) {
                if (word > words)
                        text_add_char(&w->own, ' ');
                write_word(w, *word);
        }
        text_add_char(&w->own, '\n');
}

void unit_write_comment(UnitWriter *w, const char *format, ...) {
        char *text = NULL;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&text, format, ap);
        va_end(ap);
        _cleanup_free_ char *clean = r < 0 ? NULL : str_escape_control(text);
        if (r >= 0)
                free(text);
        text_add(&w->comments, clean ? "# " : NULL);
        text_add(&w->comments, clean);
        text_add_char(&w->comments, '\n');
}

void unit_write_line(Text *group, const char *name, const char *value) {
        text_add(group, name);
        text_add_char(group, '=');
        text_add(group, value);
        text_add_char(group, '\n');
}

void unit_writer_done(UnitWriter *w) {
        text_done(&w->comments);
        text_done(&w->unit);
        text_done(&w->own);
        text_done(&w->service);
        text_done(&w->install);
}

int unit_writer_text(UnitWriter *w, Text *ret) {
        const struct {
                const char *name;
                const Text *text;
        } groups[] = {
                { "Unit", &w->unit }, { unit_type_info(w->type)->group, &w->own }, { "Service", &w->service }, { "Install", &w->install },
        };
        bool failed = w->failed || w->comments.failed || w->arena->failed;

        if (w->comments.size > 0)
                text_add_n(ret, w->comments.data, w->comments.size);
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                failed = failed || groups[i].text->failed;
                if (groups[i].text->size == 0 && groups[i].text != &w->own)
                        continue;
                text_addf(ret, "%s[%s]\n", ret->size > 0 ? "\n" : "", groups[i].name);
                if (groups[i].text->size > 0)
                        text_add_n(ret, groups[i].text->data, groups[i].text->size);
        }
        return failed || ret->failed ? -ENOMEM : 0;
}
