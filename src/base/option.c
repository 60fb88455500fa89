/* SPDX-License-Identifier: Apache-2.0 */
/* Reads options by their tables. */
#include "base/option.h"

#include "base/parse.h"
#include "base/str.h"

const Option *options_find(const Option *const *tables, const char *name) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++)
                        if (str_equal(o->name, name))
                                return o;
        return NULL;
}

const Option *options_find_letter(const Option *const *tables, char letter) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++)
                        if (o->letter && o->letter == letter)
                                return o;
        return NULL;
}

bool option_is_shown(const Option *option) {
        return !option->hidden && option->help && option->kind != OPTION_REFUSED && option->kind != OPTION_REFUSED_BOOL;
}

bool option_takes_value(const Option *option) {
        switch (option->kind) {
        case OPTION_BOOL:
        case OPTION_SWITCH:
        case OPTION_NOTHING:
        case OPTION_HELP:
        case OPTION_REFUSED_BOOL:
                return false;
        default:
                return true;
        }
}

bool options_given(const OptionParse *parse, const char *name) {
        for (size_t i = 0; i < parse->n_given; i++)
                if (str_equal(parse->given[i]->name, name))
                        return true;
        return false;
}

void options_parse_done(OptionParse *parse) {
        free(parse->given);
        free(parse->given_values);
        free(parse->arguments);
        parse->given = NULL;
        parse->given_values = NULL;
        parse->arguments = NULL;
        parse->n_given = parse->n_arguments = 0;
}

void options_free(const Option *const *tables, void *target) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++) {
                        void *field = (char *) target + o->offset;

                        if (o->kind == OPTION_STRING) {
                                free(*(char **) field);
                                *(char **) field = NULL;
                        } else if (o->kind == OPTION_STRV || o->kind == OPTION_LIST) {
                                strv_free(*(char ***) field);
                                *(char ***) field = NULL;
                        }
                }
}

/* One field from *p into `field`, which has room for the whole line; *p is left behind the comma, or at the end. */
static int csv_field(const char **p, char *field, bool *ret_last, Error *reterr) {
        const char *s = *p;
        size_t n = 0;

        if (*s == '"') {
                for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
                        if (*s == '"')
                                s++;
                        field[n++] = *s;
                }
                if (*s != '"')
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "a quoted field does not end");
                s++;
                if (*s && *s != ',')
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "text after a quoted field");
        } else
                for (; *s && *s != ','; s++) {
                        if (*s == '"')
                                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                                 "a quote inside a field that is not quoted");
                        field[n++] = *s;
                }
        field[n] = '\0';
        *ret_last = !*s;
        *p = *s ? s + 1 : s;
        return 0;
}

int csv_split(const char *line, char ***ret, Error *reterr) {
        _cleanup_strv_ char **fields = NULL;
        _cleanup_free_ char *field = malloc(strlen(line) + 1);
        bool last = false;

        if (!field)
                return error_oom(reterr);
        while (!last) {
                int r = csv_field(&line, field, &last, reterr);

                if (r < 0)
                        return r;
                if (strv_append(&fields, field) < 0)
                        return error_oom(reterr);
        }
        *ret = TAKE_PTR(fields);
        return 0;
}

static int append_checked(const Option *o, char ***field, const char *value, Error *reterr) {
        int r = o->check ? o->check(value, reterr) : 0;

        return r < 0 ? r : strv_append(field, value) < 0 ? error_oom(reterr) : 0;
}

static int set_list(const Option *o, char ***field, const char *value, Error *reterr) {
        _cleanup_strv_ char **words = NULL;

        if (!*value)
                return 0; /* an empty list, as in Podman */
        int r = csv_split(value, &words, reterr);
        for (char **word = words; r >= 0 && *word; word++)
                r = append_checked(o, field, *word, reterr);
        return r;
}

static int set_int(int *field, const char *value) {
        int64_t number;
        int r = parse_i64(value, &number);

        if (r >= 0 && (number < INT32_MIN || number > INT32_MAX))
                r = -ERANGE;
        if (r >= 0)
                *field = (int) number;
        return r;
}

static int check_word(const Option *o, const char *value, Error *reterr) {
        _cleanup_free_ char *list = NULL;

        if (o->complete != COMPLETE_WORDS || strv_contains((char *const *) o->words, value))
                return 0;
        list = strv_join((char *const *) o->words, ", ");
        if (!list)
                return error_oom(reterr);
        return error_set(reterr, -EINVAL, ERROR_INVALID, "not one of %s", list);
}

static const char *wanted(OptionKind kind) {
        switch (kind) {
        case OPTION_BOOL:
        case OPTION_SWITCH:
        case OPTION_NOTHING:
        case OPTION_REFUSED_BOOL:
                return "neither true nor false";
        case OPTION_BYTES:
                return "not a size such as 512m or 1.5g";
        case OPTION_DURATION:
                return "not a duration such as 30s or 1m30s";
        case OPTION_UINT32:
        case OPTION_UINT64:
                return "not a number of 0 or more";
        default:
                return "not a number";
        }
}

/* Stores one value; without a reason in reterr the kind's own is used. */
static int store_value(const Option *o, void *target, const char *value, Error *reterr) {
        void *field = (char *) target + o->offset;
        bool b;

        switch (o->kind) {
        case OPTION_BOOL:
                return parse_bool(value, field);
        case OPTION_NOTHING:
                return parse_bool(value, &b);
        case OPTION_STRING: {
                int r = check_word(o, value, reterr);
                if (r < 0)
                        return r;
                return str_replace(field, value) < 0 ? error_oom(reterr) : 0;
        }
        case OPTION_STRV:
                return append_checked(o, field, value, reterr);
        case OPTION_LIST:
                return set_list(o, field, value, reterr);
        case OPTION_INT:
                return set_int(field, value);
        case OPTION_INT64:
                return parse_i64(value, field);
        case OPTION_UINT32:
                return parse_u32(value, field);
        case OPTION_UINT64:
                return parse_u64(value, field);
        case OPTION_BYTES:
                return parse_bytes(value, field);
        case OPTION_DURATION:
                return parse_duration(value, field);
        case OPTION_SET:
                return o->set(target, value, reterr);
        case OPTION_SWITCH: {
                int r = parse_bool(value, &b);
                return r < 0 ? r : o->set(target, b ? "true" : "false", reterr);
        }
        default:
                return -EINVAL;
        }
}

static int refuse(const Option *o, const char *value, Error *reterr) {
        if (o->kind == OPTION_REFUSED_BOOL) {
                bool b;

                if (parse_bool(value, &b) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--%s=%s': %s", o->name, value,
                                         wanted(o->kind));
                if (!b)
                        return 0;
        }
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use '--%s': %s", o->name,
                         o->refused ?: "it is not there yet");
}

static int apply(OptionParse *parse, const Option *o, void *target, const char *value, Error *reterr) {
        _cleanup_error_ Error reason = ERROR_NULL;

        if (o->optional && !*value)
                return 0;
        const Option **given = reallocarray(parse->given, parse->n_given + 1, sizeof(*given));
        if (!given)
                return error_oom(reterr);
        parse->given = given;
        const char **values = reallocarray(parse->given_values, parse->n_given + 1, sizeof(*values));
        if (!values)
                return error_oom(reterr);
        parse->given_values = values;
        values[parse->n_given] = value;
        given[parse->n_given++] = o;

        if (o->kind == OPTION_HELP) {
                parse->help = true;
                return 0;
        }
        if (o->kind == OPTION_REFUSED || o->kind == OPTION_REFUSED_BOOL)
                return refuse(o, value, reterr);

        int r = store_value(o, target, value, &reason);
        if (r >= 0 || r == -ENOMEM)
                return r < 0 ? error_oom(reterr) : 0;
        if (!reason.message)
                (void) error_set(&reason, r, ERROR_INVALID, "%s",
                                 r == -ERANGE ? "the number is out of range" : wanted(o->kind));
        (void) error_prefix(&reason, r, "cannot use '--%s%s%s'", o->name, option_takes_value(o) ? " " : "=", value);
        return error_move(reterr, &reason);
}

static const Option *find(const OptionParse *parse, const char *name, char letter, void **ret_target) {
        for (size_t i = 0; i < parse->n_sets; i++) {
                const Option *o = name ? options_find(parse->sets[i].tables, name)
                                       : options_find_letter(parse->sets[i].tables, letter);
                if (o) {
                        *ret_target = parse->sets[i].target;
                        return o;
                }
        }
        return NULL;
}

static int parse_long(OptionParse *parse, const char *word, Error *reterr) {
        size_t n = strcspn(word, "=");
        _cleanup_free_ char *name = strndup(word, n);
        const char *value = word[n] == '=' ? word + n + 1 : NULL;
        void *target;

        if (!name)
                return error_oom(reterr);
        const Option *o = *name ? find(parse, name, 0, &target) : NULL;
        if (!o)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "%s: --%s", parse->unknown ?: "unknown flag", name);
        if (!value && !option_takes_value(o))
                value = "true";
        else if (!value) {
                value = parse->words[parse->next];
                if (!value)
                        return error_set(reterr, -EINVAL, ERROR_USAGE, "flag needs an argument: --%s", name);
                parse->next++;
        }
        return apply(parse, o, target, value, reterr);
}

static int parse_letters(OptionParse *parse, const char *word, Error *reterr) {
        for (const char *p = word; *p && !parse->help; p++) {
                void *target;
                const Option *o = find(parse, NULL, *p, &target);
                const char *value;
                int r;

                if (!o)
                        return parse->unknown
                                       ? error_set(reterr, -EINVAL, ERROR_USAGE, "%s: -%c", parse->unknown, *p)
                                       : error_set(reterr, -EINVAL, ERROR_USAGE, "unknown shorthand flag: '%c' in -%s", *p, word);
                bool rest_is_value = p[1] == '=' || option_takes_value(o);
                if (p[1] == '=')
                        value = p + 2;
                else if (!rest_is_value)
                        value = "true";
                else if (p[1])
                        value = p + 1;
                else if (parse->words[parse->next])
                        value = parse->words[parse->next++];
                else
                        return error_set(reterr, -EINVAL, ERROR_USAGE, "flag needs an argument: '%c' in -%s", *p, word);
                r = apply(parse, o, target, value, reterr);
                if (r < 0 || rest_is_value)
                        return r;
        }
        return 0;
}

static int add_argument(OptionParse *parse, char *word, Error *reterr) {
        char **arguments = reallocarray(parse->arguments, parse->n_arguments + 2, sizeof(*arguments));

        if (!arguments)
                return error_oom(reterr);
        parse->arguments = arguments;
        arguments[parse->n_arguments++] = word;
        arguments[parse->n_arguments] = NULL;
        return 0;
}

int options_parse(OptionParse *parse, Error *reterr) {
        bool options = true;
        char *word;

        while (!parse->help && (word = parse->words[parse->next])) {
                int r;

                parse->next++;
                if (!options || word[0] != '-' || !word[1]) {
                        options = options && !parse->stop_at_argument;
                        r = add_argument(parse, word, reterr);
                } else if (word[1] != '-')
                        r = parse_letters(parse, word + 1, reterr);
                else if (word[2])
                        r = parse_long(parse, word + 2, reterr);
                else {
                        options = false;
                        r = 0;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
