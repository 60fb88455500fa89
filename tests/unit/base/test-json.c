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
