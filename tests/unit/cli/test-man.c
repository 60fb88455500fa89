/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages against the tables: an option without a paragraph, or a paragraph without an option, fails. */
#include <fcntl.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/run-options.h"
#include "cli/verbs.h"

/* The page of a verb ("volume create" is sdpod-volume-create.1), or NULL. */
static char *read_page(const char *name) {
        _cleanup_free_ char *file = str_format("sdpod%s%s.1.scd", *name ? "-" : "", name);
        _cleanup_fd_ int directory = open(MAN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *text = NULL;

        CHECK(file && directory >= 0);
        for (char *p = file; *p; p++)
                if (*p == ' ')
                        *p = '-';
        return file_read(directory, file, 1024 * 1024, &text, NULL) < 0 ? NULL : text;
}

static bool is_documented(const char *page, const Option *option) {
        _cleanup_free_ char *start = str_format("\n*--%s*", option->name), *letter = str_format(", *-%c*", option->letter);
        const char *line = strstr(page, start);

        if (!line)
                return false;
        if (!option->letter)
                return true;
        const char *found = strstr(line, letter), *end = strchr(line + 1, '\n');
        return found && found < end;
}

static void check_page(const char *name, const char *page, const Option *const *tables) {
        for (const Option *const *t = tables; t && *t; t++)
                for (const Option *o = *t; o->name; o++)
                        if (o->help && !o->hidden && !is_documented(page, o)) {
                                printf("# sdpod-%s(1) says nothing of --%s\n", name, o->name);
                                CHECK(false);
                        }
        for (const char *line = page; (line = strstr(line, "\n*--")); line++) {
                _cleanup_free_ char *option = strndup(line + 4, strcspn(line + 4, "*"));
                const Option *o = options_find(tables, option);

                if (!o || !o->help) {
                        printf("# sdpod-%s(1) has --%s, which is not there\n", name, option);
                        CHECK(false);
                }
        }
}

TEST(pages_have_the_options_of_the_tables) {
        _cleanup_free_ char *main_page = read_page(""), *run = read_page("run");

        CHECK(main_page && run);
        check_page("", main_page, global_options);
        check_page("run", run, run_option_tables);
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];
                _cleanup_free_ char *page = v->verb ? read_page(v->name) : NULL;

                /* create's options are run's, and its page says so */
                if (page && v->verb->options != create_option_tables)
                        check_page(v->name, page, v->verb->options);
        }
}

static bool page_names(const char *page, const char *name) {
        _cleanup_free_ char *paragraph = str_format("\n*%s*", name), *link = str_format("*sdpod-%s*(1)", name);

        CHECK(paragraph && link);
        for (char *p = link; *p; p++)
                if (*p == ' ')
                        *p = '-';
        return strstr(page, paragraph) || strstr(page, link);
}

/* Each verb, by one of its names, has a page of its own or a paragraph in sdpod(1). */
TEST(the_main_page_names_every_verb) {
        _cleanup_free_ char *page = read_page("");

        CHECK(page);
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];
                bool named = v->hidden || (!v->verb && !v->heading) || page_names(page, v->name);

                for (size_t j = 0; j < n_verb_names && !named; j++)
                        named = v->verb && verb_names[j].verb == v->verb && page_names(page, verb_names[j].name);
                if (!named)
                        printf("# sdpod(1) says nothing of '%s'\n", v->name);
                CHECK(named);
        }
}
