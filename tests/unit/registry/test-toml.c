/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "registry/toml.h"

static char *print(const char *text) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        if (toml_parse(text, "x.conf", &json, &error) < 0) {
                test_note("%s", error.message);
                return strdup(error.message);
        }
        return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
}

TEST(documents) {
        static const struct {
                const char *text, *json;
        } rows[] = {
                { "", "{}" },
                { "\xef\xbb\xbf# only a comment", "{}" },
                { "a = 1\r\nb=-2 # x\nc = true\n\"d e\" = 'f\\g'", "{\"a\":1,\"b\":-2,\"c\":true,\"d e\":\"f\\\\g\"}" },
                { "a = \"\\u00e4\\t\\\"\\\\\"", "{\"a\":\"\u00e4\\t\\\"\\\\\"}" },
                { "a = \"\"\"\none\\\n   two \"\" three\"\"\"", "{\"a\":\"onetwo \\\"\\\" three\"}" },
                { "a = '''\n'x' '''", "{\"a\":\"'x' \"}" },
                { "a = [ 1, # one\n 2,\n]\nb=[]", "{\"a\":[1,2],\"b\":[]}" },
                { "[a]\nx=1\n[b.c]\ny=2\n[b]\nz=3", "{\"a\":{\"x\":1},\"b\":{\"c\":{\"y\":2},\"z\":3}}" },
                { "[[r]]\nx=1\n[[r.m]]\ny=1\n[[r.m]]\ny=2\n[[r]]\nx=2\n[r.t]\nq=1", "{\"r\":[{\"m\":[{\"y\":1},{\"y\":2}],\"x\":1},{\"t\":{\"q\":1},\"x\":2}]}" },
                { "a.b = 1\na.c = 2", "{\"a\":{\"b\":1,\"c\":2}}" },
                { "a = {b = 1, \"c\" = [2]}", "{\"a\":{\"b\":1,\"c\":[2]}}" },
                { "a = 1_000", "{\"a\":1000}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *json = print(rows[i].text);

                CHECK_STR(json, rows[i].json);
        }
}

TEST(what_is_refused_names_its_line) {
        static const char *const bad[] = {
                "a = 1\na = 2", "a = 1 b = 2", "a", "a =", "a = \"x", "a = \"x\ny\"", "= 1", "[a", "[a]\n[a]", "[[a]\n", "a = 1\n[a]", "a = [1 2]",
                "a = [1", "a = {b=1,}", "a = {b=1\n}", "a = 1.5", "a = 2026-11-22", "a = \"\\x\"", "a = \"\\ud800\"", "a = \"\x01\"", "a = x",
                "a = {b=1}\na.c=2", "a=[]\n[[a]]", "a.b.c.d.e.f.g.h.i = 1", "a = \"\xff\"", "a = [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]",
                "[x]\n[[x]]", "\"\"\"a\"\"\" = 1",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *message = print(bad[i]);

                CHECK(str_after(message, "cannot use 'x.conf': line "));
        }
}
