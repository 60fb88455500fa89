/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "spec/digest.h"
#include "spec/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(names_become_full_names) {
        static const char *const rows[][2] = {
                { "busybox", "docker.io/library/busybox:latest" },
                { "library/busybox:1", "docker.io/library/busybox:1" },
                { "docker.io/busybox", "docker.io/library/busybox:latest" },
                { "index.docker.io/busybox", "docker.io/library/busybox:latest" },
                { "localhost/web", "localhost/web:latest" },
                { "localhost:5000/a/b:v1.2_3-x", "localhost:5000/a/b:v1.2_3-x" },
                { "quay.io/a__b/c-d.e", "quay.io/a__b/c-d.e:latest" },
                { "[::1]:80/x", "[::1]:80/x:latest" },
                { "REG.example/x", "REG.example/x:latest" },
                { "a@sha256:" HEX, "docker.io/library/a:latest" },
                { "1:2", "docker.io/library/1:2" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_reference_ Reference reference = {};

                CHECK_INT(reference_parse(rows[i][0], &reference, NULL), 0);
                _cleanup_free_ char *full = reference_full(&reference, DOCKER_DOMAIN);
                CHECK_STR(full, rows[i][1]);
        }
}

TEST(what_is_not_a_name_is_refused) {
        static const char *const rows[] = {
                "", ":", ":a", "a:", "A", "a/B", "-a", "a-", "a..b", "a/../b", "../a", "/a", "a/", "a//b", "a b", "a\n", "a\033[1m",
                "a:b:c", "a:-x", "a:.x", "registry.local@evil", "localhost:5000#x/a", "localhost:0/a", "localhost:65536/a",
                "localhost:/a", "a@sha256:12", "a@md5:" HEX, "a@sha512:" HEX HEX, "caf\303\251", "a___b", "a._b", HEX,
                "x.-y/a", "https://a/b", "[::1/x",
                "a:" HEX HEX "x", HEX HEX HEX "/" HEX,
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_reference_ Reference reference = {};
                int r = reference_parse(rows[i], &reference, NULL);

                if (r != -EINVAL)
                        test_note("taken: '%s'", rows[i]);
                CHECK_INT(r, -EINVAL);
        }
}

TEST(names_made_here_are_local) {
        _cleanup_free_ char *full = NULL;

        CHECK_INT(reference_normalise_local("web", &full, NULL), 0);
        CHECK_STR(full, "localhost/web:latest");
        free(TAKE_PTR(full));
        CHECK_INT(reference_normalise_local("a/b:c", &full, NULL), 0);
        CHECK_STR(full, "localhost/a/b:c");
        CHECK_INT(reference_normalise_local("a@sha256:" HEX, &full, NULL), -EINVAL);
}

TEST(only_whole_sha256_digests_pass) {
        CHECK(digest_is_valid("sha256:" HEX));
        CHECK(!digest_is_valid("sha256:" HEX "0"));
        CHECK(!digest_is_valid("sha256:../../../../../../../../../../../../../../../../../../../../x"));
        CHECK(!digest_is_valid("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
        CHECK(!digest_is_valid(NULL));
        CHECK_STR(digest_hex("sha256:" HEX), HEX);
        CHECK_INT(digest_check("sha512:" HEX HEX, "x", NULL), -EOPNOTSUPP);
}
