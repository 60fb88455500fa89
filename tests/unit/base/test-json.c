/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"

typedef struct Inner {
        char *word;
        uint32_t number;
} Inner;

typedef struct Outer {
        char *text;
        char **list, **pairs;
        bool flag;
        int64_t big;
        Inner *inner;
        size_t n_inner;
} Outer;

static const JsonField inner_fields[] = {
        JSON_FIELD(Inner, word, "word", JSON_FIELD_STRING),
        JSON_FIELD(Inner, number, "number", JSON_FIELD_UINT32),
        {},
};

static const JsonField outer_fields[] = {
        JSON_FIELD(Outer, text, "text", JSON_FIELD_STRING),
        JSON_FIELD(Outer, list, "list", JSON_FIELD_STRV),
        JSON_FIELD(Outer, pairs, "pairs", JSON_FIELD_PAIRS),
        JSON_FIELD(Outer, flag, "flag", JSON_FIELD_BOOL),
        JSON_FIELD(Outer, big, "big", JSON_FIELD_INT64),
        JSON_FIELD_ARRAY_OF(Outer, inner, n_inner, "inner", inner_fields),
        {},
};

TEST(fields_go_round) {
        static const char text[] = "{\"text\":\"a\",\"list\":[\"x\",\"\"],\"pairs\":{\"k\":\"v=w\"},\"flag\":true,"
                                   "\"big\":-5,\"inner\":[{\"word\":\"w\",\"number\":4294967295},{}],\"later\":[1]}";
        _cleanup_json_ json_t *json = NULL, *saved = NULL;
        Outer outer = {};

        CHECK_INT(json_parse(text, strlen(text), "text", &json, NULL), 0);
        CHECK_INT(json_fields_load(json, outer_fields, &outer, NULL), 0);
        CHECK_STR(outer.list[1], "");
        CHECK_STR(outer.pairs[0], "k=v=w");
        CHECK_INT(outer.n_inner, 2);
        CHECK_INT(outer.inner[0].number, 4294967295);
        CHECK_STR(outer.inner[1].word, NULL);
        saved = json_fields_save(outer_fields, &outer);
        CHECK_INT(json_object_del(json, "later"), 0);
        CHECK(json_equal(json, saved));
        json_fields_done(outer_fields, &outer);
        CHECK(!outer.inner && !outer.text && !outer.pairs);
}

TEST(wrong_types_name_their_path) {
        static const char text[] = "{\"inner\":[{\"number\":-1}]}";
        _cleanup_json_ json_t *json = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        Outer outer = {};

        CHECK_INT(json_parse(text, strlen(text), "text", &json, NULL), 0);
        CHECK_INT(json_fields_load(json, outer_fields, &outer, &error), -EBADMSG);
        CHECK_STR(error.message, "inner: number: not of the right type");
        json_fields_done(outer_fields, &outer);
}

TEST(hostile_json_is_refused) {
        char deep[200];
        json_t *json;

        memset(deep, '[', 100);
        memset(deep + 100, ']', 100);
        CHECK_INT(json_parse(deep, sizeof(deep), "deep", &json, NULL), -EBADMSG);
        CHECK_INT(json_parse("{\"a\":1,\"a\":2}", 13, "double", &json, NULL), -EBADMSG);
        CHECK_INT(json_parse("", 0, "empty", &json, NULL), -EBADMSG);
}

TEST(what_could_not_be_read_again_is_not_written) {
        _cleanup_fd_ int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_json_ json_t *json = json_object(), *again = NULL;
        char *text = calloc(JSON_RECORD_LIMIT, 1);

        memset(text, 'a', JSON_RECORD_LIMIT - strlen("{\"a\":\"\"}\n"));
        (void) json_object_set_new(json, "a", json_string(text));
        CHECK_INT(json_write(dir, "record", json, 0600, FILE_VOLATILE, NULL), 0);
        CHECK_INT(json_read(dir, "record", JSON_RECORD_LIMIT, &again, NULL), 0);
        CHECK(json_equal(again, json));
        text[strlen(text)] = 'a';
        (void) json_object_set_new(json, "a", json_string(text));
        CHECK_INT(json_write(dir, "record", json, 0600, FILE_VOLATILE, NULL), -EFBIG);
        json_decref(TAKE_PTR(again));
        CHECK_INT(json_read(dir, "record", JSON_RECORD_LIMIT, &again, NULL), 0);
        CHECK_INT(json_write_within(dir, "record", JSON_RECORD_LIMIT + 1, json, 0600, FILE_VOLATILE, NULL), 0);
        CHECK_INT(unlinkat(dir, "record", 0), 0);
        free(text);
}

/* The text as a record by both readers: what they return, and that they agree. */
static int both(const char *text) {
        _cleanup_json_ json_t *json = NULL, *one = NULL, *other = NULL;
        Outer by_text = {}, by_tree = {};
        int a = json_fields_parse(text, strlen(text), outer_fields, &by_text, NULL);
        int b = json_parse(text, strlen(text), "text", &json, NULL);

        if (b >= 0)
                b = json_fields_load(json, outer_fields, &by_tree, NULL);
        one = json_fields_save(outer_fields, &by_text);
        other = json_fields_save(outer_fields, &by_tree);
        bool same = a < 0 || json_equal(one, other);
        json_fields_done(outer_fields, &by_text);
        json_fields_done(outer_fields, &by_tree);
        CHECK_INT(a, b);
        CHECK(same);
        return a;
}

TEST(records_are_read_without_a_tree) {
        static const char *const good[] = {
                "{}", " {\n} ", "{\"text\":\"a\"}", "{\"text\":null,\"flag\":false}", "{\"later\":[1,2.5e-3,{\"a\":null}],\"flag\":true}",
                "{\"big\":-9223372036854775808}", "{\"big\":9223372036854775807}", "{\"big\":-0}", "{\"list\":[]}",
                "{\"list\":[\"a\",\"\",\"b\\u00e9\\ud83d\\ude00\\n\"]}", "{\"pairs\":{\"a\":\"1\",\"a=b\":\"2\"}}", "{\"te\\u0078t\":\"x\"}",
                "{\"inner\":[{\"word\":\"w\",\"number\":4294967295},{}],\"text\":\"\xc3\xa9\"}", "{\"inner\":[]}",
        };
        static const char *const bad[] = {
                "", "x", "[]", "null", "{", "{\"text\"}", "{\"text\":}", "{\"text\":\"a\",}", "{,}", "{\"text\":\"a\"", "{} x",
                "{\"text\":5}", "{\"text\":\"a\",\"text\":\"b\"}", "{\"list\":[\"a\",5]}", "{\"list\":\"a\"}", "{\"list\":[\"a\",]}",
                "{\"flag\":1}", "{\"flag\":truex}", "{\"big\":1.0}", "{\"big\":1e3}", "{\"big\":01}", "{\"big\":9223372036854775808}",
                "{\"big\":\"1\"}", "{\"inner\":[{\"number\":-1}]}", "{\"inner\":[{\"number\":4294967296}]}", "{\"inner\":{}}",
                "{\"pairs\":{\"a\":1}}", "{\"text\":\"\x01\"}", "{\"text\":\"\\q\"}", "{\"text\":\"\\u0000\"}", "{\"text\":\"\xff\"}",
                "{\"later\":[1}", "{\"later\":01}", "{\"later\":1.}", "{\"later\":nul}", "{\"text\":\"a\\",
        };
        char deep[200];

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                CHECK_INT(both(good[i]), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(both(bad[i]), -EBADMSG);
        (void) snprintf(deep, sizeof(deep), "{\"x\":%.*s1%.*s}", 70,
                        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 70,
                        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        CHECK_INT(both(deep), -EBADMSG);
}

TEST(a_wrong_type_in_a_record_names_its_path) {
        static const char text[] = "{\"inner\":[{\"number\":-1}]}";
        _cleanup_error_ Error error = ERROR_NULL;
        Outer outer = {};

        CHECK_INT(json_fields_parse(text, strlen(text), outer_fields, &outer, &error), -EBADMSG);
        CHECK_STR(error.message, "inner: number: not of the right type");
        json_fields_done(outer_fields, &outer);
}

typedef struct Given {
        char *first;
        uint32_t zero, none;
        bool has_zero, has_none, there, absent, flag, has_flag;
        uint64_t wide;
        uint32_t *numbers;
        size_t n_numbers;
        Inner *map;
        size_t n_map;
        Inner object;
        bool has_object, has_null;
        int64_t flat;
} Given;

static const JsonField flat_fields[] = { JSON_FIELD(Given, flat, "flat", JSON_FIELD_INT64), {} };
static const JsonField number_fields[] = { JSON_FIELD(Inner, number, "number", JSON_FIELD_UINT32), {} };
static const JsonField given_fields[] = {
        JSON_FIELD_GIVEN(Given, zero, has_zero, "zero", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(Given, none, has_none, "none", JSON_FIELD_UINT32),
        JSON_FIELD(Given, there, "there", JSON_FIELD_PRESENT),
        JSON_FIELD(Given, absent, "absent", JSON_FIELD_PRESENT),
        JSON_FIELD_GIVEN(Given, flag, has_flag, "flag", JSON_FIELD_BOOL),
        JSON_FIELD(Given, wide, "wide", JSON_FIELD_UNSIGNED),
        JSON_FIELD_UINT32S_OF(Given, numbers, n_numbers, "numbers"),
        JSON_FIELD_MAP_OF(Given, map, n_map, Inner, word, "map", number_fields),
        JSON_FIELD_OBJECT_GIVEN(Given, object, has_object, "object", inner_fields),
        JSON_FIELD_OBJECT_GIVEN(Given, object, has_null, "null", inner_fields),
        JSON_FIELD_OBJECT_FLAT("below", flat_fields),
        {},
};

/* The text by both readers, and that what is saved of it is `expect`. */
static void given_both(const char *text, const char *expect) {
        _cleanup_json_ json_t *json = NULL, *expected = NULL;

        CHECK_INT(json_parse(text, strlen(text), "text", &json, NULL), 0);
        CHECK_INT(json_parse(expect, strlen(expect), "expected", &expected, NULL), 0);
        for (int tree = 0; tree < 2; tree++) {
                _cleanup_json_ json_t *saved = NULL;
                Given given = {};

                if (tree)
                        CHECK_INT(json_fields_load(json, given_fields, &given, NULL), 0);
                else
                        CHECK_INT(json_fields_parse(text, strlen(text), given_fields, &given, NULL), 0);
                saved = json_fields_save(given_fields, &given);
                CHECK(json_equal(saved, expected));
                CHECK(given.there == !!json_object_get(json, "there"));
                CHECK(!given.absent && !given.has_none && !given.has_null);
                json_fields_done(given_fields, &given);
                CHECK(!given.numbers && !given.map && !given.has_zero);
        }
}

TEST(a_zero_that_was_given_is_told_from_none) {
        given_both("{\"below\":{}}", "{\"below\":{}}");
        given_both("{\"zero\":0,\"none\":null,\"flag\":false,\"object\":{},\"null\":null,\"absent\":null,\"below\":{\"flat\":-3},\"there\":[{}]}",
                   "{\"zero\":0,\"flag\":false,\"object\":{},\"below\":{\"flat\":-3}}");
        given_both("{\"numbers\":[],\"map\":{}}", "{\"below\":{}}");
        given_both("{\"numbers\":[0,4294967295,1,2,3,4,5],\"map\":{\"\\u00e9\":{\"number\":1},\"b\":{}},\"wide\":5}",
                   "{\"numbers\":[0,4294967295,1,2,3,4,5],\"map\":{\"\\u00e9\":{\"number\":1},\"b\":{}},\"wide\":5,\"below\":{}}");
}

TEST(what_does_not_fit_such_fields_is_refused) {
        static const char *const bad[] = {
                "{\"numbers\":[-1]}", "{\"numbers\":[1,4294967296]}", "{\"numbers\":{}}", "{\"numbers\":[1.5]}", "{\"map\":[]}",
                "{\"map\":{\"a\":1}}", "{\"map\":{\"a\":{\"number\":-1}}}", "{\"wide\":-1}", "{\"wide\":18446744073709551616}",
                "{\"object\":[]}", "{\"below\":1}", "{\"zero\":\"0\"}", "{\"there\":}",
        };
        Given given = {};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *json = NULL;

                CHECK_INT(json_fields_parse(bad[i], strlen(bad[i]), given_fields, &given, NULL), -EBADMSG);
                json_fields_done(given_fields, &given);
                if (json_parse(bad[i], strlen(bad[i]), "text", &json, NULL) >= 0)
                        CHECK_INT(json_fields_load(json, given_fields, &given, NULL), -EBADMSG);
                json_fields_done(given_fields, &given);
        }
        CHECK_INT(json_fields_parse("{\"wide\":18446744073709551615}", 29, given_fields, &given, NULL), 0);
        CHECK(given.wide == UINT64_MAX);
        CHECK(!json_fields_save(given_fields, &given));
}
