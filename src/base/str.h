/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and string vectors (NULL-terminated arrays of owned strings; NULL is the empty vector). */
#pragma once

#include <string.h>

#include "base/macro.h"

/* Both may be NULL; NULL equals only NULL. */
static inline bool str_equal(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_empty(const char *s) {
        return !s || !*s;
}

/* The part after `prefix`, or NULL if `s` does not begin with it. Borrowed from `s`. */
static inline const char *str_after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool str_has_suffix(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

/* A copy in which C0, C1 and DEL bytes and broken UTF-8 stand as \xNN; tab and newline stay only where
 * `keep_newlines` was asked. Owned by the caller; NULL when out of memory. */
char *str_escape_control(const char *s);
char *str_escape_control_lines(const char *s);

/* Writes a code point of Unicode as UTF-8 (RFC 3629, section 3), without a NUL; returns how many bytes that took, at most four. */
size_t str_put_utf8(char *to, unsigned long c);

/* Replaces *p by a copy of `s` (NULL empties it). Returns 0 or -ENOMEM, and then *p is as before. */
int str_replace(char **p, const char *s);

/* So many random lower-case hexadecimal digits, as names of temporary files are made of. Owned; NULL when out of memory. */
char *str_random_hex(size_t n_digits);

/* The same for an ID. Its short form, the first twelve digits, is no number: it is a container's host name, and what reads a number
 * where a name could stand would take it for one. Docker and Podman do the same (moby's issue 3869). */
char *str_random_id(size_t n_digits);

/* A new string from a format, or NULL when out of memory. */
char *str_format(const char *format, ...) _printf_(1, 2);

/* How many letters must be changed, added or left out to make one of the other, without regard to case; more than
 * `limit` is reported as limit + 1. */
size_t str_distance(const char *a, const char *b, size_t limit) _pure_;

void strv_free(char **v);
static inline void strv_freep(char ***v) {
        strv_free(*v);
}
#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *v) _pure_;

/* Appends a copy. Returns 0 or -ENOMEM (the vector is unchanged then). */
int strv_append(char ***v, const char *s);

/* Appends and takes `s` over, also when it fails. `s` may be NULL: -ENOMEM, so that a failed strdup() can be given. */
int strv_consume(char ***v, char *s);

/* Appends copies of all of `more` (may be NULL). */
int strv_extend(char ***v, char *const *more);

/* A deep copy; NULL stays NULL, so check with `v && !copy`. */
char **strv_copy(char *const *v);

bool strv_contains(char *const *v, const char *s) _pure_;

/* Whether both have the same strings in the same order; NULL has none. */
bool strv_equal(char *const *a, char *const *b) _pure_;

/* Cuts at every byte of `separators`; empty parts are kept. Returns a vector or NULL when out of memory. */
char **strv_split(const char *s, const char *separators);

/* One string with `separator` between; owned; NULL when out of memory. */
char *strv_join(char *const *v, const char *separator);

/* Environment vectors ("KEY=VALUE", a later one wins in place): sets one; gets the value (borrowed) or NULL. */
int strv_env_set(char ***env, const char *assignment);
const char *strv_env_get(char *const *env, const char *key) _pure_;
void strv_env_unset(char **env, const char *key);
