/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates: Go's own, and those that Podman adds. */
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/template-node.h"

static int give(Value *ret, json_t *json) {
        if (!json)
                return -ENOMEM;
        *ret = (Value){ .json = json, .kind = VALUE_DATA };
        return 0;
}

/* The string argument i of the function `name`, or an error. */
static int string_argument(Evaluator *e, const char *name, const Value *args, size_t i, const char **ret) {
        if (!json_is_string(args[i].json))
                return template_fail(e, "%s: wrong type for argument %zu: expected string, got %s", name, i + 1,
                                     template_type_name(&args[i]));
        *ret = json_string_value(args[i].json);
        return 0;
}

static int count_argument(Evaluator *e, const char *name, const Value *args, size_t i, size_t *ret) {
        json_int_t n = json_integer_value(args[i].json);

        if (!json_is_integer(args[i].json) || n < 0 || n > TEMPLATE_PADDING_LIMIT)
                return template_fail(e, "%s: argument %zu is not a number of 0 to %d", name, i + 1, TEMPLATE_PADDING_LIMIT);
        *ret = (size_t) n;
        return 0;
}

static int call_json(Evaluator *e, const Value *args, size_t n, Value *ret) {
        _cleanup_free_ char *text = args[0].json ? template_json_text(args[0].json, JSON_COMPACT) : strdup("null");

        (void) e;
        (void) n;
        return text ? give(ret, json_string_nocheck(text)) : -ENOMEM;
}

static int call_len(Evaluator *e, const Value *args, size_t n, Value *ret) {
        const json_t *json = args[0].json;

        (void) n;
        if (json_is_array(json))
                return give(ret, json_integer((json_int_t) json_array_size(json)));
        if (json_is_object(json) && args[0].kind == VALUE_MAP)
                return give(ret, json_integer((json_int_t) json_object_size(json)));
        if (json_is_string(json))
                return give(ret, json_integer((json_int_t) json_string_length(json)));
        if (json_is_null(json))
                return give(ret, json_integer(0));
        return template_fail(e, "len of type %s", template_type_name(&args[0]));
}

/* One step of index: a key into a map or a number into a list. Replaces *v. */
static int index_step(Evaluator *e, Value *v, const Value *key) {
        Value found = VALUE_NULL;

        if (v->kind == VALUE_MAP) {
                if (!json_is_string(key->json))
                        return template_fail(e, "index: a map's key is a string, not a %s", template_type_name(key));
                const json_t *item = json_object_get(v->json, json_string_value(key->json));

                found = item ? template_element(item) : (Value){ .json = json_string(""), .kind = VALUE_ZERO };
        } else if (json_is_array(v->json) || v->kind == VALUE_ZERO || json_is_null(v->json)) {
                json_int_t i = json_integer_value(key->json);

                if (!json_is_integer(key->json))
                        return template_fail(e, "index: cannot index a list with a %s", template_type_name(key));
                if (i < 0 || (size_t) i >= json_array_size(v->json))
                        return template_fail(e, "index: index out of range: %" JSON_INTEGER_FORMAT, i);
                found = template_element(json_array_get(v->json, (size_t) i));
        } else
                return template_fail(e, "index: can't index item of type %s", template_type_name(v));
        value_done(v);
        *v = found;
        return v->json ? 0 : -ENOMEM;
}

static int call_index(Evaluator *e, const Value *args, size_t n, Value *ret) {
        _cleanup_value_ Value v = { .json = json_incref(args[0].json), .kind = args[0].kind };

        if (!v.json)
                return template_fail(e, "index of untyped nil");
        for (size_t i = 1; i < n; i++) {
                int r = index_step(e, &v, &args[i]);
                if (r < 0)
                        return r;
        }
        *ret = v;
        v = VALUE_NULL;
        return 0;
}

static int call_slice(Evaluator *e, const Value *args, size_t n, Value *ret) {
        bool text = json_is_string(args[0].json);
        size_t length = text ? json_string_length(args[0].json) : json_array_size(args[0].json);
        size_t bounds[2] = { 0, length };

        if (!text && !json_is_array(args[0].json))
                return template_fail(e, "slice: can't slice item of type %s", template_type_name(&args[0]));
        for (size_t i = 1; i < n; i++) {
                json_int_t at = json_integer_value(args[i].json);

                if (!json_is_integer(args[i].json) || at < 0 || (size_t) at > length)
                        return template_fail(e, "slice: index out of range");
                bounds[i - 1] = (size_t) at;
        }
        if (bounds[0] > bounds[1])
                return template_fail(e, "slice: invalid slice index: %zu > %zu", bounds[0], bounds[1]);
        if (text)
                return give(ret, json_stringn_nocheck(json_string_value(args[0].json) + bounds[0], bounds[1] - bounds[0]));
        _cleanup_value_ Value list = { .json = json_array() };
        for (size_t i = bounds[0]; i < bounds[1]; i++)
                if (json_array_append(list.json, json_array_get(args[0].json, i)) < 0)
                        return -ENOMEM;
        return give(ret, json_incref(list.json));
}

static int call_join(Evaluator *e, const Value *args, size_t n, Value *ret) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *joined = NULL;
        const char *separator = "";
        const json_t *item;
        size_t i;

        (void) n;
        int r = string_argument(e, "join", args, 1, &separator);
        if (r < 0)
                return r;
        if (!json_is_array(args[0].json) && !json_is_null(args[0].json))
                return template_fail(e, "join: wrong type for value; expected list of strings, got %s",
                                     template_type_name(&args[0]));
        json_array_foreach(args[0].json, i, item) {
                if (!json_is_string(item))
                        return template_fail(e, "join: an item of the list is not a string");
                if (strv_append(&words, json_string_value(item)) < 0)
                        return -ENOMEM;
        }
        r = template_check_size(e, strv_length(words) * strlen(separator));
        if (r < 0)
                return r;
        joined = strv_join(words, separator);
        return joined ? template_give_text(e, joined, strlen(joined), ret) : -ENOMEM;
}

static int call_split(Evaluator *e, const Value *args, size_t n, Value *ret) {
        const char *s = "", *separator = "", *at;
        _cleanup_value_ Value list = { .json = json_array() };

        (void) n;
        int r = string_argument(e, "split", args, 0, &s);
        if (r >= 0)
                r = string_argument(e, "split", args, 1, &separator);
        if (r < 0)
                return r;
        if (!*separator)
                return template_fail(e, "split: the separator is empty");
        while ((at = strstr(s, separator))) {
                if (json_array_append_new(list.json, json_stringn_nocheck(s, (size_t) (at - s))) < 0)
                        return -ENOMEM;
                s = at + strlen(separator);
        }
        if (json_array_append_new(list.json, json_string_nocheck(s)) < 0)
                return -ENOMEM;
        return give(ret, json_incref(list.json));
}

/* ASCII only: the names, states and IDs that people write these for are. */
typedef char (*Change)(char c, char before);

static char to_lower(char c, char before) {
        (void) before;
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
}

static char to_upper(char c, char before) {
        (void) before;
        return c >= 'a' && c <= 'z' ? (char) (c - 32) : c;
}

static char to_title(char c, char before) {
        return before == ' ' || before == '\t' || before == '\n' || before == '-' || before == '/' ? to_upper(c, 0) : c;
}

static int change(Evaluator *e, const char *name, const Value *args, Change how, Value *ret) {
        _cleanup_free_ char *copy = NULL;
        const char *s = "";
        char before = ' ';

        int r = string_argument(e, name, args, 0, &s);
        if (r < 0)
                return r;
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        for (char *p = copy; *p; p++) {
                char original = *p;

                *p = how(original, before);
                before = original;
        }
        return give(ret, json_string_nocheck(copy));
}

static int call_lower(Evaluator *e, const Value *args, size_t n, Value *ret) {
        (void) n;
        return change(e, "lower", args, to_lower, ret);
}

static int call_upper(Evaluator *e, const Value *args, size_t n, Value *ret) {
        (void) n;
        return change(e, "upper", args, to_upper, ret);
}

static int call_title(Evaluator *e, const Value *args, size_t n, Value *ret) {
        (void) n;
        return change(e, "title", args, to_title, ret);
}

static int call_pad(Evaluator *e, const Value *args, size_t n, Value *ret) {
        _cleanup_free_ char *padded = NULL;
        size_t before = 0, after = 0;
        const char *s = "";

        (void) n;
        int r = string_argument(e, "pad", args, 0, &s);
        if (r >= 0)
                r = count_argument(e, "pad", args, 1, &before);
        if (r >= 0)
                r = count_argument(e, "pad", args, 2, &after);
        if (r < 0)
                return r;
        if (!*s)
                return give(ret, json_string(""));
        padded = str_format("%*s%s%*s", (int) before, "", s, (int) after, "");
        return padded ? template_give_text(e, padded, strlen(padded), ret) : -ENOMEM;
}

/* Podman's cuts bytes; ours never inside a character. */
static int call_truncate(Evaluator *e, const Value *args, size_t n, Value *ret) {
        const char *s = "";
        size_t length = 0;

        (void) n;
        int r = string_argument(e, "truncate", args, 0, &s);
        if (r >= 0)
                r = count_argument(e, "truncate", args, 1, &length);
        if (r < 0)
                return r;
        length = MIN(length, strlen(s));
        while (length > 0 && (s[length] & 0xc0) == 0x80)
                length--;
        return give(ret, json_stringn_nocheck(s, length));
}

static int call_not(Evaluator *e, const Value *args, size_t n, Value *ret) {
        (void) e;
        (void) n;
        return give(ret, json_boolean(!template_truth(&args[0])));
}

/* Go separates two operands of print by a space where neither is a string, println always. */
static int print_all(Evaluator *e, const Value *args, size_t n, bool line, Value *ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory = open_memstream(&text, &size);
        int r = 0;

        if (!memory)
                return -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (i > 0 && (line || (!json_is_string(args[i].json) && !json_is_string(args[i - 1].json))))
                        fputc(' ', memory);
                r = template_print(template_types(e), &args[i], memory);
                if (r >= 0)
                        r = template_check_size(e, (size_t) ftello(memory));
        }
        if (line)
                fputc('\n', memory);
        if (fclose(memory) != 0)
                return -ENOMEM;
        return r < 0 ? r : template_give_text(e, text, size, ret);
}

static int call_print(Evaluator *e, const Value *args, size_t n, Value *ret) {
        return print_all(e, args, n, /* line= */ false, ret);
}

static int call_println(Evaluator *e, const Value *args, size_t n, Value *ret) {
        return print_all(e, args, n, /* line= */ true, ret);
}

/* -1, 0, 1; `ordered` is false for what only can be equal or not. -EINVAL with a message where types differ. */
static int compare(Evaluator *e, const char *name, const Value *a, const Value *b, bool ordered, int *ret) {
        if ((!a->json || json_is_null(a->json)) && (!b->json || json_is_null(b->json)) && !ordered) {
                *ret = 0;
                return 0;
        }
        if (!a->json || !b->json || json_is_null(a->json) || json_is_null(b->json)) {
                *ret = 1;
                return ordered ? template_fail(e, "%s: nil has no order", name) : 0;
        }
        if (json_is_string(a->json) && json_is_string(b->json)) {
                int r = strcmp(json_string_value(a->json), json_string_value(b->json));

                *ret = (r > 0) - (r < 0);
                return 0;
        }
        if (json_is_integer(a->json) && json_is_integer(b->json)) {
                json_int_t x = json_integer_value(a->json), y = json_integer_value(b->json);

                *ret = (x > y) - (x < y);
                return 0;
        }
        if (json_is_real(a->json) && json_is_real(b->json)) {
                double x = json_real_value(a->json), y = json_real_value(b->json);

                *ret = (x > y) - (x < y);
                return 0;
        }
        if (json_is_boolean(a->json) && json_is_boolean(b->json) && !ordered) {
                *ret = json_is_true(a->json) != json_is_true(b->json);
                return 0;
        }
        return template_fail(e, "%s: incompatible types for comparison: %s and %s", name, template_type_name(a),
                             template_type_name(b));
}

static int call_eq(Evaluator *e, const Value *args, size_t n, Value *ret) {
        for (size_t i = 1; i < n; i++) {
                int order;

                int r = compare(e, "eq", &args[0], &args[i], /* ordered= */ false, &order);
                if (r < 0)
                        return r;
                if (order == 0)
                        return give(ret, json_true());
        }
        return give(ret, json_false());
}

#define DEFINE_COMPARISON(name, is_ordered, condition)                                                 \
        static int call_##name(Evaluator *e, const Value *args, size_t n, Value *ret) {                \
                int order;                                                                             \
                (void) n;                                                                              \
                int r = compare(e, #name, &args[0], &args[1], is_ordered, &order);                     \
                return r < 0 ? r : give(ret, json_boolean(order condition));                           \
        }
DEFINE_COMPARISON(ne, false, != 0)
DEFINE_COMPARISON(lt, true, < 0)
DEFINE_COMPARISON(le, true, <= 0)
DEFINE_COMPARISON(gt, true, > 0)
DEFINE_COMPARISON(ge, true, >= 0)

/* Sorted by name. */
static const TemplateFunction functions[] = {
        { "and", NULL, 1, SIZE_MAX },
        { "eq", call_eq, 2, SIZE_MAX },
        { "ge", call_ge, 2, 2 },
        { "gt", call_gt, 2, 2 },
        { "index", call_index, 1, SIZE_MAX },
        { "join", call_join, 2, 2 },
        { "json", call_json, 1, 1 },
        { "le", call_le, 2, 2 },
        { "len", call_len, 1, 1 },
        { "lower", call_lower, 1, 1 },
        { "lt", call_lt, 2, 2 },
        { "ne", call_ne, 2, 2 },
        { "not", call_not, 1, 1 },
        { "or", NULL, 1, SIZE_MAX },
        { "pad", call_pad, 3, 3 },
        { "print", call_print, 0, SIZE_MAX },
        { "printf", template_call_printf, 1, SIZE_MAX },
        { "println", call_println, 0, SIZE_MAX },
        { "slice", call_slice, 1, 3 },
        { "split", call_split, 2, 2 },
        { "title", call_title, 1, 1 },
        { "truncate", call_truncate, 2, 2 },
        { "upper", call_upper, 1, 1 },
};

const TemplateFunction *template_function_find(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTSOF(functions); i++)
                if (strlen(functions[i].name) == length && memcmp(functions[i].name, name, length) == 0)
                        return &functions[i];
        return NULL;
}
