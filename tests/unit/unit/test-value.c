/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups: the last, all, resets, booleans; buffers that remember a failure. */
#include "base/test.h"
#include "unit/value.h"

static UnitFile file;
static Arena arena;

static void read_text(const char *text) {
        UnitFault fault = {};

        file.type = UNIT_CONTAINER;
        CHECK_INT(unit_file_add_buffer(&file, strdup(text), strlen(text), "/x.container", &fault), 0);
}

static void done(void) {
        unit_file_done(&file);
        arena_done(&arena);
}

TEST(the_last_string_counts) {
        read_text("[Container]\nImage=a\nImage=b\nExec=x\nExec=\nHostName=\"q\"\nPull=\"a\" \"b\nMemory=\"\n");
        CHECK_STR(unit_value_string(&file, KEY_Image, &arena), "b");
        CHECK(!unit_value_string(&file, KEY_Exec, &arena));
        CHECK(!unit_value_string(&file, KEY_User, &arena));
        CHECK_STR(unit_value_string(&file, KEY_HostName, &arena), "q");
        CHECK_STR(unit_value_string(&file, KEY_Pull, &arena), "\"a\" \"b");
        CHECK_STR(unit_value_string(&file, KEY_Memory, &arena), "\"");
        done();
}

TEST(an_empty_line_takes_back_what_stood_before) {
        UnitSelect select = UNIT_SELECT(KEY_DNS);
        const UnitEntry *e;

        read_text("[Container]\nDNS=1\nDNS=\nDNS=2\nDNS=3\n");
        size_t i = unit_lines_begin(&file, &select);
        CHECK_STR((e = unit_lines_next(&file, &select, &i)) ? e->value : NULL, "2");
        CHECK_STR((e = unit_lines_next(&file, &select, &i)) ? e->value : NULL, "3");
        CHECK(!unit_lines_next(&file, &select, &i));
        CHECK_STR(unit_value_first_line(&file, KEY_DNS), "2");
        done();
}

TEST(booleans_are_words_of_systemd) {
        static const char *const yes[] = { "1", "yes", "YES", "true", "on", "t", "y" },
                                 *const no[] = { "0", "no", "False", "off", "n", "f" },
                                 *const neither[] = { "", "2", "yess", "ye s", "enabled" };
        bool b = false;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                CHECK(unit_value_bool(yes[i], &b) == 0 && b);
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                CHECK(unit_value_bool(no[i], &b) == 0 && !b);
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                CHECK_INT(unit_value_bool(neither[i], &b), -EINVAL);
}

TEST(parts_are_replaced) {
        CHECK_STR(unit_value_replace(&arena, "a%Nb%N", "%N", "xyz"), "axyzbxyz");
        CHECK_STR(unit_value_replace(&arena, "%N", "%N", ""), "");
        CHECK_STR(unit_value_replace(&arena, "abc", "%N", "x"), "abc");
        CHECK(!unit_value_replace(&arena, NULL, "%N", "x"));
        CHECK(!unit_value_replace(&arena, "%N", "%N", NULL));
        arena_done(&arena);
}

TEST(failures_stick_until_cleared) {
        Words words = {};
        Text text = {};

        words_add(&words, "a");
        words_add(&words, NULL);
        words_add(&words, "b");
        CHECK(words.failed);
        CHECK_INT(words.n, 1);
        words_clear(&words);
        CHECK(!words.failed);
        text_add(&text, NULL);
        text_add(&text, "x");
        CHECK(text.failed);
        CHECK_INT(text.size, 0);
        words_done(&words);
        text_done(&text);
}

TEST(text_grows) {
        Text text = {};

        for (int i = 0; i < 10000; i++)
                text_addf(&text, "%d,%s", i, i == 5000 ? "0123456789012345678901234567890123456789" : "");
        CHECK(!text.failed);
        CHECK_INT(strlen(text.data), text.size);
        CHECK(strcmp(text.data + text.size - 5, "9999,") == 0);
        text_done(&text);
}

TEST(arenas_are_reused) {
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 1000; i++) {
                        char *s = arena_format(&arena, "%0*d", 200, i);

                        CHECK_INT(strlen(s), 200);
                }
                char *large = arena_alloc(&arena, 1024 * 1024);
                CHECK(large && large[0] == 0 && large[1024 * 1024 - 1] == 0);
                memset(large, 1, 1024 * 1024);
                arena_reset(&arena);
        }
        char *p = arena_alloc(&arena, 100);
        for (int i = 0; i < 100; i++)
                CHECK_INT(p[i], 0);
        arena_done(&arena);
}
