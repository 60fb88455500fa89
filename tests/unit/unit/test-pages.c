/* SPDX-License-Identifier: Apache-2.0 */
/* Every key is in its manual page, every key of a page is in the table, and a case file uses it. */
#include <dirent.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/str.h"
#include "base/test.h"
#include "unit/convert.h"

static char *page(UnitType type) {
        _cleanup_free_ char *path = str_format("%s/sdpod.%s.5.scd", MAN_DIR, unit_type_info(type)->name);
        char *text = NULL;

        CHECK(path && file_read(AT_FDCWD, path, 1024 * 1024, &text, NULL) == 0);
        return text;
}

TEST(each_key_is_in_its_page) {
        for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++) {
                const UnitTypeInfo *info = unit_type_info(type);
                _cleanup_free_ char *text = page(type);

                for (size_t i = 0; i < info->n_rows; i++) {
                        _cleanup_free_ char *line = str_format("\n*%s=*", unit_key_to_string(info->rows[i].key));

                        if (!strstr(text, line))
                                test_note("sdpod.%s(5) lacks %s", info->name, line);
                        CHECK(strstr(text, line));
                }
        }
}

TEST(each_key_of_a_page_is_in_the_table) {
        for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++) {
                _cleanup_free_ char *text = page(type);

                for (char *p = strstr(text, "# OPTIONS"), *end; (p = strstr(p, "\n*")) && (end = strstr(p, "=*_"));
                     p = end) {
                        _cleanup_free_ char *name = strndup(p + 2, (size_t) (end - p - 2));

                        if (strchr(name, '\n')) /* not a key: bold text at the begin of a line */
                                continue;
                        if (!unit_type_row(type, unit_key_from_string(name)))
                                test_note("sdpod.%s(5) has %s", unit_type_info(type)->name, name);
                        CHECK(unit_type_row(type, unit_key_from_string(name)));
                }
        }
}

static void add_case(Text *all, const char *name) {
        _cleanup_free_ char *path = str_format("%s/%s", CASES_DIR, name), *text = NULL;

        CHECK_INT(file_read(AT_FDCWD, path, 16 * 1024 * 1024, &text, NULL), 0);
        text_add(all, text);
}

/* Keys that exclude others are in files of their own; most are in NAME-keys.case. */
TEST(each_key_is_in_a_case) {
        _cleanup_text_ Text all = {};
        DIR *dir = opendir(CASES_DIR);

        CHECK(dir);
        for (struct dirent *e; (e = readdir(dir));)
                if (str_has_suffix(e->d_name, ".case"))
                        add_case(&all, e->d_name);
        closedir(dir);
        for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++) {
                const UnitTypeInfo *info = unit_type_info(type);
                _cleanup_free_ char *name = str_format("%s-keys.case", type == UNIT_ARTIFACT ? "image" : info->name);
                _cleanup_text_ Text own = {};
                size_t n = 0;

                add_case(&own, name);
                for (size_t i = 0; i < info->n_rows; i++) {
                        _cleanup_free_ char *line = str_format("\n%s=", unit_key_to_string(info->rows[i].key));

                        if (!strstr(all.data, line))
                                test_note("no case has %s", line + 1);
                        CHECK(strstr(all.data, line));
                        n += strstr(own.data, line) ? 1 : 0;
                }
                CHECK(n * 100 >= info->n_rows * 85);
        }
}
