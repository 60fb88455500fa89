/* SPDX-License-Identifier: Apache-2.0 */
/* Unit files as text: the way back. A value is written so that the row of its key, and then systemd, which expands `%` and `$` in
 * the Exec line that the row becomes, hand the same bytes to the flag. */
#pragma once

#include "unit/keys.h"

typedef struct UnitWriter {
        UnitType type;
        Arena *arena;
        Text comments;     /* lines in front of all groups, "# " included */
        Text unit, own, service, install;
        bool failed;
} UnitWriter;

void unit_writer_done(UnitWriter *writer);

/* Whether a line of that key can say the value; see unit_write_key(). */
bool unit_key_can_say(UnitType type, UnitKey key, const char *value);

/* Adds Key=value to the type's own group. False, and nothing is added, where no line of that key could say it: an empty word, a
 * line break, blanks at the ends of what is taken as it is. */
bool unit_write_key(UnitWriter *writer, UnitKey key, const char *value);

/* The same as a reference or a specifier of ours: the text is for Quadlet, `%` and `$` are not doubled. */
void unit_write_raw(UnitWriter *writer, UnitKey key, const char *value);

/* A word behind PodmanArgs=: whatever it is. */
void unit_write_argument(UnitWriter *writer, const char *word);

/* The words behind Exec=, on one line. None: no line. */
void unit_write_exec(UnitWriter *writer, char *const *words);

/* A comment at the top, one line: control characters are replaced. */
void unit_write_comment(UnitWriter *writer, const char *format, ...) _printf_(2, 3);

/* A line of one of the other groups, as it is: the caller has made it fit its key. */
void unit_write_line(Text *group, const char *name, const char *value);

/* The whole file. 0 or -ENOMEM. */
int unit_writer_text(UnitWriter *writer, Text *ret);
