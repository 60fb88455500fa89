/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
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
