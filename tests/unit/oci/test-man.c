/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci(8) against the tables: a verb without a part, a part without a verb, an option without a paragraph, or a paragraph without
 * an option, fails. */
#include <fcntl.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/help.h"

static char *read_page(void) {
        _cleanup_fd_ int directory = open(MAN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *text = NULL;

        CHECK(directory >= 0 && file_read(directory, "sdpod-oci.8.scd", 1024 * 1024, &text, NULL) >= 0);
        return text;
}

/* From a heading to the next one. Owned; NULL: there is none. */
static char *read_part(const char *page, const char *heading) {
        _cleanup_free_ char *line = str_format("\n%s\n", heading);
        const char *part = strstr(page, line), *end = part ? strstr(part + strlen(line), "\n#") : NULL;

        return !part ? NULL : strndup(part, end ? (size_t) (end - part) + 1 : strlen(part));
}

static bool is_documented(const char *part, const Option *option) {
        _cleanup_free_ char *start = str_format("\n*--%s*", option->name), *letter = str_format(", *-%c*", option->letter);
        const char *line = strstr(part, start);

        if (!line || !option->letter)
                return line;
        const char *found = strstr(line, letter), *end = strchr(line + 1, '\n');
        return found && found < end;
}

static void check_options(const char *name, const char *part, const Option *const *tables) {
        for (const Option *const *t = tables; t && *t; t++)
                for (const Option *o = *t; o->name; o++)
                        if (option_is_shown(o) && !is_documented(part, o)) {
                                test_note("the part of '%s' says nothing of --%s", name, o->name);
                                CHECK(false);
                        }
        for (const char *line = part; (line = strstr(line, "\n*--")); line++) {
                _cleanup_free_ char *option = strndup(line + 4, strcspn(line + 4, "*"));

                if (!options_find(tables, option)) {
                        test_note("the part of '%s' has --%s, which is not there", name, option);
                        CHECK(false);
                }
        }
}

TEST(every_verb_and_option_is_in_the_page) {
        _cleanup_free_ char *page = read_page(), *options = read_part(page, "# OPTIONS");

        CHECK(options);
        check_options("sdpod-oci", options, global_options);
        for (const Verb *const *verb = verbs; *verb; verb++) {
                if (!verb_is_shown(*verb))
                        continue;
                _cleanup_free_ char *heading = str_format("## %s", (*verb)->name), *part = read_part(page, heading);
                /* run's options are create's and two more, and its part says so */
                const Option *const *tables = *verb == &verb_run ? (*verb)->options + 1 : (*verb)->options;

                if (!part)
                        test_note("the page says nothing of '%s'", (*verb)->name);
                CHECK(part);
                check_options((*verb)->name, part, tables);
        }
}

TEST(every_part_is_a_verb) {
        _cleanup_free_ char *page = read_page();

        for (const char *line = page; (line = strstr(line, "\n## ")); line++) {
                _cleanup_free_ char *name = strndup(line + 4, strcspn(line + 4, "\n"));

                CHECK(verb_find(name));
        }
}

TEST(verbs_are_sorted_and_have_their_words) {
        for (const Verb *const *verb = verbs; *verb; verb++) {
                CHECK((*verb)->name && (*verb)->summary && (*verb)->run);
                CHECK(verb == verbs || verb[-1] == &verb_complete || strcmp(verb[-1]->name, (*verb)->name) < 0);
        }
}
