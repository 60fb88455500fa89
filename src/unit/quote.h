/* SPDX-License-Identifier: Apache-2.0 */
/* Words of unit files: taken apart and put together as systemd.syntax(7) and systemd.service(5), COMMAND LINES, have
 * it. */
#pragma once

#include "unit/buffer.h"

typedef enum UnitSplit {
        UNIT_SPLIT_PLAIN,    /* quotes go, a backslash is a character like another: lists of names and paths */
        UNIT_SPLIT_ESCAPES,  /* quotes go and C escapes are decoded: words of commands, KEY=VALUE words */
} UnitSplit;

/* Takes a value apart; the words are copies in the arena. Empty words (`""`) are words. An open quote ends with the
 * value and a lone backslash at its end is dropped, as systemd's relaxed form has it. -EINVAL for an escape that is
 * not known or that stands for NUL (nothing was added then), -ENOMEM. */
int unit_split(Arena *arena, const char *value, UnitSplit how, Words *words);

/* Adds a word so that systemd, reading an Exec line, gets the same bytes back. `$` and `%` are left for systemd to
 * expand: they are the author's. */
void unit_quote_word(Text *text, const char *word);

/* The same for files that people read: blanks stay blanks within the quotes. */
void unit_quote_readable(Text *text, const char *word);

/* Text of ours (a path, a message) for a place where systemd expands specifiers: `%` is doubled, and `$` too where
 * `dollar` says that it is an Exec line. NULL when out of memory. */
char *unit_escape_specifiers(Arena *arena, const char *s, bool dollar);

/* How many bytes the UTF-8 character at `s` has; 0 if there is none (RFC 3629). */
size_t unit_utf8_length(const char *s) _pure_;
