/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of unit files, and which one a word means. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "quadlet/check.h"

static char *make_directory(void) {
        char *path = strdup("/tmp/sdpod-test-check-XXXXXX");

        CHECK(mkdtemp(path) && setenv("QUADLET_UNIT_DIRS", path, 1) == 0);
        return path;
}

static void write_file(const char *dir, const char *name, const char *text) {
        _cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(file_write_atomic(fd, name, text, strlen(text), 0644, FILE_VOLATILE) == 0);
}

static void add(QuadletItems *items, const char *name, const char *text, uint32_t line) {
        const QuadletItem item = { .name = (char *) name, .source = (char *) "given", .dir = (char *) "/nowhere", .data = (char *) text,
                                   .size = strlen(text), .line = line, .type = unit_type_from_file(name) };

        CHECK_INT(quadlet_items_add(items, &item, NULL), 0);
}

TEST(findings_have_the_place_that_a_person_knows) {
        _cleanup_free_ char *dir = make_directory();
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_quadlet_check_ QuadletCheck check = {};

        write_file(dir, "broken.container", "[Container]\nImgae=a\n");
        add(&items, "web.container", "[Container]\nImage=r.x/a\nExce=b\n", 10);
        CHECK_INT(quadlet_check_begin(&check, NULL), 0);
        CHECK_INT(quadlet_check_load_items(&check, &items, dir, NULL, NULL), 0);
        CHECK_INT(quadlet_check_run(&check, NULL), 0);
        CHECK_INT(check.n_errors, 1); /* what is wrong with others is not asked */
        CHECK_STR(check.findings[0].text, "given:13: unsupported key 'Exce' in group 'Container'; did you mean 'Exec'?");
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(all_of_the_search_path) {
        _cleanup_free_ char *dir = make_directory(), *wanted = str_format("%s/a.container:2: unsupported key 'Imgae' in group 'Container'; "
                                                                          "did you mean 'Image'?", dir);
        _cleanup_quadlet_check_ QuadletCheck check = {};
        Unit *unit;

        write_file(dir, "a.container", "[Container]\nImgae=a\n");
        write_file(dir, "b.container", "[Container]\nImage=r.x/a\n");
        CHECK_INT(quadlet_check_begin(&check, NULL), 0);
        CHECK_INT(quadlet_check_load(&check, NULL), 0);
        CHECK_INT(quadlet_check_run(&check, NULL), 0);
        CHECK_INT(check.n_errors, 1);
        CHECK_INT(quadlet_check_find(&check, "a", &unit, NULL), 0);
        CHECK_STR(quadlet_check_fault(&check, unit), wanted);
        CHECK_INT(quadlet_check_find(&check, "b", &unit, NULL), 0);
        CHECK_STR(quadlet_check_fault(&check, unit), NULL);
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(words_mean_units) {
        static const struct {
                const char *word, *name;
                int r;
        } rows[] = {
                { "web", "web.container", 0 },        { "web.container", "web.container", 0 }, { "web.service", "web.container", 0 },
                { "data", "data.volume", 0 },         { "data-volume", "data.volume", 0 },     { "data-volume.service", "data.volume", 0 },
                { "named", "x.container", 0 },        { "both", NULL, -EINVAL },               { "we", NULL, -ENOENT },
                { "", NULL, -ENOENT },                { "../web.container", NULL, -ENOENT },   { "app@", "app@.container", 0 },
        };
        _cleanup_free_ char *dir = make_directory();
        _cleanup_quadlet_check_ QuadletCheck check = {};

        write_file(dir, "web.container", "[Container]\nImage=r.x/a\n");
        write_file(dir, "app@.container", "[Container]\nImage=r.x/a\n");
        write_file(dir, "data.volume", "[Volume]\n");
        write_file(dir, "both.volume", "[Volume]\n");
        write_file(dir, "both.network", "[Network]\n");
        write_file(dir, "x.container", "[Container]\nImage=r.x/a\nServiceName=named\n");
        CHECK_INT(quadlet_check_begin(&check, NULL), 0);
        CHECK_INT(quadlet_check_load(&check, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Unit *unit = NULL;

                CHECK_INT(quadlet_check_find(&check, rows[i].word, &unit, NULL), rows[i].r);
                CHECK_STR(unit ? unit->name : NULL, rows[i].name);
        }
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

TEST(two_files_of_one_service) {
        _cleanup_free_ char *dir = make_directory();
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_quadlet_check_ QuadletCheck check = {};
        _cleanup_free_ char *wanted = str_format("given: it makes web.service, and so does %s/web.container (set ServiceName= in one of them)", dir);

        write_file(dir, "web.container", "[Container]\nImage=r.x/a\n");
        add(&items, "other.container", "[Container]\nImage=r.x/a\nServiceName=web\n", 0);
        CHECK_INT(quadlet_check_begin(&check, NULL), 0);
        CHECK_INT(quadlet_check_load_items(&check, &items, dir, NULL, NULL), 0);
        CHECK_INT(quadlet_check_run(&check, NULL), 0);
        CHECK_INT(check.n_errors, 1);
        CHECK_STR(check.findings[0].text, wanted);
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}
