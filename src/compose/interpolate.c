/* SPDX-License-Identifier: Apache-2.0 */
/* Variables in values. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"
#include "compose/node.h"

enum { NESTING_MAX = 16 };

typedef struct Expansion {
        Compose *c;
        const Node *at;
        Text out;
        unsigned depth;
} Expansion;

const char *compose_variable(const Compose *c, const char *name) {
        return strv_env_get(c->environment, name) ?: strv_env_get(c->dotenv, name);
}

static size_t name_length(const char *s) {
        size_t n = 0;

        if (!isalpha((unsigned char) *s) && *s != '_')
                return 0;
        while (isalnum((unsigned char) s[n]) || s[n] == '_')
                n++;
        return n;
}

static int expand(Expansion *e, const char *text, size_t size);

/* The end of "${...", from behind the brace; NULL. */
static const char *closing_brace(const char *s, const char *end) {
        unsigned depth = 1;

        for (; s < end; s++) {
                if (*s == '$' && s + 1 < end && s[1] == '{')
                        depth++;
                else if (*s == '}' && --depth == 0)
                        return s;
        }
        return NULL;
}

static int expand_braces(Expansion *e, const char *inner, const char *end) {
        size_t n = name_length(inner);
        const char *name = arena_copy_n(&e->c->arena, inner, n), *p = inner + n;
        bool colon = p < end && *p == ':';

        if (!name)
                return -ENOMEM;
        if (colon)
                p++;
        char operator = p < end ? *p : '\0';
        if (n == 0 || (colon && !operator) || (operator && !strchr("-?+", operator)))
                return compose_fail(e->c, e->at, "'${%.*s}' is not a variable: it is ${NAME}, ${NAME:-DEFAULT}, ${NAME:?MESSAGE} or ${NAME:+OTHER}",
                                    (int) (end - inner), inner);
        const char *value = compose_variable(e->c, name);
        bool set = value && (!colon || *value);
        const char *word = p + 1;

        switch (operator) {
        case '-':
                if (!set)
                        return expand(e, word, (size_t) (end - word));
                break;
        case '+':
                return set ? expand(e, word, (size_t) (end - word)) : 0;
        case '?':
                if (!set)
                        return compose_fail(e->c, e->at, "the variable '%s' must be set%s%.*s", name, word < end ? ": " : "", (int) (end - word), word);
                break;
        default:
                if (!value)
                        compose_warn(e->c, e->at, "the variable '%s' is not set: it is taken as empty", name);
        }
        text_add(&e->out, value ?: "");
        return 0;
}

static int expand(Expansion *e, const char *text, size_t size) {
        const char *end = text + size;
        int r = 0;

        if (++e->depth > NESTING_MAX)
                return compose_fail(e->c, e->at, "variables are nested more than %d levels deep", NESTING_MAX);
        for (const char *p = text; p < end && r >= 0;) {
                size_t n = p + 1 < end ? name_length(p + 1) : 0;

                if (*p != '$')
                        text_add_char(&e->out, *p++);
                else if (p + 1 < end && p[1] == '$') {
                        text_add_char(&e->out, '$');
                        p += 2;
                } else if (p + 1 < end && p[1] == '{') {
                        const char *brace = closing_brace(p + 2, end);

                        if (!brace)
                                return compose_fail(e->c, e->at, "'${' without '}'; a dollar sign that is meant is written $$");
                        r = expand_braces(e, p + 2, brace);
                        p = brace + 1;
                } else if (n > 0) {
                        r = expand_braces(e, p + 1, p + 1 + MIN(n, (size_t) (end - p - 1)));
                        p += 1 + n;
                } else
                        return compose_fail(e->c, e->at, "a dollar sign without a name behind it; one that is meant is written $$");
                if (e->out.size > COMPOSE_FILE_MAX)
                        return compose_fail(e->c, e->at, "a value becomes too long");
        }
        e->depth--;
        return r;
}

static int interpolate_text(Compose *c, const Node *at, const char *text, const char **ret) {
        Expansion e = { .c = c, .at = at };
        int r = 0;

        *ret = text;
        if (!strchr(text, '$'))
                return 0;
        r = expand(&e, text, strlen(text));
        if (r >= 0) {
                *ret = e.out.failed ? NULL : arena_copy(&c->arena, e.out.data ?: "");
                r = *ret ? 0 : -ENOMEM;
        }
        text_done(&e.out);
        return r;
}

int compose_interpolate(Compose *c, Node *node) {
        int r = 0;

        if (node->kind == NODE_SCALAR)
                return interpolate_text(c, node, node->text, &node->text);
        for (size_t i = 0; i < node->n; i++) {
                int k = compose_interpolate(c, node->kind == NODE_MAP ? node->pairs[i].value : node->items[i]);

                r = k < 0 ? k : r; /* all faults are told */
        }
        return r;
}

/* ---- .env ---- */

static char *trim(char *s) {
        char *end;

        while (isspace((unsigned char) *s))
                s++;
        end = s + strlen(s);
        while (end > s && isspace((unsigned char) end[-1]))
                *--end = '\0';
        return s;
}

/* 'as it is', "with \n and $VARIABLES", or plain up to " #". */
static int dotenv_value(Compose *c, const Node *at, char *value, const char **ret) {
        char quote = *value == '"' || *value == '\'' ? *value : '\0', *out = value, *p = value + (quote ? 1 : 0);

        if (!quote) {
                for (char *s = value; *s; s++)
                        if (*s == '#' && (s == value || isspace((unsigned char) s[-1]))) {
                                *s = '\0';
                                break;
                        }
                return interpolate_text(c, at, trim(value), ret);
        }
        for (; *p && *p != quote; p++) {
                if (quote == '"' && *p == '\\' && p[1]) {
                        p++;
                        *out++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'r' ? '\r' : *p;
                } else
                        *out++ = *p;
        }
        if (*p != quote)
                return compose_fail(c, at, "a quoted value does not end on its line");
        *out = '\0';
        *ret = value;
        return quote == '"' ? interpolate_text(c, at, value, ret) : 0;
}

int compose_read_dotenv(Compose *c, const char *path) {
        _cleanup_free_ char *text = NULL;
        Node at = { .file = path };
        int r = file_read(AT_FDCWD, path, COMPOSE_FILE_MAX, &text, NULL);

        if (r == -ENOENT)
                return r;
        if (r < 0)
                return compose_fail(c, NULL, "%s: cannot be read: %s", path, strerror(-r));
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                const char *value;

                at.line++;
                line = trim(line);
                if (str_after(line, "export "))
                        line = trim(line + strlen("export "));
                if (!*line || *line == '#')
                        continue;
                char *equals = strchr(line, '=');
                if (!equals)
                        return compose_fail(c, &at, "'%.60s' is not NAME=VALUE", line);
                *equals = '\0';
                const char *name = trim(line);
                if (name_length(name) != strlen(name) || !*name)
                        return compose_fail(c, &at, "'%.60s' is not the name of a variable", name);
                r = dotenv_value(c, &at, trim(equals + 1), &value);
                if (r < 0)
                        return r;
                _cleanup_free_ char *pair = str_format("%s=%s", name, value);
                if (!pair || strv_env_set(&c->dotenv, pair) < 0)
                        return -ENOMEM;
        }
        return 0;
}
