/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "registry/curl-library.h"
#include "registry/header.h"

TEST(a_bearer_challenge) {
        _cleanup_challenges_ Challenges c = {};

        CHECK_INT(challenges_parse("Bearer realm=\"https://auth.example/token\",service=\"reg \\\"x\\\"\", scope=\"repository:a/b:pull,push\"", &c), 0);
        CHECK_INT(c.n, 1);
        CHECK_INT(c.items[0].scheme, AUTH_BEARER);
        CHECK_STR(c.items[0].realm, "https://auth.example/token");
        CHECK_STR(c.items[0].service, "reg \"x\"");
        CHECK_STR(c.items[0].scope, "repository:a/b:pull,push");
        CHECK_STR(c.items[0].error, NULL);
}

TEST(several_challenges_in_one_field) {
        _cleanup_challenges_ Challenges c = {};

        CHECK_INT(challenges_parse("Negotiate YII=, Basic realm=\"a, b\" , BEARER Realm=https ,error = insufficient_scope", &c), 0);
        CHECK_INT(c.n, 3);
        CHECK_INT(c.items[0].scheme, AUTH_OTHER);
        CHECK_INT(c.items[1].scheme, AUTH_BASIC);
        CHECK_STR(c.items[1].realm, "a, b");
        CHECK_STR(c.items[2].realm, "https");
        CHECK_STR(c.items[2].error, "insufficient_scope");
        CHECK(challenges_choose(&c) == c.items + 2);
}

TEST(challenges_that_are_none) {
        static const char *const bad[] = {
                "Bearer realm=\"no end", "Bearer realm=\"a\\", "Bearer realm=\"a\" service=\"b\"", "Basic realm=\"a\nb\"", "Bearer realm=\"a\",realm=\"b\"",
                "\"Bearer\"", "Bearer =x", "Basic tok,en x y", "a,b,c,d,e,f,g,h,i",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_challenges_ Challenges c = {};

                test_note("%zu", i);
                CHECK_INT(challenges_parse(bad[i], &c), -EBADMSG);
        }
        _cleanup_challenges_ Challenges none = {};
        CHECK_INT(challenges_parse("", &none), 0);
        CHECK(!challenges_choose(&none));
}

TEST(content_ranges) {
        static const struct {
                const char *value;
                int r;
                uint64_t first, last, total;
        } rows[] = {
                { "bytes 0-0/1", 0, 0, 0, 1 },
                { "bytes 5-9/10", 0, 5, 9, 10 },
                { "bytes 5-9/*", 0, 5, 9, UINT64_MAX },
                { "bytes 18446744073709551613-18446744073709551614/18446744073709551615", 0, UINT64_MAX - 2, UINT64_MAX - 1, UINT64_MAX },
                { "bytes 5-9/9", -EBADMSG, 0, 0, 0 },
                { "bytes 5-4/9", -EBADMSG, 0, 0, 0 },
                { "bytes 5-9", -EBADMSG, 0, 0, 0 },
                { "bytes 5-9/", -EBADMSG, 0, 0, 0 },
                { "bytes 5/9", -EBADMSG, 0, 0, 0 },
                { "bytes */9", -EBADMSG, 0, 0, 0 },
                { "bytes -5-9/10", -EBADMSG, 0, 0, 0 },
                { "bytes +5-9/10", -EBADMSG, 0, 0, 0 },
                { "bytes  5-9/10", -EBADMSG, 0, 0, 0 },
                { "bytes 5-9/10 ", -EBADMSG, 0, 0, 0 },
                { "bytes 5-9/10,11-12/13", -EBADMSG, 0, 0, 0 },
                { "bytes 5-18446744073709551616/*", -EBADMSG, 0, 0, 0 },
                { "bytes 5-18446744073709551615/*", -EBADMSG, 0, 0, 0 },
                { "octets 5-9/10", -EBADMSG, 0, 0, 0 },
                { "", -EBADMSG, 0, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t first = 0, last = 0, total = 0;

                test_note("%s", rows[i].value);
                CHECK_INT(content_range_parse(rows[i].value, &first, &last, &total), rows[i].r);
                CHECK(first == rows[i].first && last == rows[i].last && total == rows[i].total);
        }
}

TEST(times_to_wait) {
        uint64_t s = 0;

        CHECK_INT(curl_library_load(NULL), 0);
        CHECK_INT(retry_after_parse("7", 0, &s), 0);
        CHECK_INT(s, 7);
        CHECK_INT(retry_after_parse("99999999999999999999999", 0, &s), 0);
        CHECK(s == UINT64_MAX);
        CHECK_INT(retry_after_parse("Thu, 01 Jan 1970 00:01:00 GMT", 20, &s), 0);
        CHECK_INT(s, 40);
        CHECK_INT(retry_after_parse("Thu, 01 Jan 1970 00:01:00 GMT", 100, &s), 0);
        CHECK_INT(s, 0);
        CHECK_INT(retry_after_parse("-1", 0, &s), -EBADMSG);
        CHECK_INT(retry_after_parse("soon", 0, &s), -EBADMSG);
        CHECK_INT(retry_after_parse("", 0, &s), -EBADMSG);
}

TEST(links_to_a_next_page) {
        static const struct {
                const char *value;
                int r;
                const char *target;
        } rows[] = {
                { "</v2/_catalog?last=a&n=5>; rel=\"next\"", 0, "/v2/_catalog?last=a&n=5" },
                { "<a>; rel=prev, <b>;title=\"x, y\"; rel=next", 0, "b" },
                { "<a>; rel=prev", -ENOENT, NULL },
                { "", -ENOENT, NULL },
                { "<a; rel=next", -EBADMSG, NULL },
                { "a; rel=next", -EBADMSG, NULL },
                { "<a>; rel=\"next", -EBADMSG, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *target = NULL;

                test_note("%s", rows[i].value);
                CHECK_INT(link_next_parse(rows[i].value, &target), rows[i].r);
                CHECK(str_equal(target, rows[i].target));
        }
}
