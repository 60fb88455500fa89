/* SPDX-License-Identifier: Apache-2.0 */
/* Several units in one file: their names, types, lines; and what is refused. */
#include <string.h>

#include "base/str.h"
#include "base/test.h"
#include "quadlet/source.h"

static int split(QuadletItems *items, const char *text, char **ret_message) {
        _cleanup_error_ Error error = ERROR_NULL;
        int r = quadlet_items_split(items, "f.quadlets", "/d", text, strlen(text), &error);

        if (ret_message)
                *ret_message = TAKE_PTR(error.message);
        return r;
}

TEST(parts_become_files) {
        _cleanup_quadlet_items_ QuadletItems items = {};

        CHECK_INT(split(&items, "# FileName=web\n[Container]\nImage=a\n --- \r\n\n#FileName=data.volume\n[Unit]\n[Volume]\n---\n\n", NULL), 0);
        CHECK_INT(items.n, 2);
        CHECK_STR(items.items[0].name, "web.container");
        CHECK_INT(items.items[0].type, UNIT_CONTAINER);
        CHECK_INT(items.items[0].line, 0);
        CHECK_STR(items.items[0].data, "# FileName=web\n[Container]\nImage=a\n");
        CHECK_STR(items.items[1].name, "data.volume");
        CHECK_INT(items.items[1].line, 4);
        CHECK_STR(items.items[1].source, "f.quadlets");
}

TEST(the_first_name_and_group_count) {
        _cleanup_quadlet_items_ QuadletItems items = {};

        CHECK_INT(split(&items, "# FileName=a\n# FileName=b\n[Pod]\n[Container]\n", NULL), 0);
        CHECK_INT(items.n, 1);
        CHECK_STR(items.items[0].name, "a.pod");
}

TEST(what_is_refused_is_refused_with_its_line) {
        static const struct {
                const char *text, *message;
        } rows[] = {
                { "[Volume]\n", "f.quadlets:1: the part that begins here has no comment '# FileName=NAME'" },
                { "# FileName=a\n[Volume]\n---\n[Pod]\n", "f.quadlets:4: the part that begins here has no comment '# FileName=NAME'" },
                { "# FileName=\n[Volume]\n", "f.quadlets:1: FileName= is not the name of a file" },
                { "\n# FileName=../a\n[Volume]\n", "f.quadlets:2: FileName= is not the name of a file" },
                { "# FileName=a b\n[Volume]\n",
                  "f.quadlets:1: cannot use the file name 'a b.volume': no unit can have it (systemd.unit(5))" },
                { "# FileName=a\n[Volume]\n---\n# FileName=a\n[Volume]\n",
                  "cannot use 'f.quadlets' and 'f.quadlets' together: both would be 'a.volume'" },
                { "---\n\n---", "cannot use 'f.quadlets': there is no unit in it" },
                { "", "cannot use 'f.quadlets': there is no unit in it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_quadlet_items_ QuadletItems items = {};
                _cleanup_free_ char *message = NULL;

                CHECK(split(&items, rows[i].text, &message) < 0);
                CHECK_STR(message, rows[i].message);
        }
}

TEST(a_part_without_a_group_of_a_type) {
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_free_ char *message = NULL;

        CHECK(split(&items, "# FileName=a\n[Unit]\n", &message) < 0);
        CHECK(str_after(message, "f.quadlets:1: 'a' has no group that says what it is"));
}

TEST(names) {
        static const struct {
                const char *name;
                UnitType type;
                bool good;
        } rows[] = {
                { "web.container", UNIT_CONTAINER, true }, { "a@1.pod", UNIT_POD, true },     { ".env", _UNIT_TYPE_INVALID, true },
                { "two words.txt", _UNIT_TYPE_INVALID, true }, { "two words.pod", UNIT_POD, false }, { "", _UNIT_TYPE_INVALID, false },
                { "..", _UNIT_TYPE_INVALID, false },       { "a/b", _UNIT_TYPE_INVALID, false }, { "a\nb", _UNIT_TYPE_INVALID, false },
                { "\xff", _UNIT_TYPE_INVALID, false },     { ".x.app", _UNIT_TYPE_INVALID, false }, { ".x.asset", _UNIT_TYPE_INVALID, false },
                { ".sdpod-1", _UNIT_TYPE_INVALID, false },
        };
        char long_name[QUADLET_NAME_MAX + 2] = {};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                CHECK_INT(quadlet_name_check(rows[i].name, rows[i].type, NULL) >= 0, rows[i].good);
        memset(long_name, 'x', QUADLET_NAME_MAX);
        CHECK(quadlet_name_check(long_name, _UNIT_TYPE_INVALID, NULL) >= 0);
        long_name[QUADLET_NAME_MAX] = 'x';
        CHECK(quadlet_name_check(long_name, _UNIT_TYPE_INVALID, NULL) < 0);
}
