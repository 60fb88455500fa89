/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one pass over many unit files: an arena that is dropped as a whole, growing text, lists of words.
 *
 * A failed allocation sticks: what is added later goes nowhere, and the owner asks once, before it uses the result.
 * So the converters read as the list of flags that they are, and no unit is ever written from half of its words. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef struct Arena {
        struct ArenaBlock *blocks;
        bool failed;
} Arena;

/* Zeroed memory that lives as long as the arena; NULL when out of memory. */
void *arena_alloc(Arena *arena, size_t size);

/* Copies of strings; NULL in, NULL out. */
char *arena_copy(Arena *arena, const char *s);
char *arena_copy_n(Arena *arena, const char *s, size_t n);
char *arena_format(Arena *arena, const char *format, ...) _printf_(2, 3);

/* Forgets all content and keeps one block for the next round. */
void arena_reset(Arena *arena);
void arena_done(Arena *arena);

typedef struct Text {
        char *data; /* NUL-terminated once anything was added */
        size_t size, room;
        bool failed;
} Text;

void text_add(Text *text, const char *s); /* NULL marks the text as failed */
void text_add_n(Text *text, const char *s, size_t n);
void text_add_char(Text *text, char c);
void text_addf(Text *text, const char *format, ...) _printf_(2, 3);
void text_clear(Text *text);
void text_done(Text *text);

/* Borrowed strings, usually from an arena. */
typedef struct Words {
        const char **items;
        size_t n, room;
        bool failed;
} Words;

void words_add(Words *words, const char *s); /* NULL marks the list as failed */
void words_clear(Words *words);
void words_done(Words *words);

#define _cleanup_text_ _cleanup_(text_done)
#define _cleanup_words_ _cleanup_(words_done)
