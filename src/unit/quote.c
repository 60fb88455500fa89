/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting, unescaping and quoting of unit file words. */
#include "unit/quote.h"

#include <string.h>

#include "base/str.h"

static bool is_separator(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t unit_utf8_length(const char *s) {
        const unsigned char *u = (const unsigned char *) s;
        size_t n;
        uint32_t c;

        if (u[0] < 0x80)
                return 1;
        if (u[0] >= 0xC2 && u[0] <= 0xDF)
                n = 2, c = u[0] & 0x1FU;
        else if ((u[0] & 0xF0) == 0xE0)
                n = 3, c = u[0] & 0x0FU;
        else if (u[0] >= 0xF0 && u[0] <= 0xF4)
                n = 4, c = u[0] & 0x07U;
        else
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((u[i] & 0xC0) != 0x80)
                        return 0;
                c = c << 6 | (u[i] & 0x3FU);
        }
        if ((n == 3 && (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))) || (n == 4 && (c < 0x10000 || c > 0x10FFFF)))
                return 0;
        return n;
}

/* Exactly `n` digits of the base; negative if there are fewer. */
static int64_t read_digits(const char *s, size_t n, unsigned base) {
        int64_t value = 0;

        for (size_t i = 0; i < n; i++) {
                int digit = s[i] >= '0' && s[i] <= '9' ? s[i] - '0'
                          : s[i] >= 'a' && s[i] <= 'f' ? s[i] - 'a' + 10
                          : s[i] >= 'A' && s[i] <= 'F' ? s[i] - 'A' + 10 : 16;

                if ((unsigned) digit >= base)
                        return -1;
                value = value * base + digit;
        }
        return value;
}

/* Decodes the escape after the backslash at *s and moves both on. The result is never longer than its source. */
static int unescape(const char **s, char **out) {
        static const char names[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *p = *s, *name = strchr(names, *p);
        int64_t value;
        size_t digits;

        if (name) {
                *(*out)++ = values[name - names];
                *s = p + 1;
                return 0;
        }
        if (*p >= '0' && *p <= '7') {
                digits = 3;
                value = read_digits(p, digits, 8);
                if (value > 255)
                        return -EINVAL;
        } else {
                digits = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 0;
                if (digits == 0)
                        return -EINVAL;
                value = read_digits(++p, digits, 16);
        }
        if (value <= 0 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
                return -EINVAL;
        *s = p + digits;
        if (digits <= 3)
                *(*out)++ = (char) value; /* \xHH and \ooo are bytes */
        else
                *out += str_put_utf8(*out, (unsigned long) value);
        return 0;
}

/* One word from *s into *out, without its quotes. */
static int read_word(const char **s, UnitSplit how, char **out) {
        const char *p = *s;
        char quote = 0;

        while (*p && (quote || !is_separator(*p))) {
                if (*p == '\\' && how == UNIT_SPLIT_ESCAPES) {
                        if (!*++p)
                                break;
                        int r = unescape(&p, out);
                        if (r < 0)
                                return r;
                } else if (quote ? *p == quote : *p == '"' || *p == '\'')
                        quote = quote ? 0 : *p, p++;
                else
                        *(*out)++ = *p++;
        }
        *s = p;
        return 0;
}

int unit_split(Arena *arena, const char *value, UnitSplit how, Words *words) {
        /* No word is longer than its source, and each word but the last has a separator to spare for its NUL. */
        char *out = arena_alloc(arena, strlen(value) + 2);
        size_t n_before = words->n;

        if (!out)
                return -ENOMEM;
        for (;;) {
                while (is_separator(*value))
                        value++;
                if (!*value)
                        break;
                char *start = out;
                int r = read_word(&value, how, &out);
                if (r < 0) {
                        words->n = n_before;
                        return r;
                }
                *out++ = '\0';
                words_add(words, start);
        }
        return words->failed ? -ENOMEM : 0;
}

static bool needs_quotes(const char *word) {
        if (!*word || strcmp(word, ";") == 0) /* a bare ; would begin another command */
                return true;
        for (const char *p = word; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (c <= ' ' || c == '"' || c == '\'' || c == '\\' || c == 0x7F)
                        return true;
                if (c >= 0x80) {
                        size_t n = unit_utf8_length(p);

                        if (n == 0)
                                return true;
                        p += n - 1;
                }
        }
        return false;
}

static bool is_plain(unsigned char c) {
        return c > ' ' && c < 0x7F && c != '"' && c != '\\';
}

static void quote_byte(Text *text, unsigned char c) {
        static const char special[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"", digits[] = "0123456789abcdef";
        const char *name = strchr(special, c);
        char escape[] = { '\\', name ? names[name - special] : 'x', digits[c >> 4], digits[c & 15] };

        text_add_n(text, escape, name ? 2 : sizeof(escape));
}

static void quote(Text *text, const char *word, bool readable) {
        if (!word || !needs_quotes(word)) {
                text_add(text, word);
                return;
        }
        text_add_char(text, '"');
        for (const char *p = word; *p;) {
                size_t n = 0;

                while (is_plain((unsigned char) p[n]) || (readable && p[n] == ' '))
                        n++;
                if (n == 0 && (unsigned char) *p >= 0x80)
                        n = unit_utf8_length(p);
                if (n > 0)
                        text_add_n(text, p, n);
                else
                        quote_byte(text, (unsigned char) *p);
                p += MAX(n, (size_t) 1);
        }
        text_add_char(text, '"');
}

void unit_quote_word(Text *text, const char *word) {
        quote(text, word, /* readable= */ false);
}

void unit_quote_readable(Text *text, const char *word) {
        quote(text, word, /* readable= */ true);
}

char *unit_escape_specifiers(Arena *arena, const char *s, bool dollar) {
        size_t n = 0;

        if (!s)
                return NULL;
        for (const char *p = s; *p; p++)
                n += *p == '%' || (dollar && *p == '$') ? 2 : 1;
        char *copy = arena_alloc(arena, n + 1), *out = copy;
        if (!copy)
                return NULL;
        for (const char *p = s; *p; p++) {
                if (*p == '%' || (dollar && *p == '$'))
                        *out++ = *p;
                *out++ = *p;
        }
        return copy;
}
