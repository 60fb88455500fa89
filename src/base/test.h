/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests' few words: TEST(name) { ... } blocks that register themselves, checks that say what was found, TAP out.
 * A failed check ends its test, the others still run. */
#pragma once

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

typedef struct Test {
        const char *name;
        void (*run)(void);
        struct Test *next;
} Test;

extern Test *test_first;
extern jmp_buf test_failed;
extern const char *test_skipped;

/* Prints a comment of TAP: without the "# " before it and the newline behind it, and however many lines the text has. */
void test_note(const char *format, ...) _printf_(1, 2);

/* Runs `run`, with the process's number, in so many processes that begin at the same moment. Gives what each returned (0 to 255), or
 * 256 where it was killed; one that takes longer than half a minute is. */
void test_together(size_t n, int (*run)(size_t i, void *data), void *data, int results[]);

#define TEST(test_name)                                                                        \
        static void test_##test_name(void);                                                    \
        static Test test_entry_##test_name = { #test_name, test_##test_name, NULL };           \
        __attribute__((constructor)) static void test_register_##test_name(void) {             \
                Test **end = &test_first;                                                      \
                while (*end)                                                                   \
                        end = &(*end)->next;                                                   \
                *end = &test_entry_##test_name;                                                \
        }                                                                                      \
        static void test_##test_name(void)

#define CHECK(condition)                                                                       \
        do {                                                                                   \
                if (!(condition)) {                                                            \
                        test_note("%s:%d: not true: %s", __FILE__, __LINE__, #condition);      \
                        longjmp(test_failed, 1);                                               \
                }                                                                              \
        } while (0)

#define CHECK_INT(found, wanted)                                                               \
        do {                                                                                   \
                long long _f = (long long) (found), _w = (long long) (wanted);                 \
                if (_f != _w) {                                                                \
                        test_note("%s:%d: %s is %lld, not %lld", __FILE__, __LINE__, #found, _f, _w); \
                        longjmp(test_failed, 1);                                               \
                }                                                                              \
        } while (0)

#define CHECK_STR(found, wanted)                                                               \
        do {                                                                                   \
                const char *_f = (found), *_w = (wanted);                                      \
                if (!_f != !_w || (_f && strcmp(_f, _w) != 0)) {                               \
                        test_note("%s:%d: %s is '%s', not '%s'", __FILE__, __LINE__, #found,   \
                                  _f ? _f : "(null)", _w ? _w : "(null)");                     \
                        longjmp(test_failed, 1);                                               \
                }                                                                              \
        } while (0)

/* Ends the test as skipped, with the reason. */
#define SKIP(reason)                                                                           \
        do {                                                                                   \
                test_skipped = (reason);                                                       \
                longjmp(test_failed, 1);                                                       \
        } while (0)
