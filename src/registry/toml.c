/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive reader, one function for each production; depth is bounded. Keys that come twice are refused. */
#include "registry/toml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

enum { TOML_DEPTH_LIMIT = 16, TOML_KEY_PARTS_LIMIT = 8 };

typedef struct Toml {
        const char *p, *what;
        unsigned line, depth;
        json_t *root;    /* owned by the caller of the parser */
        json_t *table;   /* borrowed: where keys go */
        json_t *closed;  /* array of tables that a header or a brace has defined, by address */
        Error *reterr;
} Toml;

typedef struct Key {
        char *parts[TOML_KEY_PARTS_LIMIT];
        size_t n;
} Key;

static void key_done(Key *key) {
        for (size_t i = 0; i < key->n; i++)
                free(key->parts[i]);
        key->n = 0;
}
#define _cleanup_key_ _cleanup_(key_done)

static int bad(Toml *t, const char *reason) {
        return error_set(t->reterr, -EBADMSG, ERROR_INVALID, "cannot use '%s': line %u: %s", t->what, t->line, reason);
}

static void skip_blanks(Toml *t) {
        t->p += strspn(t->p, " \t");
}

static void skip_comment(Toml *t) {
        if (*t->p == '#')
                t->p += strcspn(t->p, "\n");
}

/* Blanks, comments and ends of lines. */
static void skip_lines(Toml *t) {
        for (;;) {
                skip_blanks(t);
                skip_comment(t);
                if (*t->p == '\r' && t->p[1] == '\n')
                        t->p++;
                if (*t->p != '\n')
                        return;
                t->p++;
                t->line++;
        }
}

/* What may stand behind a value or a header in its line. */
static int end_line(Toml *t) {
        skip_blanks(t);
        skip_comment(t);
        if (*t->p && *t->p != '\n' && !(*t->p == '\r' && t->p[1] == '\n'))
                return bad(t, "there is something behind the value");
        return 0;
}

/* Behind a backslash. Writes at most four bytes, fewer than the escape has; returns their number. */
static int read_escape(Toml *t, char *to) {
        static const char letters[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
        const char *at = *t->p ? strchr(letters, *t->p) : NULL;
        size_t n = *t->p == 'u' ? 4 : *t->p == 'U' ? 8 : 0;
        char digits[9];
        unsigned long c;

        if (at) {
                *to = values[at - letters];
                t->p++;
                return 1;
        }
        t->p++;
        if (n == 0 || strspn(t->p, "0123456789abcdefABCDEF") < n)
                return bad(t, "unknown escape");
        memcpy(digits, t->p, n);
        digits[n] = 0;
        t->p += n;
        c = strtoul(digits, NULL, 16);
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return bad(t, "the escape is no character");
        return (int) str_put_utf8(to, c);
}

/* A backslash at the end of a line takes the white space that follows with it. */
static bool skip_folded(Toml *t) {
        const char *p = t->p + strspn(t->p, " \t\r");

        if (*p != '\n')
                return false;
        for (; *p && strchr(" \t\r\n", *p); p++)
                t->line += *p == '\n';
        t->p = p;
        return true;
}

static int read_string(Toml *t, char **ret) {
        char quote = *t->p;
        bool multi = t->p[1] == quote && t->p[2] == quote;
        _cleanup_free_ char *text = malloc(strlen(t->p) + 1);
        size_t n = 0;

        if (!text)
                return error_oom(t->reterr);
        t->p += multi ? 3 : 1;
        if (multi && (*t->p == '\n' || (*t->p == '\r' && t->p[1] == '\n'))) {
                t->p += *t->p == '\r' ? 2 : 1;
                t->line++;
        }
        for (;;) {
                char c = *t->p;

                if (!c || (c == '\n' && !multi))
                        return bad(t, "the string has no end");
                if (c == quote && (!multi || (t->p[1] == quote && t->p[2] == quote && t->p[3] != quote)))
                        break;
                t->p++;
                if (c == '\\' && quote == '"') {
                        if (multi && skip_folded(t))
                                continue;
                        int k = read_escape(t, text + n);
                        if (k < 0)
                                return k;
                        n += (size_t) k;
                        continue;
                }
                if (((unsigned char) c < 0x20 && c != '\t' && !(multi && (c == '\n' || c == '\r'))) || c == 0x7f)
                        return bad(t, "there is a control character in a string");
                t->line += c == '\n';
                text[n++] = c;
        }
        t->p += multi ? 3 : 1;
        text[n] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

static int read_key_part(Toml *t, char **ret) {
        size_t n = strspn(t->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

        if (*t->p == '"' || *t->p == '\'')
                return t->p[1] == *t->p && t->p[2] == *t->p ? bad(t, "a key is of one line") : read_string(t, ret);
        if (n == 0)
                return bad(t, "a key is expected");
        *ret = strndup(t->p, n);
        t->p += n;
        return *ret ? 0 : error_oom(t->reterr);
}

static int read_key(Toml *t, Key *key) {
        for (;;) {
                skip_blanks(t);
                if (key->n == TOML_KEY_PARTS_LIMIT)
                        return bad(t, "the key has too many parts");
                int r = read_key_part(t, key->parts + key->n);
                if (r < 0)
                        return r;
                key->n++;
                skip_blanks(t);
                if (*t->p != '.')
                        return 0;
                t->p++;
        }
}

static bool is_closed(const Toml *t, const json_t *table) {
        const json_t *item;
        size_t i;

        json_array_foreach(t->closed, i, item)
                if (json_integer_value(item) == (json_int_t) (uintptr_t) table)
                        return true;
        return false;
}

static int close_table(Toml *t, const json_t *table) {
        return json_array_append_new(t->closed, json_integer((json_int_t) (uintptr_t) table)) < 0 ? error_oom(t->reterr) : 0;
}

/* The table below `table` at a name, made where it is missing; of an array of tables, the last. */
static int descend(Toml *t, json_t **table, const char *name) {
        json_t *next = json_object_get(*table, name);

        if (!next) {
                if (json_object_set_new(*table, name, json_object()) < 0)
                        return bad(t, "the key is not UTF-8");
                next = json_object_get(*table, name);
        }
        if (json_is_array(next))
                next = json_array_get(next, json_array_size(next) - 1);
        if (!json_is_object(next))
                return bad(t, "the key has a value already");
        *table = next;
        return 0;
}

static int read_value(Toml *t, json_t **ret);

static int read_assignment(Toml *t, json_t *table) {
        _cleanup_key_ Key key = {};
        _cleanup_json_ json_t *value = NULL;

        int r = read_key(t, &key);
        if (r < 0)
                return r;
        if (*t->p != '=')
                return bad(t, "'=' is expected behind the key");
        t->p++;
        for (size_t i = 0; i + 1 < key.n; i++) {
                r = descend(t, &table, key.parts[i]);
                if (r < 0)
                        return r;
                if (is_closed(t, table))
                        return bad(t, "the table is defined elsewhere");
        }
        if (json_object_get(table, key.parts[key.n - 1]))
                return bad(t, "the key is there twice");
        skip_blanks(t);
        r = read_value(t, &value);
        if (r < 0)
                return r;
        return json_object_set_new(table, key.parts[key.n - 1], TAKE_PTR(value)) < 0 ? bad(t, "the key is not UTF-8") : 0;
}

static int read_array(Toml *t, json_t **ret) {
        _cleanup_json_ json_t *array = json_array();

        if (!array)
                return error_oom(t->reterr);
        t->p++;
        for (;;) {
                json_t *value;

                skip_lines(t);
                if (*t->p == ']')
                        break;
                int r = read_value(t, &value);
                if (r < 0)
                        return r;
                if (json_array_append_new(array, value) < 0)
                        return error_oom(t->reterr);
                skip_lines(t);
                if (*t->p == ',')
                        t->p++;
                else if (*t->p != ']')
                        return bad(t, "',' or ']' is expected");
        }
        t->p++;
        *ret = TAKE_PTR(array);
        return close_table(t, *ret);
}

static int read_inline_table(Toml *t, json_t **ret) {
        _cleanup_json_ json_t *table = json_object();

        if (!table)
                return error_oom(t->reterr);
        t->p++;
        skip_blanks(t);
        while (*t->p != '}') {
                int r = read_assignment(t, table);
                if (r < 0)
                        return r;
                skip_blanks(t);
                if (*t->p == '}')
                        break;
                if (*t->p++ != ',')
                        return bad(t, "',' or '}' is expected");
                skip_blanks(t);
                if (*t->p == '}')
                        return bad(t, "there is nothing behind ','");
        }
        t->p++;
        *ret = TAKE_PTR(table);
        return close_table(t, *ret);
}

static int read_word(Toml *t, json_t **ret) {
        size_t n = strcspn(t->p, " \t\r\n,]}#"), k = 0;
        char word[32];
        int64_t number;

        if (n == 0 || n >= sizeof(word))
                return bad(t, "a value is expected");
        for (size_t i = 0; i < n; i++)
                if (t->p[i] != '_')
                        word[k++] = t->p[i];
        word[k] = 0;
        t->p += n;
        if (str_equal(word, "true") || str_equal(word, "false"))
                *ret = json_boolean(*word == 't');
        else if (parse_i64(word + (*word == '+'), &number) >= 0)
                *ret = json_integer(number);
        else
                return bad(t, "the value is not one that can be used here (strings stand in quotes)");
        return *ret ? 0 : error_oom(t->reterr);
}

static int read_value(Toml *t, json_t **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        *ret = NULL;
        if (++t->depth > TOML_DEPTH_LIMIT)
                return bad(t, "the values are nested too deeply");
        switch (*t->p) {
        case '"':
        case '\'':
                r = read_string(t, &text);
                if (r >= 0 && !(*ret = json_string(text)))
                        r = bad(t, "the string is not UTF-8");
                break;
        case '[':
                r = read_array(t, ret);
                break;
        case '{':
                r = read_inline_table(t, ret);
                break;
        default:
                r = read_word(t, ret);
        }
        t->depth--;
        return r;
}

/* [table] and [[table]]. */
static int read_header(Toml *t) {
        _cleanup_key_ Key key = {};
        bool array = t->p[1] == '[';
        json_t *table = t->root, *list;

        t->p += array ? 2 : 1;
        int r = read_key(t, &key);
        if (r < 0)
                return r;
        if (*t->p != ']' || (array && t->p[1] != ']'))
                return bad(t, "']' is expected");
        t->p += array ? 2 : 1;
        for (size_t i = 0; i + (array ? 1 : 0) < key.n; i++) {
                if (is_closed(t, json_object_get(table, key.parts[i])) && (json_is_array(json_object_get(table, key.parts[i])) || i + 1 == key.n))
                        return bad(t, "the table is there twice");
                r = descend(t, &table, key.parts[i]);
                if (r < 0)
                        return r;
        }
        if (!array) {
                t->table = table;
                return close_table(t, table);
        }
        list = json_object_get(table, key.parts[key.n - 1]);
        if (!list && json_object_set_new(table, key.parts[key.n - 1], json_array()) == 0)
                list = json_object_get(table, key.parts[key.n - 1]);
        if (!json_is_array(list) || is_closed(t, list))
                return bad(t, list ? "the key has a value already" : "the key is not UTF-8");
        if (json_array_append_new(list, json_object()) < 0)
                return error_oom(t->reterr);
        t->table = json_array_get(list, json_array_size(list) - 1);
        return 0;
}

int toml_parse(const char *text, const char *what, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *root = json_object(), *closed = json_array();
        Toml t = { .p = text, .what = what, .line = 1, .root = root, .table = root, .closed = closed, .reterr = reterr };

        if (!root || !closed)
                return error_oom(reterr);
        if (strlen(text) >= 3 && memcmp(t.p, "\xef\xbb\xbf", 3) == 0)
                t.p += 3;
        for (skip_lines(&t); *t.p; skip_lines(&t)) {
                int r = *t.p == '[' ? read_header(&t) : read_assignment(&t, t.table);
                if (r >= 0)
                        r = end_line(&t);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(root);
        return 0;
}
