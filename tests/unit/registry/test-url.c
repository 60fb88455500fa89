/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "registry/curl-library.h"
#include "registry/url.h"

static bool same(const char *a, const char *b) {
        _cleanup_url_ Url x = {}, y = {};

        return url_parse(a, NULL, &x) >= 0 && url_parse(b, NULL, &y) >= 0 && url_same_origin(&x, &y);
}

TEST(origins) {
        CHECK_INT(curl_library_load(NULL), 0);
        CHECK(same("https://a.example/x", "https://A.Example:443/y?z"));
        CHECK(!same("https://a.example/", "http://a.example:443/"));
        CHECK(!same("https://a.example/", "https://a.example:5000/"));
        CHECK(!same("https://localhost/", "https://127.0.0.1/"));
        CHECK(!same("https://a.example/", "https://a.example.evil/"));
}

TEST(relative_addresses) {
        _cleanup_url_ Url base = {}, url = {};

        CHECK_INT(curl_library_load(NULL), 0);
        CHECK_INT(url_parse("https://a.example/v2/x/blobs/uploads/?n=1", NULL, &base), 0);
        CHECK_INT(url_parse("/v2/y#f", &base, &url), 0);
        CHECK_STR(url.text, "https://a.example/v2/y");
        url_done(&url);
        CHECK_INT(url_parse("//b.example/z", &base, &url), 0);
        CHECK_STR(url.host, "b.example");
        CHECK(url.https);
        CHECK_INT(url_add_query(&url, "digest", "sha256:a&b"), 0);
        CHECK_STR(url.text, "https://b.example/z?digest=sha256%3aa%26b");
}

TEST(addresses_that_are_refused) {
        CHECK_INT(curl_library_load(NULL), 0);
        static const char *const bad[] = {
                "ftp://a/", "file:///etc/passwd", "gopher://a/", "scp://a/", "https://user@a.example/", "https://u:p@a.example/", "https://", "nothing", "",
                "https://a.example:99999/", "javascript:1",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_url_ Url url = {};

                test_note("%s", bad[i]);
                CHECK_INT(url_parse(bad[i], NULL, &url), -EBADMSG);
        }
}

TEST(who_may_see_a_password) {
        static const struct {
                const char *registry, *realm;
                bool related;
        } rows[] = {
                { "registry-1.docker.io", "auth.docker.io", true },
                { "registry.gitlab.com", "gitlab.com", true },
                { "localhost", "localhost", true },
                { "localhost", "127.0.0.1", false },
                { "127.0.0.1", "127.0.0.1", true },
                { "10.0.0.1", "11.0.0.1", false },
                { "a.b.example", "evil-b.example", false },
                { "b.example", "b.example.evil", false },
                { "registry.co.uk", "evil.co.uk", false },
                { "a.firm.co.uk", "b.firm.co.uk", true },
                { "ghcr.io", "evil.io", false },
                { "[::1]", "[::1]", true },
                { "[fe80::1]", "[fe80::2]", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                test_note("%s %s", rows[i].registry, rows[i].realm);
                CHECK_INT(url_related_hosts(rows[i].registry, rows[i].realm), rows[i].related);
        }
}
