/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and string vectors. */
#include "base/str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

/* The length of the well-formed UTF-8 sequence at `s` (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *s) {
        static const struct {
                unsigned char mask, lead, min_second, length;
        } forms[] = { { 0xe0, 0xc0, 0x80, 2 }, { 0xf0, 0xe0, 0x80, 3 }, { 0xf8, 0xf0, 0x80, 4 } };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                if ((s[0] & forms[i].mask) != forms[i].lead)
                        continue;
                for (size_t k = 1; k < forms[i].length; k++)
                        if ((s[k] & 0xc0) != 0x80)
                                return 0;
                if (s[0] < 0xc2 || s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
                        return 0;
                return forms[i].length;
        }
        return 0;
}

static char *escape(const char *text, bool keep_newlines) {
        static const char hex[] = "0123456789abcdef";
        const unsigned char *s = (const unsigned char *) text;
        size_t length = strlen(text);
        char *out = malloc(length * 4 + 1), *p = out;

        if (!out)
                return NULL;
        while (*s) {
                size_t n = *s >= 0x80 ? utf8_length(s) : 1;
                bool c1 = n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
                bool c0 = n == 1 && (*s < 0x20 || *s == 0x7f) && !(keep_newlines && (*s == '\n' || *s == '\t'));

                if (n == 0 || c0 || c1) {
                        for (size_t k = 0; k < MAX(n, (size_t) 1); k++, s++) {
                                *p++ = '\\';
                                *p++ = 'x';
                                *p++ = hex[*s >> 4];
                                *p++ = hex[*s & 15];
                        }
                        continue;
                }
                memcpy(p, s, n);
                p += n;
                s += n;
        }
        *p = 0;
        return out;
}

char *str_escape_control(const char *s) {
        return escape(s, /* keep_newlines= */ false);
}

char *str_escape_control_lines(const char *s) {
        return escape(s, /* keep_newlines= */ true);
}

int str_replace(char **p, const char *s) {
        char *copy = NULL;

        if (s && !(copy = strdup(s)))
                return -ENOMEM;
        free(*p);
        *p = copy;
        return 0;
}

char *str_random_hex(size_t n_digits) {
        static const char digits[] = "0123456789abcdef";
        _cleanup_free_ char *text = calloc(1, n_digits + 1);

        assert(n_digits <= 256); /* so few bytes are never interrupted (getrandom(2)) */
        if (!text || getrandom(text, n_digits, 0) != (ssize_t) n_digits)
                return NULL;
        for (size_t i = 0; i < n_digits; i++)
                text[i] = digits[text[i] & 15];
        return TAKE_PTR(text);
}

char *str_random_id(size_t n_digits) {
        enum { SHORT_LENGTH = 12 };

        for (;;) {
                char *id = str_random_hex(n_digits);

                if (!id || strspn(id, "0123456789") < SHORT_LENGTH)
                        return id;
                free(id);
        }
}

char *str_format(const char *format, ...) {
        va_list ap;
        char *s;

        va_start(ap, format);
        int r = vasprintf(&s, format, ap);
        va_end(ap);
        return r < 0 ? NULL : s;
}

/* Levenshtein's distance, one row at a time. */
size_t str_distance(const char *a, const char *b, size_t limit) {
        enum { LENGTH_MAX = 40 };
        size_t row[LENGTH_MAX + 1], n = strlen(a), m = strlen(b);

        if (n > LENGTH_MAX || m > LENGTH_MAX || (n > m ? n - m : m - n) > limit)
                return limit + 1;
        for (size_t j = 0; j <= m; j++)
                row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        bool same = tolower((unsigned char) a[i - 1]) == tolower((unsigned char) b[j - 1]);
                        size_t above = row[j];

                        row[j] = MIN(MIN(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
                        diagonal = above;
                }
        }
        return MIN(row[m], limit + 1);
}

void strv_free(char **v) {
        if (!v)
                return;
        for (char **p = v; *p; p++)
                free(*p);
        free(v);
}

size_t strv_length(char *const *v) {
        size_t n = 0;

        if (v)
                while (v[n])
                        n++;
        return n;
}

int strv_consume(char ***v, char *s) {
        size_t n = strv_length(*v);
        char **grown;

        if (!s)
                return -ENOMEM;
        grown = reallocarray(*v, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        grown[n] = s;
        grown[n + 1] = NULL;
        *v = grown;
        return 0;
}

int strv_append(char ***v, const char *s) {
        return strv_consume(v, strdup(s));
}

int strv_extend(char ***v, char *const *more) {
        for (; more && *more; more++)
                if (strv_append(v, *more) < 0)
                        return -ENOMEM;
        return 0;
}

char **strv_copy(char *const *v) {
        _cleanup_strv_ char **copy = NULL;

        if (!v)
                return NULL;
        copy = calloc(strv_length(v) + 1, sizeof(char *));
        if (!copy)
                return NULL;
        for (size_t i = 0; v[i]; i++)
                if (!(copy[i] = strdup(v[i])))
                        return NULL;
        return TAKE_PTR(copy);
}

bool strv_contains(char *const *v, const char *s) {
        for (; v && *v; v++)
                if (strcmp(*v, s) == 0)
                        return true;
        return false;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (strv_length(b) != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!str_equal(a[i], b[i]))
                        return false;
        return true;
}

char **strv_split(const char *s, const char *separators) {
        _cleanup_strv_ char **v = calloc(1, sizeof(char *));

        if (!v)
                return NULL;
        for (;;) {
                size_t n = strcspn(s, separators);

                if (strv_consume(&v, strndup(s, n)) < 0)
                        return NULL;
                if (!s[n])
                        return TAKE_PTR(v);
                s += n + 1;
        }
}

char *strv_join(char *const *v, const char *separator) {
        size_t total = 1, gap = strlen(separator);
        char *joined, *p;

        for (size_t i = 0; v && v[i]; i++)
                total += strlen(v[i]) + gap;
        joined = p = malloc(total);
        if (!joined)
                return NULL;
        for (size_t i = 0; v && v[i]; i++) {
                if (i > 0)
                        p = stpcpy(p, separator);
                p = stpcpy(p, v[i]);
        }
        *p = 0;
        return joined;
}

static bool env_has_key(const char *assignment, const char *key, size_t n) {
        return strncmp(assignment, key, n) == 0 && (assignment[n] == '=' || !assignment[n]);
}

int strv_env_set(char ***env, const char *assignment) {
        size_t n = strcspn(assignment, "=");

        for (char **p = *env; p && *p; p++)
                if (env_has_key(*p, assignment, n))
                        return str_replace(p, assignment);
        return strv_append(env, assignment);
}

const char *strv_env_get(char *const *env, const char *key) {
        size_t n = strlen(key);

        for (; env && *env; env++)
                if (env_has_key(*env, key, n) && (*env)[n] == '=')
                        return *env + n + 1;
        return NULL;
}

void strv_env_unset(char **env, const char *key) {
        size_t n = strlen(key);
        char **kept = env;

        for (; env && *env; env++) {
                if (env_has_key(*env, key, n))
                        free(*env);
                else
                        *kept++ = *env;
        }
        if (kept)
                *kept = NULL;
}

size_t str_put_utf8(char *to, unsigned long c) {
        if (c < 0x80) {
                to[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                to[0] = (char) (0xc0 | c >> 6);
                to[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                to[0] = (char) (0xe0 | c >> 12);
                to[1] = (char) (0x80 | (c >> 6 & 0x3f));
                to[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        to[0] = (char) (0xf0 | c >> 18);
        to[1] = (char) (0x80 | (c >> 12 & 0x3f));
        to[2] = (char) (0x80 | (c >> 6 & 0x3f));
        to[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}
