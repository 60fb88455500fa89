/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as Go's text/tabwriter lays them out with Podman's settings. */
#include "base/test.h"
#include "cli/columns.h"

static const char *align(const char *text) {
        static char *out;
        size_t size;
        FILE *memory;

        free(out);
        out = NULL;
        memory = open_memstream(&out, &size);
        CHECK(memory);
        CHECK_INT(columns_write(text, memory), 0);
        fclose(memory);
        return out;
}

TEST(columns_have_a_least_width_and_padding) {
        CHECK_STR(align("ID\tNAME\nabcdefghijklmnop\tx\n"), "ID                NAME\nabcdefghijklmnop  x\n");
        CHECK_STR(align("A\tB\n1\t2\n"), "A           B\n1           2\n");
        CHECK_STR(align("abcdefghijk\tB\n1\t2\n"), "abcdefghijk  B\n1            2\n");
}

TEST(empty_cells_keep_their_column) {
        CHECK_STR(align("A\tB\tC\n\t\tx\n"), "A           B           C\n                        x\n");
        CHECK_STR(align("A\t\n"), "A           \n");
}

TEST(a_line_without_the_cell_ends_the_column) {
        CHECK_STR(align("abcdefghijklmnop\tx\nplain\nb\ty\n"), "abcdefghijklmnop  x\nplain\nb           y\n");
}

TEST(text_without_tabs_or_newline_is_itself) {
        CHECK_STR(align(""), "");
        CHECK_STR(align("a"), "a");
        CHECK_STR(align("\n\n"), "\n\n");
}

TEST(wide_characters_take_two_columns) {
        CHECK_INT(columns_width("abc", 3), 3);
        CHECK_INT(columns_width("\u65e5\u672c", 6), 4);
        CHECK_INT(columns_width("e\u0301", 3), 1);
        CHECK_INT(columns_width("\xff\xfe", 2), 2);
        CHECK_STR(align("\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\tx\nab\ty\n"),
                  "\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e  x\nab            y\n");
}
