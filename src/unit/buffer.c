/* SPDX-License-Identifier: Apache-2.0 */
/* Arena, text and word list, each with a failure that sticks. */
#include "unit/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
        ARENA_BLOCK_SIZE = 32 * 1024,
        ARENA_ALIGNMENT = 8,
};

typedef struct ArenaBlock {
        struct ArenaBlock *next;
        size_t used, room;
        _Alignas(16) char data[];
} ArenaBlock;

void *arena_alloc(Arena *arena, size_t size) {
        ArenaBlock *block = arena->blocks;

        if (arena->failed || size > SIZE_MAX / 2) {
                arena->failed = true;
                return NULL;
        }
        size = (size + ARENA_ALIGNMENT - 1) & ~(size_t) (ARENA_ALIGNMENT - 1);
        if (!block || block->room - block->used < size) {
                size_t room = MAX(size, (size_t) ARENA_BLOCK_SIZE);

                block = malloc(sizeof(*block) + room);
                if (!block) {
                        arena->failed = true;
                        return NULL;
                }
                *block = (ArenaBlock){ .next = arena->blocks, .room = room };
                arena->blocks = block;
        }
        void *p = block->data + block->used;
        block->used += size;
        memset(p, 0, size);
        return p;
}

char *arena_copy_n(Arena *arena, const char *s, size_t n) {
        char *p = s ? arena_alloc(arena, n + 1) : NULL;

        if (p)
                memcpy(p, s, n);
        return p;
}

char *arena_copy(Arena *arena, const char *s) {
        return s ? arena_copy_n(arena, s, strlen(s)) : NULL;
}

char *arena_format(Arena *arena, const char *format, ...) {
        ArenaBlock *block = arena->blocks;
        /* What is left of the block takes nearly every string: formatted in place, it is kept by counting it. */
        size_t room = block && !arena->failed ? block->room - block->used : 0;
        char *p = room > 0 ? block->data + block->used : NULL;
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(p, room, format, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n + ARENA_ALIGNMENT < room) {
                block->used += ((size_t) n + ARENA_ALIGNMENT) & ~(size_t) (ARENA_ALIGNMENT - 1);
                return p;
        }
        p = n < 0 ? NULL : arena_alloc(arena, (size_t) n + 1);
        if (!p) {
                arena->failed = true;
                return NULL;
        }
        va_start(ap, format);
        (void) vsnprintf(p, (size_t) n + 1, format, ap);
        va_end(ap);
        return p;
}

void arena_reset(Arena *arena) {
        while (arena->blocks && arena->blocks->next) {
                ArenaBlock *next = arena->blocks->next;

                free(arena->blocks);
                arena->blocks = next;
        }
        if (arena->blocks)
                arena->blocks->used = 0;
        arena->failed = false;
}

void arena_done(Arena *arena) {
        arena_reset(arena);
        free(arena->blocks);
        *arena = (Arena){};
}

void text_add_n(Text *text, const char *s, size_t n) {
        if (text->failed || !s || n > SIZE_MAX / 4) {
                text->failed = true;
                return;
        }
        if (text->room - text->size <= n) {
                size_t room = MAX(text->room * 2, text->size + n + 256);
                char *data = realloc(text->data, room);

                if (!data) {
                        text->failed = true;
                        return;
                }
                text->data = data;
                text->room = room;
        }
        memcpy(text->data + text->size, s, n);
        text->size += n;
        text->data[text->size] = '\0';
}

void text_add(Text *text, const char *s) {
        text_add_n(text, s, s ? strlen(s) : 0);
}

void text_add_char(Text *text, char c) {
        text_add_n(text, &c, 1);
}

void text_addf(Text *text, const char *format, ...) {
        char small[256];
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(small, sizeof(small), format, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n < sizeof(small)) {
                text_add_n(text, small, (size_t) n);
                return;
        }
        char *large = NULL;
        va_start(ap, format);
        n = n < 0 ? -1 : vasprintf(&large, format, ap);
        va_end(ap);
        if (n < 0) {
                text->failed = true;
                return;
        }
        text_add_n(text, large, (size_t) n);
        free(large);
}

void text_clear(Text *text) {
        text->size = 0;
        text->failed = false;
        if (text->data)
                text->data[0] = '\0';
}

void text_done(Text *text) {
        free(text->data);
        *text = (Text){};
}

void words_add(Words *words, const char *s) {
        if (words->failed || !s) {
                words->failed = true;
                return;
        }
        if (words->n == words->room) {
                size_t room = MAX(words->room * 2, (size_t) 32);
                const char **items = realloc(words->items, room * sizeof(*items));

                if (!items) {
                        words->failed = true;
                        return;
                }
                words->items = items;
                words->room = room;
        }
        words->items[words->n++] = s;
}

void words_clear(Words *words) {
        words->n = 0;
        words->failed = false;
}

void words_done(Words *words) {
        free(words->items);
        *words = (Words){};
}
