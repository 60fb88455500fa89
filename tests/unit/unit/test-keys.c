/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of keys: sorted, complete, without doubles; and the guess at what was meant. */
#include "base/str.h"
#include "base/test.h"
#include "unit/convert.h"

TEST(names_are_sorted_and_found) {
        for (UnitKey key = KEY_NONE + 1; key < _UNIT_KEY_MAX; key++) {
                if (key > KEY_NONE + 1)
                        CHECK(strcmp(unit_key_to_string(key - 1), unit_key_to_string(key)) < 0);
                CHECK_INT(unit_key_from_string(unit_key_to_string(key)), key);
        }
        CHECK_INT(unit_key_from_string("image"), KEY_NONE);
        CHECK_INT(unit_key_from_string(""), KEY_NONE);
}

TEST(each_row_says_what_becomes_of_its_key) {
        for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++) {
                const UnitTypeInfo *info = unit_type_info(type);

                for (size_t i = 0; i < info->n_rows; i++) {
                        const UnitRow *row = info->rows + i;
                        bool call = row->kind == KIND_CALL || row->kind == KIND_ALWAYS;

                        CHECK(row->key != KEY_NONE && row->key != KEY_DefaultDependencies);
                        CHECK(unit_type_row(type, row->key) == row); /* no key twice */
                        CHECK_INT(call, row->call != NULL);
                        CHECK_INT(call || row->kind == KIND_ELSEWHERE, row->flag == NULL);
                }
        }
}

TEST(each_key_belongs_to_a_type) {
        for (UnitKey key = KEY_NONE + 1; key < _UNIT_KEY_MAX; key++) {
                bool found = key == KEY_DefaultDependencies;

                for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++)
                        found = found || unit_type_row(type, key);
                CHECK(found);
        }
}

TEST(types_have_as_many_keys_as_the_format) {
        CHECK_INT(unit_container_info.n_rows, 94);
        CHECK_INT(unit_volume_info.n_rows, 16);
        CHECK_INT(unit_network_info.n_rows, 18);
        CHECK_INT(unit_pod_info.n_rows, 29);
        CHECK_INT(unit_kube_info.n_rows, 19);
        CHECK_INT(unit_image_info.n_rows, 18);
        CHECK_INT(unit_build_info.n_rows, 28);
        CHECK_INT(unit_artifact_info.n_rows, 13);
}

TEST(types_are_known_by_suffix_and_group) {
        CHECK_INT(unit_type_from_file("web.container"), UNIT_CONTAINER);
        CHECK_INT(unit_type_from_file("a.b@c.volume"), UNIT_VOLUME);
        CHECK_INT(unit_type_from_file("container"), _UNIT_TYPE_INVALID);
        CHECK_INT(unit_type_from_file(".container"), _UNIT_TYPE_INVALID);
        CHECK_INT(unit_type_from_file("web.container.bak"), _UNIT_TYPE_INVALID);
        CHECK_INT(unit_type_from_file("web.Container"), _UNIT_TYPE_INVALID);
        CHECK_INT(unit_type_from_group("Kube"), UNIT_KUBE);
        CHECK_INT(unit_type_from_group("kube"), _UNIT_TYPE_INVALID);
}

TEST(the_nearest_key_is_suggested) {
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "Imgae"), "Image");
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "image"), "Image");
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "PublishPorts"), "PublishPort");
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "Publish"), "PublishPort");
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "Enviroment"), "Environment");
        CHECK_STR(unit_key_nearest(UNIT_CONTAINER, "Hostname"), "HostName");
        CHECK_STR(unit_key_nearest(UNIT_VOLUME, "Lable"), "Label");
        CHECK(!unit_key_nearest(UNIT_VOLUME, "Zzzzzz"));
        CHECK(!unit_key_nearest(UNIT_CONTAINER, "Q"));
}

TEST(distances_are_counted) {
        CHECK_INT(str_distance("kitten", "sitting", 5), 3);
        CHECK_INT(str_distance("", "abc", 5), 3);
        CHECK_INT(str_distance("ABC", "abc", 5), 0);
        CHECK_INT(str_distance("abcdef", "uvwxyz", 2), 3);
        CHECK_INT(str_distance("0123456789012345678901234567890123456789x", "a", 99), 100);
}
