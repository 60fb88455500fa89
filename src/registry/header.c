/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields, taken apart by hand from the grammars of the RFCs. */
#include "registry/header.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/str.h"
#include "registry/curl-library.h"

enum { CHALLENGES_LIMIT = 8, PARAMETERS_LIMIT = 32 };

void challenges_done(Challenges *challenges) {
        for (size_t i = 0; i < challenges->n; i++) {
                free(challenges->items[i].realm);
                free(challenges->items[i].service);
                free(challenges->items[i].scope);
                free(challenges->items[i].error);
        }
        free(challenges->items);
        *challenges = (Challenges){};
}

static const char *skip_space(const char *p) {
        return p + strspn(p, " \t");
}

static size_t token_length(const char *p) {
        return strspn(p, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* The text of a quoted string that begins at *p. Moves *p behind it. */
static int read_quoted(const char **p, char **ret) {
        _cleanup_free_ char *text = malloc(strlen(*p) + 1);
        const char *s = *p + 1;
        size_t n = 0;

        if (!text)
                return -ENOMEM;
        for (; *s && *s != '"'; s++) {
                if (*s == '\\' && s[1])
                        s++;
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return -EBADMSG;
                text[n++] = *s;
        }
        if (*s != '"')
                return -EBADMSG;
        text[n] = 0;
        *p = s + 1;
        *ret = TAKE_PTR(text);
        return 0;
}

/* One "name = value" at *p, which is known to be one. */
static int read_parameter(const char **p, char **ret_name, char **ret_value) {
        size_t n = token_length(*p);
        _cleanup_free_ char *name = strndup(*p, n), *value = NULL;
        int r = 0;

        if (!name)
                return -ENOMEM;
        *p = skip_space(skip_space(*p + n) + 1);
        if (**p == '"')
                r = read_quoted(p, &value);
        else {
                n = token_length(*p);
                value = strndup(*p, n);
                *p += n;
                r = value ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;
        *ret_name = TAKE_PTR(name);
        *ret_value = TAKE_PTR(value);
        return 0;
}

static bool is_parameter(const char *p) {
        size_t n = token_length(p);

        return n > 0 && *skip_space(p + n) == '=';
}

static int set_parameter(Challenge *challenge, const char *name, char *value) {
        const struct {
                const char *name;
                char **to;
        } rows[] = {
                { "realm", &challenge->realm },
                { "service", &challenge->service },
                { "scope", &challenge->scope },
                { "error", &challenge->error },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcasecmp(rows[i].name, name) == 0) {
                        if (*rows[i].to) {
                                free(value);
                                return -EBADMSG; /* which of two would be the reader's choice */
                        }
                        *rows[i].to = value;
                        return 0;
                }
        free(value);
        return 0;
}

static int read_parameters(const char **p, Challenge *challenge) {
        for (unsigned i = 0; is_parameter(*p); i++) {
                _cleanup_free_ char *name = NULL;
                char *value;
                int r = i < PARAMETERS_LIMIT ? read_parameter(p, &name, &value) : -EBADMSG;

                if (r >= 0)
                        r = set_parameter(challenge, name, value);
                if (r < 0)
                        return r;
                *p = skip_space(*p);
                if (**p && **p != ',')
                        return -EBADMSG;
                *p += strspn(*p, ", \t");
        }
        return 0;
}

int challenges_parse(const char *value, Challenges *challenges) {
        const char *p = value + strspn(value, ", \t");

        while (*p) {
                size_t n = token_length(p);
                Challenge *items, *c;

                if (n == 0 || challenges->n >= CHALLENGES_LIMIT)
                        return -EBADMSG;
                items = reallocarray(challenges->items, challenges->n + 1, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                challenges->items = items;
                c = items + challenges->n++;
                *c = (Challenge){ .scheme = n == 5 && strncasecmp(p, "basic", n) == 0    ? AUTH_BASIC
                                            : n == 6 && strncasecmp(p, "bearer", n) == 0 ? AUTH_BEARER
                                                                                         : AUTH_OTHER };
                p += n;
                if (*p && !strchr(" \t,", *p))
                        return -EBADMSG;
                p = skip_space(p);
                /* token68 of other schemes ("Negotiate YII=") */
                if (*p && *p != ',' && !is_parameter(p)) {
                        n = strcspn(p, ", \t");
                        p = skip_space(p + n);
                        if (c->scheme != AUTH_OTHER || (*p && *p != ','))
                                return -EBADMSG;
                }
                p += strspn(p, ", \t");
                int r = read_parameters(&p, c);
                if (r < 0)
                        return r;
        }
        return 0;
}

const Challenge *challenges_choose(const Challenges *challenges) {
        const Challenge *found = NULL;

        for (size_t i = 0; i < challenges->n; i++)
                if (challenges->items[i].scheme > (found ? found->scheme : AUTH_OTHER))
                        found = challenges->items + i;
        return found;
}

/* Digits up to `end`, and the end moves *p behind it. No sign, no space, no overflow. */
static int read_number(const char **p, const char *end, uint64_t *ret) {
        size_t n = strspn(*p, "0123456789");
        char digits[21];

        if (n == 0 || n >= sizeof(digits) || !strchr(end, (*p)[n]))
                return -EBADMSG;
        memcpy(digits, *p, n);
        digits[n] = 0;
        *p += n + ((*p)[n] != 0);
        return parse_u64(digits, ret) < 0 ? -EBADMSG : 0;
}

int content_range_parse(const char *value, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total) {
        uint64_t first, last, total = UINT64_MAX;
        const char *p = str_after(value, "bytes ");

        if (!p || read_number(&p, "-", &first) < 0 || !strchr(value, '-') || read_number(&p, "/", &last) < 0)
                return -EBADMSG;
        if (!strchr(value, '/') || last < first || last == UINT64_MAX)
                return -EBADMSG;
        if (!str_equal(p, "*") && (read_number(&p, "", &total) < 0 || last >= total))
                return -EBADMSG;
        *ret_first = first;
        *ret_last = last;
        *ret_total = total;
        return 0;
}

int retry_after_parse(const char *value, int64_t now, uint64_t *ret_seconds) {
        const char *p = value;
        time_t date;

        if (*value && !value[strspn(value, "0123456789")]) {
                if (read_number(&p, "", ret_seconds) < 0)
                        *ret_seconds = UINT64_MAX; /* more than any cap */
                return 0;
        }
        if (!strchr(value, ':'))
                return -EBADMSG;
        date = curl_getdate(value, NULL);
        if (date < 0)
                return -EBADMSG;
        *ret_seconds = date > now ? (uint64_t) (date - now) : 0;
        return 0;
}

/* Whether the parameters of one link, which end at a comma outside of quotes, hold rel=next. Moves *p there. */
static int read_link_parameters(const char **p, bool *ret_next) {
        *ret_next = false;
        for (unsigned i = 0; *(*p = skip_space(*p)) == ';'; i++) {
                _cleanup_free_ char *name = NULL, *value = NULL;

                *p = skip_space(*p + 1);
                if (!is_parameter(*p)) {
                        *p += token_length(*p);
                        continue;
                }
                int r = i < PARAMETERS_LIMIT ? read_parameter(p, &name, &value) : -EBADMSG;
                if (r < 0)
                        return r;
                if (strcasecmp(name, "rel") == 0 && strcasecmp(value, "next") == 0)
                        *ret_next = true;
        }
        return **p && **p != ',' ? -EBADMSG : 0;
}

int link_next_parse(const char *value, char **ret) {
        const char *p = value + strspn(value, ", \t");

        while (*p == '<') {
                const char *target = p + 1, *end = strchr(target, '>');
                bool next;

                if (!end)
                        return -EBADMSG;
                p = end + 1;
                int r = read_link_parameters(&p, &next);
                if (r < 0)
                        return r;
                if (next) {
                        *ret = strndup(target, (size_t) (end - target));
                        return *ret ? 0 : -ENOMEM;
                }
                p += strspn(p, ", \t");
        }
        return *p ? -EBADMSG : -ENOENT;
}
