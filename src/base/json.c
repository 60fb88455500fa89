/* SPDX-License-Identifier: Apache-2.0 */
/* JSON over jansson: bounded reading, and structs described by a table of their fields. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* jansson recurses at most JSON_PARSER_MAX_DEPTH (2048) deep; ours is a stricter bound, checked on the bytes. */
static bool depth_is_bounded(const char *text, size_t size) {
        size_t depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < size; i++) {
                if (in_string) {
                        if (text[i] == '\\')
                                i++;
                        else if (text[i] == '"')
                                in_string = false;
                } else if (text[i] == '"')
                        in_string = true;
                else if (text[i] == '[' || text[i] == '{') {
                        if (++depth > JSON_DEPTH_LIMIT)
                                return false;
                } else if ((text[i] == ']' || text[i] == '}') && depth > 0)
                        depth--;
        }
        return true;
}

int json_parse(const char *text, size_t size, const char *what, json_t **ret, Error *reterr) {
        json_error_t error;
        json_t *json;

        if (!depth_is_bounded(text, size))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read '%s': JSON is nested deeper than %d", what,
                                 JSON_DEPTH_LIMIT);
        json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
        if (!json)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot read '%s': line %d: %s", what, error.line,
                                 error.text);
        *ret = json;
        return 0;
}

int json_read(int dir_fd, const char *name, size_t limit, json_t **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        int r = file_read(dir_fd, name, limit, &text, &size);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", name);
        return json_parse(text, size, name, ret, reterr);
}

int json_write_within(int dir_fd, const char *name, size_t limit, const json_t *json, mode_t mode, FileDurability durability,
                      Error *reterr) {
        _cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
        size_t size;

        if (!text)
                return error_oom(reterr);
        size = strlen(text);
        if (size >= limit)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "cannot write '%s': it would have %zu bytes, and may have %zu", name, size + 1, limit);
        text[size] = '\n'; /* in the place of the NUL: what is written is counted */
        int r = file_write_atomic(dir_fd, name, text, size + 1, mode, durability);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write '%s'", name);
        return 0;
}

int json_write(int dir_fd, const char *name, const json_t *json, mode_t mode, FileDurability durability, Error *reterr) {
        return json_write_within(dir_fd, name, JSON_RECORD_LIMIT, json, mode, durability, reterr);
}

#define SEAL_KEY "checkSum"
enum { SEAL_SIZE = 17 };

/* FNV-1a: any single byte that changes changes it. Against accidents, not against people, who could make it anew. */
static int seal_of(const json_t *object, char ret[static SEAL_SIZE]) {
        _cleanup_json_ json_t *copy = json_copy((json_t *) object);
        _cleanup_free_ char *text = NULL;
        uint64_t hash = 0xcbf29ce484222325;

        if (!copy)
                return -ENOMEM;
        (void) json_object_del(copy, SEAL_KEY);
        text = json_dumps(copy, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        for (const unsigned char *p = (const unsigned char *) text; *p; p++)
                hash = (hash ^ *p) * 0x100000001b3;
        (void) snprintf(ret, SEAL_SIZE, "%016llx", (unsigned long long) hash);
        return 0;
}

int json_seal(json_t *object) {
        char seal[SEAL_SIZE];
        int r = seal_of(object, seal);

        if (r < 0)
                return r;
        (void) json_object_del(object, SEAL_KEY); /* it is the last one */
        return json_object_set_new(object, SEAL_KEY, json_string(seal)) < 0 ? -ENOMEM : 0;
}

int json_seal_check(const json_t *object) {
        const char *found = json_get_string(object, SEAL_KEY);
        char seal[SEAL_SIZE];

        if (!json_object_get(object, SEAL_KEY))
                return 0;
        int r = seal_of(object, seal);
        return r < 0 ? r : found && strcmp(found, seal) == 0 ? 1 : -EBADMSG;
}

const char *json_get_string(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

int64_t json_get_integer(const json_t *object, const char *key, int64_t otherwise) {
        const json_t *value = json_object_get(object, key);

        return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_get_bool(const json_t *object, const char *key, bool otherwise) {
        const json_t *value = json_object_get(object, key);

        return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

json_t *json_text(const char *s) {
        json_t *json = json_string(s);
        _cleanup_free_ char *clean = NULL;
        char *p;

        if (json)
                return json;
        /* every byte above 0x7f as U+FFFD: only broken text comes here */
        clean = p = malloc(strlen(s) * 3 + 1);
        if (!clean)
                return NULL;
        for (; *s; s++)
                if ((unsigned char) *s < 0x80)
                        *p++ = *s;
                else
                        p = stpcpy(p, "\xef\xbf\xbd");
        *p = 0;
        return json_string(clean);
}

json_t *json_from_strv(char *const *v) {
        _cleanup_json_ json_t *array = json_array();

        for (; v && *v; v++)
                if (json_array_append_new(array, json_text(*v)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* Room for `n` strings at once: appending one by one takes quadratic time, which a stranger's list could make use of. */
static char **strv_room(size_t n) {
        return calloc(n + 1, sizeof(char *));
}

int json_to_strv(const json_t *array, char ***ret) {
        _cleanup_strv_ char **v = NULL;
        const json_t *item;
        size_t i;

        if (array && !json_is_null(array) && !json_is_array(array))
                return -EBADMSG;
        if (json_array_size(array) > 0 && !(v = strv_room(json_array_size(array))))
                return -ENOMEM;
        json_array_foreach(array, i, item) {
                if (!json_is_string(item))
                        return -EBADMSG;
                if (!(v[i] = strdup(json_string_value(item))))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

json_t *json_from_pairs(char *const *pairs) {
        _cleanup_json_ json_t *object = json_object();

        for (; pairs && *pairs; pairs++) {
                _cleanup_free_ char *key = strndup(*pairs, strcspn(*pairs, "="));
                const char *value = strchr(*pairs, '=');

                if (!key || json_object_set_new_nocheck(object, key, json_text(value ? value + 1 : "")) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

int json_to_pairs(const json_t *object, char ***ret) {
        _cleanup_strv_ char **pairs = NULL;
        const char *key;
        json_t *value;
        size_t n = 0;

        if (object && !json_is_null(object) && !json_is_object(object))
                return -EBADMSG;
        if (json_object_size(object) > 0 && !(pairs = strv_room(json_object_size(object))))
                return -ENOMEM;
        json_object_foreach((json_t *) object, key, value) {
                if (!json_is_string(value))
                        return -EBADMSG;
                if (!(pairs[n++] = str_format("%s=%s", key, json_string_value(value))))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(pairs);
        return 0;
}

static void *at(const void *base, size_t offset) {
        return (char *) base + offset;
}

/* Room for `n` items of a list that is read anew. */
static int array_room(const JsonField *f, void *target, size_t n) {
        char **items = at(target, f->offset);

        *items = calloc(MAX(n, (size_t) 1), f->size);
        return *items ? 0 : -ENOMEM;
}

static int load_array(const json_t *value, const JsonField *f, void *target, Error *reterr) {
        size_t n = json_array_size(value), *count = at(target, f->count_offset);
        char **items = at(target, f->offset);

        if (!json_is_array(value))
                return -EBADMSG;
        if (array_room(f, target, n) < 0)
                return -ENOMEM;
        for (*count = 0; *count < n; ++*count) {
                int r = json_fields_load(json_array_get(value, *count), f->fields, *items + *count * f->size, reterr);
                if (r < 0) {
                        ++*count; /* the half-filled one is freed with the rest */
                        return r;
                }
        }
        return 0;
}

static int load_map(const json_t *value, const JsonField *f, void *target, Error *reterr) {
        size_t *count = at(target, f->count_offset);
        char **items = at(target, f->offset);
        const char *key;
        json_t *member;

        if (!json_is_object(value))
                return -EBADMSG;
        if (array_room(f, target, json_object_size(value)) < 0)
                return -ENOMEM;
        json_object_foreach((json_t *) value, key, member) {
                char *item = *items + (*count)++ * f->size; /* a half-filled one is freed with the rest */
                int r = str_replace(at(item, f->key_offset), key);

                if (r >= 0)
                        r = json_fields_load(member, f->fields, item, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_numbers(const json_t *value, const JsonField *f, void *target) {
        size_t n = json_array_size(value), *count = at(target, f->count_offset);
        uint32_t *numbers;

        if (!json_is_array(value))
                return -EBADMSG;
        *(uint32_t **) at(target, f->offset) = numbers = calloc(MAX(n, (size_t) 1), sizeof(uint32_t));
        if (!numbers)
                return -ENOMEM;
        for (*count = 0; *count < n; ++*count) {
                const json_t *item = json_array_get(value, *count);

                if (!json_is_integer(item) || json_store_integer(JSON_FIELD_UINT32, json_integer_value(item), &numbers[*count]) < 0)
                        return -EBADMSG;
        }
        return 0;
}

int json_store_integer(JsonFieldType type, int64_t n, void *to) {
        switch (type) {
        case JSON_FIELD_INT64:
                *(int64_t *) to = n;
                return 0;
        case JSON_FIELD_UINT64:
                *(uint64_t *) to = (uint64_t) n; /* saved as the same bits */
                return 0;
        case JSON_FIELD_UNSIGNED:
                *(uint64_t *) to = (uint64_t) n;
                return n < 0 ? -EBADMSG : 0;
        case JSON_FIELD_INT:
                *(int *) to = (int) n;
                return n < INT32_MIN || n > INT32_MAX ? -EBADMSG : 0;
        default:
                *(uint32_t *) to = (uint32_t) n;
                return n < 0 || n > UINT32_MAX ? -EBADMSG : 0;
        }
}

static int load_field(const json_t *value, const JsonField *f, void *target, Error *reterr) {
        void *to = at(target, f->offset);

        switch (f->type) {
        case JSON_FIELD_STRING:
                return json_is_string(value) ? str_replace(to, json_string_value(value)) : -EBADMSG;
        case JSON_FIELD_STRV:
        case JSON_FIELD_PAIRS: {
                char **v;
                int r = f->type == JSON_FIELD_STRV ? json_to_strv(value, &v) : json_to_pairs(value, &v);
                if (r < 0)
                        return r;
                strv_free(*(char ***) to);
                *(char ***) to = v;
                return 0;
        }
        case JSON_FIELD_BOOL:
                *(bool *) to = json_is_true(value);
                return json_is_boolean(value) ? 0 : -EBADMSG;
        case JSON_FIELD_OBJECT:
                return json_fields_load(value, f->fields, to, reterr);
        case JSON_FIELD_ARRAY:
                return load_array(value, f, target, reterr);
        case JSON_FIELD_MAP:
                return load_map(value, f, target, reterr);
        case JSON_FIELD_UINT32S:
                return load_numbers(value, f, target);
        case JSON_FIELD_PRESENT:
                *(bool *) to = true;
                return 0;
        default:
                return json_is_integer(value) ? json_store_integer(f->type, json_integer_value(value), to) : -EBADMSG;
        }
}

int json_fields_load(const json_t *object, const JsonField *fields, void *target, Error *reterr) {
        if (!json_is_object(object))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "not a JSON object");
        for (const JsonField *f = fields; f->name; f++) {
                const json_t *value = json_object_get(object, f->name);

                if (!value || json_is_null(value))
                        continue;
                if (f->present_offset)
                        *(bool *) at(target, f->present_offset) = true;
                int r = load_field(value, f, target, reterr);
                if (r == -ENOMEM)
                        return error_oom(reterr);
                if (r < 0)
                        return reterr && reterr->message
                                       ? error_prefix(reterr, r, "%s", f->name)
                                       : error_set(reterr, r, ERROR_CORRUPT, "%s: not of the right type", f->name);
        }
        return 0;
}

static json_t *save_array(const JsonField *f, const void *source) {
        const char *items = *(char **) at(source, f->offset);
        size_t n = *(size_t *) at(source, f->count_offset);
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(array, json_fields_save(f->fields, items + i * f->size)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *save_map(const JsonField *f, const void *source) {
        const char *items = *(char **) at(source, f->offset);
        size_t n = *(size_t *) at(source, f->count_offset);
        _cleanup_json_ json_t *object = json_object();

        for (size_t i = 0; i < n; i++) {
                const char *item = items + i * f->size;

                if (json_object_set_new_nocheck(object, *(char *const *) at(item, f->key_offset), json_fields_save(f->fields, item)) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *save_numbers(const JsonField *f, const void *source) {
        const uint32_t *numbers = *(uint32_t **) at(source, f->offset);
        size_t n = *(size_t *) at(source, f->count_offset);
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(array, json_integer(numbers[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static json_t *save_list(const JsonField *f, const void *source) {
        return f->type == JSON_FIELD_ARRAY ? save_array(f, source) : f->type == JSON_FIELD_MAP ? save_map(f, source) : save_numbers(f, source);
}

/* The value of a field; *ret_skip where it is empty and left out. */
static json_t *save_field(const JsonField *f, const void *source, bool *ret_skip) {
        const void *from = at(source, f->offset);
        bool given = f->present_offset && *(bool *) at(source, f->present_offset); /* then a zero is written, too */
        int64_t n;

        *ret_skip = false;
        switch (f->type) {
        case JSON_FIELD_STRING:
                *ret_skip = !*(char *const *) from;
                return *ret_skip ? NULL : json_text(*(char *const *) from);
        case JSON_FIELD_STRV:
        case JSON_FIELD_PAIRS:
                *ret_skip = !*(char **const *) from;
                if (*ret_skip)
                        return NULL;
                return f->type == JSON_FIELD_STRV ? json_from_strv(*(char **const *) from)
                                                  : json_from_pairs(*(char **const *) from);
        case JSON_FIELD_BOOL:
                *ret_skip = !*(const bool *) from && !given;
                return *ret_skip ? NULL : json_boolean(*(const bool *) from);
        case JSON_FIELD_PRESENT:
                *ret_skip = true;
                return NULL;
        case JSON_FIELD_OBJECT:
                *ret_skip = f->present_offset && !given;
                return *ret_skip ? NULL : json_fields_save(f->fields, from);
        case JSON_FIELD_ARRAY:
        case JSON_FIELD_MAP:
        case JSON_FIELD_UINT32S:
                *ret_skip = *(size_t *) at(source, f->count_offset) == 0;
                return *ret_skip ? NULL : save_list(f, source);
        case JSON_FIELD_INT64:
                n = *(const int64_t *) from;
                break;
        case JSON_FIELD_UINT64:
        case JSON_FIELD_UNSIGNED:
                n = (int64_t) *(const uint64_t *) from;
                if (n < 0 && f->type == JSON_FIELD_UNSIGNED)
                        return NULL;
                break;
        case JSON_FIELD_INT:
                n = *(const int *) from;
                break;
        default:
                n = *(const uint32_t *) from;
        }
        *ret_skip = n == 0 && !given;
        return *ret_skip ? NULL : json_integer(n);
}

json_t *json_fields_save(const JsonField *fields, const void *source) {
        _cleanup_json_ json_t *object = json_object();

        for (const JsonField *f = fields; f->name; f++) {
                bool skip;
                json_t *value = save_field(f, source, &skip);

                if (!skip && json_object_set_new_nocheck(object, f->name, value) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static void list_done(const JsonField *f, void *target) {
        char **items = at(target, f->offset);
        size_t *count = at(target, f->count_offset);

        for (size_t i = 0; i < *count && f->type != JSON_FIELD_UINT32S; i++) {
                json_fields_done(f->fields, *items + i * f->size);
                if (f->type == JSON_FIELD_MAP)
                        free(*(char **) at(*items + i * f->size, f->key_offset));
        }
        free(*items);
        *items = NULL;
        *count = 0;
}

void json_fields_done(const JsonField *fields, void *target) {
        for (const JsonField *f = fields; f->name; f++) {
                void *to = at(target, f->offset);

                switch (f->type) {
                case JSON_FIELD_STRING:
                        free(*(char **) to);
                        *(char **) to = NULL;
                        break;
                case JSON_FIELD_STRV:
                case JSON_FIELD_PAIRS:
                        strv_free(*(char ***) to);
                        *(char ***) to = NULL;
                        break;
                case JSON_FIELD_OBJECT:
                        json_fields_done(f->fields, to);
                        break;
                case JSON_FIELD_ARRAY:
                case JSON_FIELD_MAP:
                case JSON_FIELD_UINT32S:
                        list_done(f, target);
                        break;
                default:
                        break;
                }
                if (f->present_offset)
                        *(bool *) at(target, f->present_offset) = false;
        }
}
