/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "registry/conf.h"
#include "registry/endpoint.h"
#include "registry/names.h"

static const char text[] = "unqualified-search-registries = ['docker.io', 'quay.io']\n"
                           "short-name-mode = 'disabled'\n"
                           "[[registry]]\nprefix = 'example.com/foo'\nlocation = 'inner.example:5000/bar/'\ninsecure = true\n"
                           "[[registry.mirror]]\nlocation = 'm1.example/x'\npull-from-mirror = 'digest-only'\n"
                           "[[registry.mirror]]\nlocation = 'm2.example'\ninsecure = true\n"
                           "[[registry]]\nlocation = 'example.com'\nblocked = true\n"
                           "[[registry]]\nprefix = '*.wild.example'\ninsecure = true\n"
                           "[aliases]\n'web' = 'quay.io/team/web'\n'gone' = 'x.example/y'\n";
static const char drop_in[] = "[[registry]]\nprefix = 'example.com'\nlocation = 'example.com'\n[aliases]\n'gone' = ''\n";

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(prefixes) {
        static const struct {
                const char *prefix, *name;
                size_t n;
        } rows[] = {
                { "a.example", "a.example/x:1", 9 },       { "a.example", "a.example:5000/x", 0 }, { "a.example/x", "a.example/x:1", 11 },
                { "a.example/x", "a.example/xy", 0 },      { "a.example/x", "a.example/x@sha256:1", 11 }, { "a.example/x:1", "a.example/x:1", 13 },
                { "a.example/x:1", "a.example/x:12", 0 },  { "*.example", "a.example/x", 9 },       { "*.example", "b.a.example:1/x", 13 },
                { "*.example", "example/x", 0 },           { "*.example", "evilexample/x", 0 },     { "*.example", "a.example.evil/x", 0 },
                { "a.example", "a.example", 9 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                test_note("%s %s", rows[i].prefix, rows[i].name);
                CHECK_INT(registry_prefix_matches(rows[i].prefix, rows[i].name), rows[i].n);
        }
}

TEST(tables_and_drop_ins) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_error_ Error error = ERROR_NULL;
        const Registry *r;
        size_t n;

        CHECK_INT(registries_conf_parse(text, "a", &conf, &error), 0);
        r = registries_conf_find(&conf, "example.com/foo/img:1", &n);
        CHECK(r && r->insecure && !r->blocked);
        CHECK_INT(n, 15);
        CHECK_STR(r->location, "inner.example:5000/bar");
        CHECK_INT(r->n_mirrors, 2);
        CHECK_INT(r->mirrors[0].use, MIRROR_DIGEST_ONLY);
        CHECK(registries_conf_find(&conf, "example.com/other", NULL)->blocked);
        CHECK(registries_conf_find(&conf, "a.wild.example/x", NULL)->insecure);
        CHECK(!registries_conf_find(&conf, "example.com:5000/x", NULL));
        CHECK_INT(registries_conf_parse(drop_in, "b", &conf, &error), 0);
        CHECK(!registries_conf_find(&conf, "example.com/other", NULL)->blocked);
        CHECK_INT(strv_length(conf.search), 2);
        CHECK_STR(strv_env_get(conf.aliases, "gone"), "");
}

TEST(files_that_are_refused) {
        static const char *const bad[] = {
                "unqualified-search-registries = 'x'", "unqualified-search-registries = [1]", "short-name-mode = 'maybe'", "[[registry]]\ninsecure = true",
                "[[registry]]\nlocation = 'x'\ninsecure = 'yes'", "[[registry]]\nlocation = 'https://x'", "[[registry]]\nprefix = 'a.*.x'\nlocation='y'",
                "[[registry]]\nprefix = '*.x/y'\nlocation='y'", "[registry]\nlocation = 'x'", "[[registry]]\nlocation='x'\n[[registry.mirror]]\ninsecure=true",
                "[[registry]]\nlocation='x'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation='y'\npull-from-mirror='all'",
                "[aliases]\nx = 1", "[registries.search]\nregistries=['a']\n[[registry]]\nlocation='b'",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_registries_conf_ RegistriesConf conf = {};
                _cleanup_error_ Error error = ERROR_NULL;

                CHECK_INT(registries_conf_parse(bad[i], "x", &conf, &error), -EBADMSG);
                test_note("%s", error.message);
                CHECK(str_after(error.message, "cannot use 'x'"));
        }
}

TEST(version_one) {
        _cleanup_registries_conf_ RegistriesConf conf = {};

        CHECK_INT(registries_conf_parse("[registries.search]\nregistries=['a.example']\n[registries.insecure]\nregistries=['b.example']\n"
                                        "[registries.block]\nregistries=['b.example','c.example']\n", "x", &conf, NULL), 0);
        CHECK_STR(conf.search[0], "a.example");
        CHECK(registries_conf_find(&conf, "b.example/x", NULL)->insecure);
        CHECK(registries_conf_find(&conf, "b.example/x", NULL)->blocked);
        CHECK(!registries_conf_find(&conf, "c.example/x", NULL)->insecure);
}

/* The user's own file, in a directory of the test's. */
static void use_conf(const char *content) {
        char dir[] = "/tmp/sdpod-test-XXXXXX", path[64];

        CHECK(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/containers", dir);
        CHECK_INT(mkdir(path, 0700), 0);
        (void) snprintf(path, sizeof(path), "%s/containers/registries.conf", dir);
        FILE *f = fopen(path, "w");
        CHECK(f && fputs(content, f) >= 0 && fclose(f) == 0);
        (void) setenv("XDG_CONFIG_HOME", dir, 1);
        (void) setenv("XDG_CACHE_HOME", dir, 1);
        (void) setenv("XDG_RUNTIME_DIR", dir, 1);
        (void) setenv("HOME", dir, 1);
        (void) unsetenv("REGISTRY_AUTH_FILE");
        (void) unsetenv("CONTAINERS_REGISTRIES_CONF");
}

TEST(short_names) {
        static const struct {
                const char *word, *names;
        } rows[] = {
                { "busybox", "docker.io/library/busybox:latest quay.io/busybox:latest" },
                { "a/b:1", "docker.io/a/b:1 quay.io/a/b:1" },
                { "web", "quay.io/team/web:latest" },
                { "web:2", "quay.io/team/web:2" },
                { "web@" DIGEST, "quay.io/team/web@" DIGEST },
                { "x.example/y", "x.example/y:latest" },
                { "localhost/y", "localhost/y:latest" },
                { "docker.io/y", "docker.io/library/y:latest" },
        };

        use_conf(text);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_strv_ char **names = NULL;
                _cleanup_free_ char *joined = NULL;

                test_note("%s", rows[i].word);
                CHECK_INT(registry_short_names(rows[i].word, &names, NULL), 0);
                joined = strv_join(names, " ");
                CHECK_STR(joined, rows[i].names);
        }
        use_conf("short-name-mode = 'enforcing'\nunqualified-search-registries = ['docker.io', 'quay.io']\n");
        _cleanup_strv_ char **names = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        CHECK_INT(registry_short_names("busybox", &names, &error), -EINVAL);
        use_conf("");
        CHECK_INT(registry_short_names("busybox", &names, &error), -ENOENT);
}

static char *endpoints(const char *name, bool push, RegistryTls tls) {
        RegistryOptions options = REGISTRY_OPTIONS_DEFAULT;
        _cleanup_reference_ Reference reference = {};
        _cleanup_endpoints_ Endpoints e = {};
        _cleanup_error_ Error error = ERROR_NULL;
        char *joined = strdup("");

        options.push = push;
        options.tls = tls;
        CHECK_INT(reference_parse(name, &reference, NULL), 0);
        if (endpoints_find(&options, &reference, &e, &error) < 0) {
                free(joined);
                return strdup(error.message);
        }
        for (size_t i = 0; i < e.n; i++) {
                char *longer = str_format("%s%s%s/%s%s", joined, i > 0 ? " " : "", e.items[i].host, e.items[i].repository, e.items[i].insecure ? "!" : "");

                free(joined);
                joined = longer;
        }
        return joined;
}

TEST(servers_in_their_order) {
        static const struct {
                const char *name;
                bool push;
                RegistryTls tls;
                const char *servers;
        } rows[] = {
                { "example.com/foo/img:1", false, REGISTRY_TLS_CONFIGURED, "m2.example/img! inner.example:5000/bar/img!" },
                { "example.com/foo/img@" DIGEST, false, REGISTRY_TLS_CONFIGURED, "m1.example/x/img m2.example/img! inner.example:5000/bar/img!" },
                { "example.com/foo/img:1", false, REGISTRY_TLS_VERIFY, "m2.example/img! inner.example:5000/bar/img" },
                { "example.com/foo/img:1", true, REGISTRY_TLS_CONFIGURED, "example.com/foo/img!" },
                { "a.wild.example/x", false, REGISTRY_TLS_CONFIGURED, "a.wild.example/x!" },
                { "docker.io/busybox", false, REGISTRY_TLS_CONFIGURED, "registry-1.docker.io/library/busybox" },
                { "localhost:5000/busybox", false, REGISTRY_TLS_CONFIGURED, "localhost:5000/busybox" },
                { "localhost:5000/busybox", false, REGISTRY_TLS_INSECURE, "localhost:5000/busybox!" },
        };

        use_conf(text);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *servers = endpoints(rows[i].name, rows[i].push, rows[i].tls);

                CHECK_STR(servers, rows[i].servers);
        }
        _cleanup_free_ char *blocked = endpoints("example.com/other", false, REGISTRY_TLS_CONFIGURED);
        CHECK(strstr(blocked, "it is blocked"));
}
