/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "registry/auth.h"

/* user:pass, me:a:b, q: */
static const char text[] = "{ \"auths\": { \"quay.io\": {\"auth\": \"dXNlcjpwYXNz\"}, \"quay.io/team\": {\"auth\": \"bWU6YTpi\"},"
                           " \"https://index.docker.io/v1/\": {\"auth\": \"dXNlcjpwYXNz\"}, \"id.example\": {\"auth\":\"cTo=\", \"identitytoken\": \"tok\"},"
                           " \"empty.example\": {}, \"bad.example\": {\"auth\": \"!!!!\"}, \"none.example\": {\"auth\": \"YWJj\"} },"
                           " \"credHelpers\": { \"helped.example\": \"store\" }, \"other\": 1 }";

static char *look(const char *json, const char *name) {
        Credentials c = {};
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        char *found;

        int r = auth_parse(json, strlen(json), "auth.json", name, &c, &helper, &server, &error);
        if (r < 0)
                return strdup("bad");
        found = r == 2 ? str_format("%s %s", helper, server)
                       : str_format("%s:%s%s%s", c.username ?: "-", c.password ?: "-", c.identity_token ? " " : "", c.identity_token ?: "");
        credentials_done(&c);
        return found;
}

TEST(the_most_specific_key_counts) {
        static const struct {
                const char *name, *found;
        } rows[] = {
                { "quay.io/team/img", "me:a:b" },      { "quay.io/team", "me:a:b" },       { "quay.io/teams/img", "user:pass" },
                { "quay.io", "user:pass" },            { "quay.io:443/x", "-:-" },         { "docker.io/library/busybox", "user:pass" },
                { "registry-1.docker.io", "user:pass" }, { "evilquay.io/team", "-:-" },   { "id.example/x", "q: tok" },
                { "empty.example/x", "-:-" },          { "bad.example/x", "bad" },         { "none.example", "bad" },
                { "helped.example/a/b", "store helped.example" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *found = look(text, rows[i].name);

                test_note("%s", rows[i].name);
                CHECK_STR(found, rows[i].found);
        }
        _cleanup_free_ char *store = look("{\"auths\":{\"https://index.docker.io/v1/\":{}},\"credsStore\":\"pass\"}", "docker.io/a/b");
        CHECK_STR(store, "pass https://index.docker.io/v1/");
        _cleanup_free_ char *array = look("[]", "quay.io");
        CHECK_STR(array, "bad");
        _cleanup_free_ char *wrong = look("{\"auths\": {\"quay.io\": 1}}", "quay.io");
        CHECK_STR(wrong, "bad");
}

TEST(names_of_helpers) {
        CHECK(auth_helper_name_is_valid("secretservice"));
        CHECK(auth_helper_name_is_valid("ecr-login"));
        CHECK(!auth_helper_name_is_valid("../../evil"));
        CHECK(!auth_helper_name_is_valid("a/b"));
        CHECK(!auth_helper_name_is_valid("-x"));
        CHECK(!auth_helper_name_is_valid(".."));
        CHECK(!auth_helper_name_is_valid(""));
        CHECK(!auth_helper_name_is_valid("a b"));
        CHECK(!auth_helper_name_is_valid("aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaa"));
}

TEST(a_file_is_written_for_its_owner_alone) {
        char dir[] = "/tmp/sdpod-test-XXXXXX";
        struct stat st;

        CHECK(mkdtemp(dir));
        _cleanup_free_ char *path = str_format("%s/new/auth.json", dir);
        Credentials c = { .username = (char *) "ada", .password = (char *) "s:e c" }, found = {};

        (void) umask(0);
        CHECK_INT(auth_store(path, "x.example:5000", &c, NULL), 0);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 07777, 0600);
        CHECK_INT(chmod(path, 0644), 0);
        CHECK_INT(auth_store(path, "x.example/team", &c, NULL), 0);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 07777, 0600);
        CHECK_INT(auth_find(path, NULL, "x.example:5000/a", &found, NULL), 1);
        CHECK_STR(found.password, "s:e c");
        credentials_done(&found);
        CHECK_INT(auth_remove(path, "x.example:5000", NULL), 1);
        CHECK_INT(auth_remove(path, "x.example:5000", NULL), 0);
        CHECK_INT(auth_find(path, NULL, "x.example:5000/a", &found, NULL), 0);
        CHECK_INT(auth_find(path, NULL, "x.example/team/a", &found, NULL), 1);
        credentials_done(&found);
        CHECK_INT(auth_remove_all(path, NULL), 0);
        CHECK_INT(auth_find(path, NULL, "x.example/team/a", &found, NULL), 0);
}

/* A helper that is a shell script of the test's. */
static void make_helper(const char *dir, const char *body) {
        _cleanup_free_ char *path = str_format("%s/docker-credential-t", dir);
        FILE *f = fopen(path, "w");

        CHECK(f && fprintf(f, "#!/bin/sh\n%s\n", body) > 0 && fclose(f) == 0);
        CHECK_INT(chmod(path, 0700), 0);
}

TEST(helpers) {
        char dir[] = "/tmp/sdpod-test-XXXXXX";
        Credentials c = {};
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(mkdtemp(dir));
        _cleanup_free_ char *path = str_format("%s:/usr/bin:/bin", dir);
        (void) setenv("PATH", path, 1);
        make_helper(dir, "read s; test \"$1\" = get || exit 9; echo '{\"Username\":\"ada\",\"Secret\":\"'$s'\"}'");
        CHECK_INT(auth_helper_get("t", "x.example", &c, &error), 1);
        CHECK_STR(c.username, "ada");
        CHECK_STR(c.password, "x.example");
        credentials_done(&c);
        make_helper(dir, "echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}'");
        CHECK_INT(auth_helper_get("t", "x.example", &c, &error), 1);
        CHECK_STR(c.identity_token, "tok");
        credentials_done(&c);
        make_helper(dir, "echo credentials not found in native keychain; exit 1");
        CHECK_INT(auth_helper_get("t", "x.example", &c, &error), 0);
        make_helper(dir, "echo broken; exit 3");
        CHECK_INT(auth_helper_get("t", "x.example", &c, &error), -EREMOTEIO);
        make_helper(dir, "yes");
        CHECK_INT(auth_helper_get("t", "x.example", &c, &error), -EFBIG);
        CHECK_INT(auth_helper_get("../t", "x.example", &c, &error), -EINVAL);
        CHECK_INT(auth_helper_get("missing", "x.example", &c, &error), -ENOENT);
}
