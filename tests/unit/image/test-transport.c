/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "image/transport.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(words_become_transports) {
        static const struct {
                const char *text;
                TransportKind kind;
                const char *path, *reference;
        } rows[] = {
                { "busybox", TRANSPORT_DOCKER, NULL, "busybox" },
                { "localhost:5000/a:1", TRANSPORT_DOCKER, NULL, "localhost:5000/a:1" },
                { "docker://quay.io/a/b", TRANSPORT_DOCKER, NULL, "quay.io/a/b" },
                { "containers-storage:x:1", TRANSPORT_STORAGE, NULL, "x:1" },
                { "oci:/a/b", TRANSPORT_OCI, "/a/b", NULL },
                { "oci:/a/b:", TRANSPORT_OCI, "/a/b", NULL },
                { "oci:/a/b:image:tag", TRANSPORT_OCI, "/a/b", "image:tag" },
                { "oci-archive:f.tar:x", TRANSPORT_OCI_ARCHIVE, "f.tar", "x" },
                { "docker-archive:f.tar", TRANSPORT_DOCKER_ARCHIVE, "f.tar", NULL },
                { "docker-archive:f.tar:a/b:1", TRANSPORT_DOCKER_ARCHIVE, "f.tar", "a/b:1" },
                { "docker-archive:f.tar:@2", TRANSPORT_DOCKER_ARCHIVE, "f.tar", "@2" },
                { "dir:a:b", TRANSPORT_DIRECTORY, "a:b", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_transport_ Transport t = {};

                CHECK_INT(transport_parse(rows[i].text, &t, NULL), 0);
                CHECK_INT(t.kind, rows[i].kind);
                CHECK(str_equal(t.path, rows[i].path));
                CHECK(str_equal(t.reference, rows[i].reference));
        }
}

TEST(others_are_refused) {
        static const char *const rows[] = { "docker-daemon:a:1", "ostree:a@/b", "sif:a", "tarball:a", "dir:", "oci:", "oci::x", "docker://",
                                            "docker-archive:f:A", ("docker-archive:f:a@sha256:" HEX) };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_transport_ Transport t = {};
                _cleanup_error_ Error error = ERROR_NULL;

                CHECK(transport_parse(rows[i], &t, &error) < 0);
                CHECK(error.message);
        }
        CHECK(transport_is_given("sif:a") && transport_is_given("dir:x") && !transport_is_given("dirt/x:1"));
}
