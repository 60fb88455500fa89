/* SPDX-License-Identifier: Apache-2.0 */
/* Reading unit files: lines, groups, places, and what is refused. */
#include "base/test.h"
#include "unit/file.h"

static int read_text(UnitFile *file, const char *text, UnitFault *fault) {
        file->type = UNIT_CONTAINER;
        return unit_file_add_buffer(file, strdup(text), strlen(text), "/x.container", fault);
}

static const UnitEntry *find(const UnitFile *file, const char *group, const char *name) {
        return unit_file_last_named(file, group, name);
}

TEST(keys_have_their_values_and_lines) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file, "# c\n\n[Container]\n Image = a ; b \n\n[Service]\nX=\n", &fault), 0);
        CHECK_STR(find(&file, "Container", "Image")->value, "a ; b");
        CHECK_INT(find(&file, "Container", "Image")->line, 4);
        CHECK_INT(find(&file, "Container", "Image")->key, KEY_Image);
        CHECK_STR(find(&file, "Service", "X")->value, "");
        CHECK_INT(find(&file, "Service", "X")->key, KEY_NONE);
        CHECK(!find(&file, "Unit", "X"));
        CHECK(unit_file_has(&file, KEY_Image));
        CHECK(!unit_file_has(&file, KEY_Exec));
        unit_file_done(&file);
}

TEST(continuations_are_joined) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file, "[Container]\nExec=a \\ \t\n  # comment\n\n\tb\\\nc\nImage=x\\", &fault), 0);
        CHECK_STR(find(&file, "Container", "Exec")->value, "a bc");
        CHECK_INT(find(&file, "Container", "Exec")->line, 2);
        CHECK_STR(find(&file, "Container", "Image")->value, "x");
        CHECK_INT(find(&file, "Container", "Image")->line, 7);
        unit_file_done(&file);
}

TEST(long_values_are_whole) {
        static char text[200000];
        UnitFile file = {};
        UnitFault fault = {};

        memset(text, 'x', sizeof(text) - 1);
        memcpy(text, "[Container]\nExec=", STRLEN("[Container]\nExec="));
        text[1000] = ' ', text[1001] = ';', text[5000] = '=';
        CHECK_INT(read_text(&file, text, &fault), 0);
        CHECK_INT(strlen(find(&file, "Container", "Exec")->value), sizeof(text) - 1 - STRLEN("[Container]\nExec="));
        CHECK_INT(file.n_entries, 2);
        unit_file_done(&file);
}

TEST(groups_of_one_name_are_one) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file, "[Container]\nImage=a\n[Unit]\nA=1\n[Container] \nImage=b\n", &fault), 0);
        CHECK_INT(file.n_groups, 2);
        CHECK_STR(unit_file_last(&file, KEY_Image)->value, "b");
        unit_file_done(&file);
}

TEST(drop_ins_are_appended_with_their_own_places) {
        UnitFile file = {};
        UnitFault fault = {};
        const char *more = "# not kept\n[Container]\nImage=b\n";

        CHECK_INT(read_text(&file, "[Container]\nImage=a\n", &fault), 0);
        CHECK_INT(unit_file_add_buffer(&file, strdup(more), strlen(more), "/x.container.d/y.conf", &fault), 0);
        const UnitEntry *e = unit_file_last(&file, KEY_Image);
        CHECK_STR(e->value, "b");
        CHECK_INT(e->line, 3);
        CHECK_STR(file.sources[e->source], "/x.container.d/y.conf");
        for (size_t i = 0; i < file.n_entries; i++)
                CHECK(file.entries[i].kind != ENTRY_COMMENT);
        unit_file_done(&file);
}

TEST(a_drop_in_needs_a_group_of_its_own) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file, "[Container]\nImage=a\n", &fault), 0);
        CHECK_INT(unit_file_add_buffer(&file, strdup("Image=b\n"), 8, "/y.conf", &fault), -EINVAL);
        CHECK_INT(fault.line, 1);
        unit_fault_done(&fault);
        unit_file_done(&file);
}

TEST(keys_of_other_groups_are_not_ours) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file,
                            "[Service]\nImage=a\n[Quadlet]\nImage=b\nDefaultDependencies=no\n[Container]"
                            "\nDefaultDependencies=no\n",
                            &fault),
                  0);
        CHECK(!unit_file_has(&file, KEY_Image));
        CHECK_INT(unit_file_last(&file, KEY_DefaultDependencies)->line, 5);
        unit_file_done(&file);
}

TEST(byte_order_marks_and_carriage_returns_at_line_ends_go) {
        UnitFile file = {};
        UnitFault fault = {};

        CHECK_INT(read_text(&file, "\xEF\xBB\xBF[Container]\r\nImage=a\r\nExec=b \\\r\n c", &fault), 0);
        CHECK_STR(find(&file, "Container", "Image")->value, "a");
        CHECK_STR(find(&file, "Container", "Exec")->value, "b c");
        unit_file_done(&file);
}

TEST(what_is_no_unit_file_is_refused_with_its_line) {
        static const struct {
                const char *text;
                size_t size;
                unsigned line;
        } bad[] = {
                { "[A]\nB", 5, 2 },
                { "[A]\n=x", 6, 2 },
                { "A=b\n", 4, 1 },
                { "[A", 2, 1 },
                { "[]", 2, 1 },
                { "[A]x", 4, 1 },
                { "[A]b]", 5, 1 },
                { "[A]\nB:C=d", 9, 2 },
                { "[A]\nB C=d", 9, 2 },
                { "[A]\n\nB;C=d", 10, 3 },
                { "[A]\nB=\0", 7, 2 },
                { "[A]\nB=\xff", 7, 2 },
                { "[A]\nB=c\rD=e", 11, 2 },
                { "[A]\nB\x01=c", 8, 2 },
                { "[A]\nB\\=c", 8, 2 },
                { "[A]\n\"B\"=c", 9, 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                UnitFile file = { .type = UNIT_CONTAINER };
                UnitFault fault = {};
                char *copy = calloc(1, bad[i].size + 1);

                memcpy(copy, bad[i].text, bad[i].size);
                CHECK_INT(unit_file_add_buffer(&file, copy, bad[i].size, "/x", &fault), -EINVAL);
                CHECK_INT(fault.line, bad[i].line);
                CHECK(fault.message);
                unit_fault_done(&fault);
                unit_file_done(&file);
        }
}

TEST(empty_files_and_odd_ends_are_fine) {
        static const char *const good[] = { "", "\n", "#", "\\", "\\\n", "[A]", "[A]\n\\\nB=c", " \\\n # x\n" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                UnitFile file = {};
                UnitFault fault = {};

                CHECK_INT(read_text(&file, good[i], &fault), 0);
                unit_file_done(&file);
        }
}
