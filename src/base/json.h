/* SPDX-License-Identifier: Apache-2.0 */
/* JSON over jansson: bounded and strict reading, and structs that are read, written, copied and freed by one table of
 * their fields. Duplicate keys are refused, depth is bounded, unknown keys of our own records are kept out of the way. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

enum {
        JSON_DEPTH_LIMIT = 64,
        JSON_RECORD_LIMIT = 8 * 1024 * 1024, /* bytes of one of our own records */
};

#define _cleanup_json_ _cleanup_(json_decrefp)

/* Parses text; `what` names it in the message. Returns a new reference in ret. -EBADMSG when it is not valid. */
int json_parse(const char *text, size_t size, const char *what, json_t **ret, Error *reterr);

/* Reads and parses a file (see file_read()). -ENOENT is returned without a message. */
int json_read(int dir_fd, const char *name, size_t limit, json_t **ret, Error *reterr);

/* Writes a file atomically, compact, with a final newline. Keys keep the order in which they were set. -EFBIG: it would be larger than
 * `limit`, JSON_RECORD_LIMIT for the second, and nobody could read it; nothing was written. */
int json_write_within(int dir_fd, const char *name, size_t limit, const json_t *json, mode_t mode, FileDurability durability,
                      Error *reterr);
int json_write(int dir_fd, const char *name, const json_t *json, mode_t mode, FileDurability durability, Error *reterr);

/* A check sum of all that is in the object, as its last key: what a flipped bit does to a text that stays valid is found. */
int json_seal(json_t *object);

/* Whether it is right: 1; 0 where there is none; -EBADMSG. */
int json_seal_check(const json_t *object);

/* Borrowed string or integer at a key, or the default when it is not there or of another type. */
const char *json_get_string(const json_t *object, const char *key);
int64_t json_get_integer(const json_t *object, const char *key, int64_t otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);

/* An array of strings from a vector (empty array for NULL), and back (*ret is NULL for null and for an empty array). */
json_t *json_from_strv(char *const *v);
int json_to_strv(const json_t *array, char ***ret);

/* An object from "KEY=VALUE" words (a missing '=' is an empty value), and back. */
json_t *json_from_pairs(char *const *pairs);
int json_to_pairs(const json_t *object, char ***ret);

/* A string that may hold bytes which are not UTF-8: those are written as U+FFFD. */
json_t *json_text(const char *s);

typedef enum JsonFieldType {
        JSON_FIELD_STRING,  /* char *, NULL is left out */
        JSON_FIELD_STRV,    /* char **, NULL is left out */
        JSON_FIELD_PAIRS,   /* char ** of "KEY=VALUE" <-> an object */
        JSON_FIELD_BOOL,    /* bool, false is left out */
        JSON_FIELD_INT64,   /* int64_t, 0 is left out */
        JSON_FIELD_UINT64,  /* uint64_t, 0 is left out; what is above INT64_MAX stands as the negative number of the same bits */
        JSON_FIELD_UNSIGNED, /* uint64_t, nothing negative: for texts of others. What is above INT64_MAX can be read, not saved */
        JSON_FIELD_INT,     /* int, 0 is left out */
        JSON_FIELD_UINT32,  /* uint32_t, 0 is left out */
        JSON_FIELD_UINT32S, /* uint32_t * <-> an array of numbers; their size_t number stands at `count_offset` */
        JSON_FIELD_PRESENT, /* bool: the key is there, with anything but null; not saved */
        JSON_FIELD_OBJECT,  /* a struct inside, by `fields` */
        JSON_FIELD_ARRAY,   /* pointer to `size`-byte structs by `fields`; their size_t number stands at `count_offset` */
        JSON_FIELD_MAP,     /* the same from an object of objects; the key goes to the struct's char * at `key_offset` */
} JsonFieldType;

typedef struct JsonField {
        const char *name; /* NULL ends the table */
        JsonFieldType type;
        size_t offset;
        const struct JsonField *fields;
        size_t size, count_offset, key_offset;
        size_t present_offset; /* of a bool that tells a zero that was given from one that was not; 0: there is none */
} JsonField;

#define JSON_FIELD(struct_type, member, field_name, field_type) \
        { .name = (field_name), .type = (field_type), .offset = offsetof(struct_type, member) }
#define JSON_FIELD_OBJECT_OF(struct_type, member, field_name, table) \
        { .name = (field_name), .type = JSON_FIELD_OBJECT, .offset = offsetof(struct_type, member), .fields = (table) }
/* `flag` is set when the key is there with anything but null, and the field is saved if it is set, whatever the value. It
 * cannot be the struct's first member. */
#define JSON_FIELD_GIVEN(struct_type, member, flag, field_name, field_type)                                      \
        { .name = (field_name), .type = (field_type), .offset = offsetof(struct_type, member),                     \
          .present_offset = offsetof(struct_type, flag) }
#define JSON_FIELD_OBJECT_GIVEN(struct_type, member, flag, field_name, table)                                    \
        { .name = (field_name), .type = JSON_FIELD_OBJECT, .offset = offsetof(struct_type, member), .fields = (table), \
          .present_offset = offsetof(struct_type, flag) }
/* An object of the text whose fields stand in the struct itself: `table` counts from its beginning. */
#define JSON_FIELD_OBJECT_FLAT(field_name, table) { .name = (field_name), .type = JSON_FIELD_OBJECT, .fields = (table) }
/* `member` is the pointer, `n_member` the count. */
#define JSON_FIELD_ARRAY_OF(struct_type, member, n_member, field_name, table)                                    \
        { .name = (field_name), .type = JSON_FIELD_ARRAY, .offset = offsetof(struct_type, member), .fields = (table), \
          .size = sizeof(*((struct_type *) 0)->member), .count_offset = offsetof(struct_type, n_member) }
#define JSON_FIELD_UINT32S_OF(struct_type, member, n_member, field_name)                                         \
        { .name = (field_name), .type = JSON_FIELD_UINT32S, .offset = offsetof(struct_type, member),               \
          .count_offset = offsetof(struct_type, n_member) }
/* `key` is the item's member for its name: owned like the others, and not in `table`. */
#define JSON_FIELD_MAP_OF(struct_type, member, n_member, item_type, key, field_name, table)                      \
        { .name = (field_name), .type = JSON_FIELD_MAP, .offset = offsetof(struct_type, member), .fields = (table), \
          .size = sizeof(item_type), .count_offset = offsetof(struct_type, n_member), .key_offset = offsetof(item_type, key) }

/* Fills a struct (which must be empty, or hold what is to be replaced) from an object. A value of the wrong type is
 * -EBADMSG with its path; keys that the table does not know are passed over, so that older programs read newer records. */
int json_fields_load(const json_t *object, const JsonField *fields, void *target, Error *reterr);

/* The same straight from the text, or from a file as json_read() has it (-ENOENT without a message), without a tree in
 * between. Known keys that come twice are refused; what unknown keys hold is checked in its form only. */
int json_fields_parse(const char *text, size_t size, const JsonField *fields, void *target, Error *reterr);
int json_fields_read(int dir_fd, const char *name, size_t limit, const JsonField *fields, void *target, Error *reterr);

/* Puts a number into a field of an integer type; -EBADMSG where it does not fit. For the two readers of records. (What is
 * above INT64_MAX is the text reader's own business.) */
int json_store_integer(JsonFieldType type, int64_t n, void *to);

/* The struct as a new object, or NULL when out of memory. */
json_t *json_fields_save(const JsonField *fields, const void *source);

/* Frees all that the fields own and zeroes them. */
void json_fields_done(const JsonField *fields, void *target);
