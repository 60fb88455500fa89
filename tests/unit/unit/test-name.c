/* SPDX-License-Identifier: Apache-2.0 */
/* Names of services and resources, paths as text. */
#include "base/test.h"
#include "unit/name.h"

static Arena arena;

TEST(services_are_named_after_their_files) {
        CHECK_STR(unit_service_from_file(&arena, UNIT_CONTAINER, "web.container"), "web");
        CHECK_STR(unit_service_from_file(&arena, UNIT_KUBE, "a.b.kube"), "a.b");
        CHECK_STR(unit_service_from_file(&arena, UNIT_VOLUME, "data.volume"), "data-volume");
        CHECK_STR(unit_service_from_file(&arena, UNIT_VOLUME, "data@.volume"), "data-volume@");
        CHECK_STR(unit_service_from_file(&arena, UNIT_POD, "p@x.y.pod"), "p-pod@x.y");
        CHECK_STR(unit_service_from_file(&arena, UNIT_CONTAINER, "c@1.container"), "c@1");
        arena_done(&arena);
}

TEST(resources_have_the_prefix_and_the_instance) {
        CHECK_STR(unit_resource_from_file(&arena, "data.volume"), "systemd-data");
        CHECK_STR(unit_resource_from_file(&arena, "data@.volume"), "systemd-data-%i");
        CHECK_STR(unit_resource_from_file(&arena, "data@7.volume"), "systemd-data-7");
        arena_done(&arena);
}

TEST(unit_names_are_systemds) {
        char longest[UNIT_NAME_MAX + 2];

        CHECK(unit_name_is_valid("a-b_c.d:e@f\\x2d.service"));
        CHECK(!unit_name_is_valid(""));
        CHECK(!unit_name_is_valid("a b"));
        CHECK(!unit_name_is_valid("a/b"));
        CHECK(!unit_name_is_valid("a%b"));
        CHECK(!unit_name_is_valid("a\nb"));
        CHECK(!unit_name_is_valid("caf\u00e9"));
        CHECK(!unit_name_is_valid("@x"));
        CHECK(!unit_name_is_valid(".."));
        memset(longest, 'a', sizeof(longest));
        longest[UNIT_NAME_MAX + 1] = '\0';
        CHECK(!unit_name_is_valid(longest));
        longest[UNIT_NAME_MAX] = '\0';
        CHECK(unit_name_is_valid(longest));
}

TEST(paths_are_joined_as_text) {
        CHECK_STR(unit_path_join(&arena, "/d", "x"), "/d/x");
        CHECK_STR(unit_path_join(&arena, "/d", "./x//y/"), "/d/x/y");
        CHECK_STR(unit_path_join(&arena, "/d/e", "../x"), "/d/x");
        CHECK_STR(unit_path_join(&arena, "/d", "../../../x"), "/x");
        CHECK_STR(unit_path_join(&arena, "/d", ".."), "/");
        CHECK_STR(unit_path_join(&arena, "/d", "."), "/d");
        CHECK_STR(unit_path_join(&arena, "/d", "/abs/x"), "/abs/x");
        CHECK_STR(unit_path_join(&arena, "/d", "..x/%i"), "/d/..x/%i");
        CHECK_STR(unit_path_parent(&arena, "/a/b"), "/a");
        CHECK_STR(unit_path_parent(&arena, "/a"), "/");
        arena_done(&arena);
}

TEST(specifiers_begin_with_one_percent_sign) {
        CHECK(unit_path_has_specifier("%h/x"));
        CHECK(!unit_path_has_specifier("%%h/x"));
        CHECK(!unit_path_has_specifier("x/%h"));
        CHECK(!unit_path_has_specifier(""));
}
