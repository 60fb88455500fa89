/* SPDX-License-Identifier: Apache-2.0 */
/* --format for lists and for inspected objects. */
#include "base/json.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/format.h"

static const FormatField fields[] = {
        { "ID", "CONTAINER ID" }, { "Names", NULL }, { "CreatedAt", NULL }, { "CIDFile", NULL }, { "ImageID", NULL },
        { "Size", NULL },         {},
};
static const FormatList list = { .fields = fields, .table = "table {{.ID}}\t{{.Names}}", .json_indent = 1 };
static const char rows_text[] = "[{\"ID\":\"1234567890abcdef\",\"Names\":\"web\",\"CreatedAt\":\"now\"},"
                                "{\"ID\":\"2\",\"Names\":\"a\\u001bb\",\"CreatedAt\":\"then\"}]";

static const char *show(const char *format, bool no_heading, bool objects) {
        static char *out;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_json_ json_t *rows = NULL;
        size_t size;
        FILE *memory;

        free(out);
        out = NULL;
        memory = open_memstream(&out, &size);
        CHECK(memory);
        CHECK_INT(json_parse(rows_text, strlen(rows_text), "rows", &rows, NULL), 0);
        int r = objects ? format_objects(format, NULL, rows, memory, &error)
                        : format_list(&list, format, no_heading, rows, memory, &error);
        fclose(memory);
        return r < 0 ? "error" : out;
}

TEST(json_is_asked_for_in_three_ways) {
        CHECK(format_is_json("json"));
        CHECK(format_is_json("{{json .}}"));
        CHECK(format_is_json("{{ json . }}"));
        CHECK(format_is_json(" {{json}} "));
        CHECK(!format_is_json("{{json .ID}}"));
        CHECK(!format_is_json(NULL));
}

TEST(a_list_is_json_where_that_is_asked_for) {
        const char *text = "[\n {\n  \"ID\": \"1234567890abcdef\",";

        CHECK(str_after(show("json", false, false), text));
        CHECK(str_after(show("{{json .}}", false, false), text));
        CHECK(!str_after(show("{{json .ID}}", false, false), text));
}

TEST(the_default_is_a_table_with_headings) {
        CHECK_STR(show(NULL, false, false), "CONTAINER ID      NAMES\n1234567890abcdef  web\n2                 a\\x1bb\n");
        CHECK_STR(show(NULL, true, false), "1234567890abcdef  web\n2                 a\\x1bb\n");
}

TEST(a_user_table_has_headings_and_a_template_has_not) {
        CHECK_STR(show("table {{.Names}} {{.CreatedAt}}", false, false), "NAMES       CREATED AT\nweb         now\na\\x1bb      then\n");
        CHECK_STR(show("table {{.Names}}\\t{{.CreatedAt}}", true, false), "web         now\na\\x1bb      then\n");
        CHECK_STR(show("table {{.Names}}\\t{{.CIDFile}}", false, false), "error");
        CHECK_STR(show("{{.ID}}", false, false), "1234567890abcdef\n2\n");
        CHECK_STR(show("{{.ID}}\\n", false, false), "1234567890abcdef\n2\n");
        CHECK_STR(show("{{.Names}}", false, false), "web\na\x1b" "b\n");
        CHECK_STR(show("{{.Nope}}", false, false), "error");
        CHECK_STR(show("", false, false), "\n\n");
}

TEST(a_template_may_range_over_the_rows_itself) {
        CHECK_STR(show("{{range .}}{{.ID}},{{end}}", false, false), "1234567890abcdef,2,\n");
        CHECK_STR(show("{{ range . }}{{.ID}}{{\"\\n\"}}{{end -}}", false, false), "1234567890abcdef\n2\n");
}

TEST(objects_are_a_line_each) {
        CHECK_STR(show("{{.ID}} {{.CreatedAt}}", false, true), "1234567890abcdef now\n2 then\n");
        CHECK_STR(show("table {{.CreatedAt}} {{.ID}}", false, true), "now         1234567890abcdef\nthen        2\n");
        CHECK(strstr(show("json", false, true), "[\n     {\n          \"ID\": \"1234567890abcdef\","));
}

TEST(fields_that_a_format_reads) {
        CHECK(format_uses_field("{{.Size}}", "Size"));
        CHECK(!format_uses_field("{{.ID}}", "Size"));
        CHECK(!format_uses_field(NULL, "Size"));
        CHECK(!format_uses_field("{{", "Size"));
}
