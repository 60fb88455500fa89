/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that a container is made with: what wins, what goes, what --env-merge makes. */
#include "base/str.h"
#include "base/test.h"
#include "engine/create-env.h"

#define STRV(...) ((char **) (const char *const[]){ __VA_ARGS__, NULL })

TEST(words_are_expanded) {
        static const struct {
                const char *word, *wanted; /* NULL: refused */
        } rows[] = {
                { "", "" },
                { "plain", "plain" },
                { "P=${A}:/x", "P=one:/x" },
                { "P=$A$B", "P=one" },
                { "${A}${A}", "oneone" },
                { "${NO:-other}", "other" },
                { "${B:-other}", "other" },
                { "${A:-other}", "one" },
                { "${A:+other}", "other" },
                { "${NO:+other}", "" },
                { "'${A}'", "${A}" },
                { "\"${A} b\"", "one b" },
                { "\\$A", "$A" },
                { "\"\\$A \\n\"", "$A \\n" },
                { "a$", "a$" },
                { "a$-b", "a$-b" },
                { "it''s", "its" },
                { "${A", NULL },
                { "${}", NULL },
                { "${A?x}", NULL },
                { "${A:?x}", NULL },
                { "'open", NULL },
                { "\"open", NULL },
        };
        char **env = STRV("A=one", "B=");

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = create_env_expand(rows[i].word, env, &text, &error);

                test_note("%s", rows[i].word);
                CHECK_INT(r, rows[i].wanted ? 0 : -EINVAL);
                CHECK_STR(text, rows[i].wanted);
        }
}

static char *merged(char *const *given, const CreateOptions *options) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        config.env = strv_copy(given);
        CHECK_INT(create_env_merge(&config, STRV("PATH=/image", "I=image"), options, NULL), 0);
        return strv_join(config.env, " ");
}

TEST(later_layers_win) {
        const CreateOptions none = {}, host = { .env_host = STRV("I=host", "H=host") }, unset = { .unset_env = STRV("I", "TERM", "NO") },
                            all = { .unset_env_all = true, .env_host = STRV("H=host"), .env_merge = STRV("M=${I}") },
                            merge = { .env_merge = STRV("I=${I}+", "NEW=${PATH}") };
        _cleanup_free_ char *a = merged(STRV("X=1"), &none), *b = merged(STRV("H=own"), &host), *c = merged(STRV("I=own"), &unset),
                            *d = merged(STRV("X=1"), &all), *e = merged(STRV("X=1"), &merge);

        CHECK_STR(a, "PATH=/image container=podman TERM=xterm I=image X=1");
        CHECK_STR(b, "PATH=/image container=podman TERM=xterm I=host H=own");
        CHECK_STR(c, "PATH=/image container=podman I=own");
        CHECK_STR(d, "H=host X=1");
        CHECK_STR(e, "PATH=/image container=podman TERM=xterm I=image+ NEW=/image X=1");
}

TEST(a_merge_without_a_name_is_refused) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        const CreateOptions nameless = { .env_merge = STRV("=x") }, bare = { .env_merge = STRV("x") };

        CHECK_INT(create_env_merge(&config, NULL, &nameless, NULL), -EINVAL);
        CHECK_INT(create_env_merge(&config, NULL, &bare, NULL), -EINVAL);
}
