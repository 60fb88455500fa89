/* SPDX-License-Identifier: Apache-2.0 */
/* Values in the text form of GVariant ("GVariant Text Format", GLib) as D-Bus has them: as much of it as properties of units take. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/runtime-systemd.h"

static const struct {
        const char *word;
        char type;
} type_words[] = {
        { "boolean", 'b' }, { "byte", 'y' }, { "int32", 'i' }, { "uint32", 'u' }, { "int64", 'x' },
        { "uint64", 't' },  { "double", 'd' }, { "string", 's' }, { "objectpath", 'o' },
};

typedef struct Reader {
        const char *at;
        char type;       /* 0: to be found */
        double factor;   /* of numbers */
} Reader;

static void skip_space(Reader *r) {
        r->at += strspn(r->at, " \t\n");
}

/* "uint64 5", "@as []" */
static int read_type(Reader *r, bool *ret_array) {
        *ret_array = false;
        if (*r->at == '@') {
                r->at++;
                *ret_array = *r->at == 'a';
                r->at += *ret_array;
                if (!*r->at || !strchr("bysiutxdo", *r->at))
                        return -EINVAL;
                r->type = *r->at++;
                skip_space(r);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(type_words); i++) {
                const char *after = str_after(r->at, type_words[i].word);

                if (after && isspace((unsigned char) *after)) {
                        r->type = type_words[i].type;
                        r->at = after;
                        skip_space(r);
                        return 0;
                }
        }
        return 0;
}

static int put_text(Reader *r, BusBody *body) {
        char quote = *r->at++, *p;
        _cleanup_free_ char *text = p = malloc(strlen(r->at) + 1);

        if (!text)
                return -ENOMEM;
        for (; *r->at != quote; r->at++) {
                bool escaped = *r->at == '\\';

                if (!*r->at || (escaped && !*++r->at))
                        return -EINVAL;
                *p++ = !escaped ? *r->at : *r->at == 'n' ? '\n' : *r->at == 't' ? '\t' : *r->at;
        }
        r->at++;
        *p = '\0';
        bus_put_string(body, text);
        return 0;
}

static int put_number(Reader *r, BusBody *body) {
        size_t n = strcspn(r->at, " \t\n,])");
        _cleanup_free_ char *word = strndup(r->at, n);
        char *end;

        if (!word)
                return -ENOMEM;
        r->at += n;
        double real = strtod(word, &end) * r->factor;
        if (end == word || *end)
                return -EINVAL;
        bool whole = !strpbrk(word, ".eEnN") && r->factor == 1;
        unsigned long long number = whole ? (*word == '-' ? (unsigned long long) strtoll(word, NULL, 0) : strtoull(word, NULL, 0))
                                          : (real >= 0 && real < 18446744073709549568.0 ? (unsigned long long) real : 0);
        if (r->type != 'd' && !whole && r->factor == 1)
                return -EINVAL;
        switch (r->type) {
        case 'y':
                return number > UINT8_MAX ? -EINVAL : (bus_put_u8(body, (uint8_t) number), 0);
        case 'i':
                if ((long long) number < INT32_MIN || (long long) number > INT32_MAX)
                        return -EINVAL;
                return bus_put_u32(body, (uint32_t) number), 0;
        case 'u':
                return number > UINT32_MAX ? -EINVAL : (bus_put_u32(body, (uint32_t) number), 0);
        case 'd':
                memcpy(&number, &real, sizeof(number));
                break;
        default:
                break;
        }
        bus_put_u64(body, number);
        return 0;
}

/* One value of r->type. */
static int put_value(Reader *r, BusBody *body) {
        bool is_true = str_after(r->at, "true"), is_false = str_after(r->at, "false");

        switch (r->type) {
        case 's':
        case 'o':
                return *r->at == '\'' || *r->at == '"' ? put_text(r, body) : -EINVAL;
        case 'b':
                if (!is_true && !is_false)
                        return -EINVAL;
                r->at += is_true ? 4 : 5;
                bus_put_u32(body, is_true);
                return 0;
        default:
                return put_number(r, body);
        }
}

static char guess_type(const char *at) {
        if (*at == '\'' || *at == '"')
                return 's';
        if (str_after(at, "true") || str_after(at, "false"))
                return 'b';
        return strchr("+-.", *at) || isdigit((unsigned char) *at) ? (at[strcspn(at, ".,] ")] == '.' ? 'd' : 'i') : '\0';
}

static int put_array(Reader *r, BusBody *body) {
        int code = 0;

        r->at++;
        skip_space(r);
        BusArray array = bus_array_begin(body, r->type == 'y' ? 1 : strchr("xtd", r->type) ? 8 : 4);
        while (*r->at != ']' && code >= 0) {
                code = put_value(r, body);
                skip_space(r);
                if (*r->at == ',')
                        r->at++;
                else if (*r->at != ']')
                        code = -EINVAL;
                skip_space(r);
        }
        bus_array_end(body, array);
        r->at += code >= 0;
        return code;
}

int runtime_variant_put(BusBody *body, const char *name, const char *value) {
        Reader r = { .at = value, .factor = 1 };
        bool declared_array, seconds = str_has_suffix(name, "Sec") && !str_has_suffix(name, "USec");
        size_t length = strlen(name);

        if (length < 3 || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != length)
                return -EINVAL;
        skip_space(&r);
        int code = read_type(&r, &declared_array);
        if (code < 0)
                return code;
        bool array = *r.at == '[';
        if (declared_array != array && (declared_array || r.type))
                return -EINVAL;
        if (!r.type)
                r.type = guess_type(r.at + (array ? 1 + strspn(r.at + 1, " ") : 0));
        if (seconds) {
                if (array || !strchr("iutxd", r.type))
                        return -EINVAL;
                r.type = 't';
                r.factor = 1e6;
        }
        if (!r.type)
                return -EINVAL;
        _cleanup_free_ char *real_name = seconds ? str_format("%.*sUSec", (int) length - 3, name) : strdup(name);
        if (!real_name)
                return -ENOMEM;
        bus_put_struct(body);
        bus_put_string(body, real_name);
        bus_put_signature(body, array ? (char[]){ 'a', r.type, '\0' } : (char[]){ r.type, '\0' });
        code = array ? put_array(&r, body) : put_value(&r, body);
        skip_space(&r);
        return code < 0 ? code : *r.at ? -EINVAL : 0;
}
