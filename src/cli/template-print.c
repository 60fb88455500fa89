/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: Go's %v, the other verbs of printf, and JSON. */
#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/template-node.h"
#include "cli/time-text.h"

typedef struct Verb {
        char verb;
        bool minus, plus, sharp, space, zero;
        int width, precision; /* -1: none */
} Verb;

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char **template_sorted_keys(const json_t *object) {
        const char **keys = calloc(json_object_size(object) + 1, sizeof(char *)), *key;
        size_t n = 0;
        json_t *value;

        if (!keys)
                return NULL;
        json_object_foreach((json_t *) object, key, value)
                keys[n++] = key;
        qsort(keys, n, sizeof(keys[0]), compare_keys);
        return keys;
}

/* Shortest decimal text of a double that reads back the same, as Go's %v has it. */
static void print_real(double d, FILE *out) {
        char text[64];
        int exponent = 0;

        for (int digits = 0; digits < 17; digits++) {
                snprintf(text, sizeof(text), "%.*e", digits, d);
                exponent = atoi(strchr(text, 'e') + 1);
                if (fabs(strtod(text, NULL) - d) <= 0) {
                        if (exponent >= -4 && exponent < 21)
                                snprintf(text, sizeof(text), "%.*f", MAX(digits - exponent, 0), d);
                        break;
                }
        }
        fputs(text, out);
}

static int print_list(const TemplateTypes *types, const json_t *list, FILE *out) {
        fputc('[', out);
        for (size_t i = 0; i < json_array_size(list); i++) {
                _cleanup_value_ Value item = template_element(json_array_get(list, i));

                if (i > 0)
                        fputc(' ', out);
                int r = template_print(types, &item, out);
                if (r < 0)
                        return r;
        }
        fputc(']', out);
        return 0;
}

static int print_map(const TemplateTypes *types, const json_t *map, FILE *out) {
        _cleanup_free_ const char **keys = template_sorted_keys(map);

        if (!keys)
                return -ENOMEM;
        fputs("map[", out);
        for (size_t i = 0; keys[i]; i++) {
                _cleanup_value_ Value item = template_element(json_object_get(map, keys[i]));

                fprintf(out, "%s%s:", i > 0 ? " " : "", keys[i]);
                int r = template_print(types, &item, out);
                if (r < 0)
                        return r;
        }
        fputc(']', out);
        return 0;
}

static int print_struct(const TemplateTypes *types, const json_t *object, FILE *out) {
        const char *key, *separator = "";
        json_t *json;

        fputc('{', out);
        json_object_foreach((json_t *) object, key, json) {
                _cleanup_value_ Value item = template_child(types, json, key);

                fputs(separator, out);
                separator = " ";
                int r = template_print(types, &item, out);
                if (r < 0)
                        return r;
        }
        fputc('}', out);
        return 0;
}

static int print_time(const json_t *json, FILE *out) {
        _cleanup_free_ char *text = NULL;

        int r = time_text_go(json_string_value(json), &text);
        if (r < 0 && r != -EINVAL)
                return r;
        fputs(text ?: json_string_value(json), out);
        return 0;
}

int template_print(const TemplateTypes *types, const Value *v, FILE *out) {
        if (!v->json) {
                fputs("<no value>", out);
                return 0;
        }
        switch (json_typeof(v->json)) {
        case JSON_OBJECT:
                return v->kind == VALUE_MAP ? print_map(types, v->json, out) : print_struct(types, v->json, out);
        case JSON_ARRAY:
                return print_list(types, v->json, out);
        case JSON_STRING:
                if (v->kind == VALUE_TIME)
                        return print_time(v->json, out);
                fwrite(json_string_value(v->json), 1, json_string_length(v->json), out);
                return 0;
        case JSON_INTEGER:
                fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v->json));
                return 0;
        case JSON_REAL:
                print_real(json_real_value(v->json), out);
                return 0;
        case JSON_NULL: /* in our views always a list or a map that is not there */
                fputs(v->kind == VALUE_MAP ? "map[]" : "[]", out);
                return 0;
        default:
                fputs(json_is_true(v->json) ? "true" : "false", out);
                return 0;
        }
}

/* DEL and the C1 controls are valid in JSON text and steer terminals all the same. */
char *template_json_text(const json_t *value, size_t flags) {
        _cleanup_free_ char *text = json_dumps(value, flags | JSON_ENCODE_ANY);
        size_t n = 0;
        char *out, *to;

        if (!text)
                return NULL;
        for (const char *s = text; *s; s++)
                n += *s == '\x7f' || *s == '\xc2';
        if (n == 0)
                return TAKE_PTR(text);
        out = to = malloc(strlen(text) + n * 5 + 1);
        if (!out)
                return NULL;
        for (const char *s = text; *s; s++) {
                bool c1 = *s == '\xc2' && (unsigned char) s[1] < 0xa0;

                if (*s != '\x7f' && !c1) {
                        *to++ = *s;
                        continue;
                }
                s += c1;
                to += snprintf(to, sizeof("\\u0000"), "\\u%04X", (unsigned char) *s);
        }
        *to = 0;
        return out;
}

static void put_padded(FILE *out, const Verb *verb, const char *text, size_t size) {
        int characters = 0;

        for (size_t i = 0; i < size; i++)
                characters += (text[i] & 0xc0) != 0x80;
        int padding = verb->width > characters ? verb->width - characters : 0;
        if (!verb->minus)
                for (int i = 0; i < padding; i++)
                        fputc(verb->zero ? '0' : ' ', out);
        fwrite(text, 1, size, out);
        if (verb->minus)
                for (int i = 0; i < padding; i++)
                        fputc(' ', out);
}

/* Bytes of the first n characters. */
static size_t cut_characters(const char *s, size_t size, int n) {
        size_t i = 0;

        for (; i < size; i++)
                if ((s[i] & 0xc0) != 0x80 && n-- == 0)
                        break;
        return i;
}

static void print_quoted(FILE *out, const char *s) {
        static const char letters[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";

        fputc('"', out);
        for (; *s; s++) {
                const char *at = strchr(letters, *s);

                if (at)
                        fprintf(out, "\\%c", names[at - letters]);
                else if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        fprintf(out, "\\x%02x", (unsigned) *s);
                else if (*s == '\xc2' && (unsigned char) s[1] < 0xa0) {
                        s++;
                        fprintf(out, "\\u%04x", (unsigned char) *s);
                } else
                        fputc(*s, out);
        }
        fputc('"', out);
}

/* A verb that does not fit its argument: %!d(string=abc). */
static void print_bad(const TemplateTypes *types, const Verb *verb, const Value *v, FILE *out) {
        if (!v->json) {
                fprintf(out, "%%!%c(<nil>)", verb->verb);
                return;
        }
        fprintf(out, "%%!%c(%s=", verb->verb, template_type_name(v));
        (void) template_print(types, v, out);
        fputc(')', out);
}

static int format_integer(FILE *out, const Verb *verb, json_int_t n) {
        static const char digits[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
        unsigned base = verb->verb == 'd' ? 10 : verb->verb == 'o' ? 8 : verb->verb == 'b' ? 2 : 16;
        unsigned long long u = n < 0 ? 0ULL - (unsigned long long) n : (unsigned long long) n;
        char text[72], *p = text + sizeof(text);
        Verb padding = *verb;

        if (verb->verb == 'c') {
                text[0] = (char) n;
                put_padded(out, verb, text, 1);
                return 0;
        }
        do {
                *--p = (verb->verb == 'X' ? upper : digits)[u % base];
                u /= base;
        } while (u > 0);
        if (verb->sharp && base == 16) {
                *--p = verb->verb;
                *--p = '0';
        }
        const char *sign = n < 0 ? "-" : verb->plus ? "+" : verb->space ? " " : "";
        if (*sign && verb->zero && !verb->minus && padding.width > 0) {
                fputs(sign, out); /* zeros stand behind the sign */
                padding.width--;
        } else if (*sign)
                *--p = *sign;
        put_padded(out, &padding, p, (size_t) (text + sizeof(text) - p));
        return 0;
}

static int format_real(FILE *out, const Verb *verb, double d) {
        const char format[] = { '%', '.', '*', verb->verb, 0 };
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory = open_memstream(&text, &size);

        if (!memory)
                return -ENOMEM;
        if (verb->verb == 'g' && verb->precision < 0)
                print_real(d, memory);
        else {
_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
                fprintf(memory, format, verb->precision < 0 ? 6 : verb->precision, d);
_Pragma("GCC diagnostic pop")
        }
        if (fclose(memory) != 0)
                return -ENOMEM;
        put_padded(out, verb, text, size);
        return 0;
}

static int format_string(FILE *out, const Verb *verb, const char *s, size_t size) {
        _cleanup_free_ char *text = NULL;
        FILE *memory;

        if (verb->precision >= 0)
                size = cut_characters(s, size, verb->precision);
        if (verb->verb != 'q' && verb->verb != 'x' && verb->verb != 'X') {
                put_padded(out, verb, s, size);
                return 0;
        }
        _cleanup_free_ char *cut = strndup(s, size);
        memory = open_memstream(&text, &size);
        if (!cut || !memory) {
                if (memory)
                        fclose(memory);
                return -ENOMEM;
        }
        if (verb->verb == 'q')
                print_quoted(memory, cut);
        else
                for (const char *p = cut; *p; p++)
                        fprintf(memory, verb->verb == 'x' ? "%02x" : "%02X", (unsigned char) *p);
        if (fclose(memory) != 0)
                return -ENOMEM;
        put_padded(out, verb, text, size);
        return 0;
}

static int format_value(const TemplateTypes *types, const Verb *verb, const Value *v, FILE *out);

static int format_list(const TemplateTypes *types, const Verb *verb, const json_t *list, FILE *out) {
        fputc('[', out);
        for (size_t i = 0; i < json_array_size(list); i++) {
                _cleanup_value_ Value item = template_element(json_array_get(list, i));

                if (i > 0)
                        fputc(' ', out);
                int r = format_value(types, verb, &item, out);
                if (r < 0)
                        return r;
        }
        fputc(']', out);
        return 0;
}

/* %v, and %s of what is not a string: as printed, with the width. */
static int format_plain(const TemplateTypes *types, const Verb *verb, const Value *v, FILE *out) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory = open_memstream(&text, &size);

        if (!memory)
                return -ENOMEM;
        int r = template_print(types, v, memory);
        if (fclose(memory) != 0)
                return -ENOMEM;
        put_padded(out, verb, text, size);
        return r;
}

/* Which verbs fit which type of JSON. */
static bool verb_fits(char verb, json_type type) {
        static const char *const fitting[] = {
                [JSON_STRING] = "vsqxX", [JSON_INTEGER] = "vdxXobc", [JSON_REAL] = "vfFeEgG",
                [JSON_TRUE] = "vt",      [JSON_FALSE] = "vt",
        };

        return strchr(fitting[type], verb);
}

static int format_value(const TemplateTypes *types, const Verb *verb, const Value *v, FILE *out) {
        if (v->json && json_is_array(v->json) && verb->verb != 'v')
                return format_list(types, verb, v->json, out);
        if (!v->json || json_is_object(v->json) || json_is_array(v->json) || json_is_null(v->json)) {
                if (v->json && (verb->verb == 'v' || verb->verb == 's'))
                        return format_plain(types, verb, v, out);
                print_bad(types, verb, v, out);
                return 0;
        }
        if (!verb_fits(verb->verb, json_typeof(v->json))) {
                print_bad(types, verb, v, out);
                return 0;
        }
        if (v->kind == VALUE_TIME || verb->verb == 'v' || verb->verb == 't')
                return json_is_integer(v->json) ? format_integer(out, &(Verb){ .verb = 'd', .minus = verb->minus,
                                                                .plus = verb->plus, .space = verb->space, .zero = verb->zero,
                                                                .width = verb->width, .precision = -1 },
                                                                json_integer_value(v->json))
                                                : format_plain(types, verb, v, out);
        if (json_is_integer(v->json)) {
                if (verb->verb == 'c' && (json_integer_value(v->json) <= 0 || json_integer_value(v->json) > 0x7f)) {
                        print_bad(types, verb, v, out);
                        return 0;
                }
                return format_integer(out, verb, json_integer_value(v->json));
        }
        if (json_is_real(v->json))
                return format_real(out, verb, json_real_value(v->json));
        return format_string(out, verb, json_string_value(v->json), json_string_length(v->json));
}

static int parse_count(Evaluator *e, const char **s, int *ret) {
        int n = 0;

        for (; **s >= '0' && **s <= '9'; ++*s) {
                n = n * 10 + (**s - '0');
                if (n > TEMPLATE_PADDING_LIMIT)
                        return template_fail(e, "printf: a width or precision above %d", TEMPLATE_PADDING_LIMIT);
        }
        *ret = n;
        return 0;
}

/* Flags, width, precision and letter behind a '%'; *s is left behind the letter. */
static int parse_verb(Evaluator *e, const char **s, Verb *ret) {
        Verb verb = { .width = -1, .precision = -1 };
        int r = 0;

        for (;; ++*s) {
                switch (**s) {
                case '-':
                        verb.minus = true;
                        continue;
                case '+':
                        verb.plus = true;
                        continue;
                case '#':
                        verb.sharp = true;
                        continue;
                case ' ':
                        verb.space = true;
                        continue;
                case '0':
                        verb.zero = true;
                        continue;
                default:
                        break;
                }
                break;
        }
        if (**s >= '1' && **s <= '9')
                r = parse_count(e, s, &verb.width);
        if (r >= 0 && **s == '.') {
                ++*s;
                r = parse_count(e, s, &verb.precision);
        }
        if (r < 0)
                return r;
        if (!**s || !strchr("vsqdtxXobcfFeEgG%", **s))
                return template_fail(e, "printf: '%%%c' is not supported", **s ? **s : ' ');
        verb.verb = *(*s)++;
        *ret = verb;
        return 0;
}

static int print_format(Evaluator *e, const char *s, const Value *args, size_t n, FILE *out) {
        const TemplateTypes *types = template_types(e);
        size_t i = 0;

        while (*s) {
                Verb verb;

                if (*s != '%') {
                        fputc(*s++, out);
                        continue;
                }
                s++;
                int r = parse_verb(e, &s, &verb);
                if (r < 0)
                        return r;
                if (verb.verb == '%')
                        fputc('%', out);
                else if (i >= n)
                        fprintf(out, "%%!%c(MISSING)", verb.verb);
                else {
                        r = format_value(types, &verb, &args[i++], out);
                        if (r >= 0)
                                r = template_check_size(e, (size_t) ftello(out));
                        if (r < 0)
                                return r;
                }
        }
        for (size_t k = i; k < n; k++) {
                fprintf(out, "%s%s=", k == i ? "%!(EXTRA " : ", ", template_type_name(&args[k]));
                int r = template_print(types, &args[k], out);
                if (r >= 0)
                        r = template_check_size(e, (size_t) ftello(out));
                if (r < 0)
                        return r;
        }
        if (i < n)
                fputc(')', out);
        return 0;
}

int template_call_printf(Evaluator *e, const Value *args, size_t n, Value *ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory;

        if (!json_is_string(args[0].json))
                return template_fail(e, "printf: the format is a %s, not a string", template_type_name(&args[0]));
        memory = open_memstream(&text, &size);
        if (!memory)
                return -ENOMEM;
        int r = print_format(e, json_string_value(args[0].json), args + 1, n - 1, memory);
        if (fclose(memory) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        return template_give_text(e, text, size, ret);
}
