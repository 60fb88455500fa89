/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages against the tables: a verb without a page, a page without a verb, an option without a paragraph, or a
 * paragraph without an option, fails. */
#include <dirent.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/run-options.h"
#include "cli/verbs.h"

/* The page of a name ("container ls" would be sdpod-container-ls.1), or NULL. */
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

/* What a group's page says of one of its verbs: sdpod-volume(1) has a part "## volume create". */
static char *read_part(const char *name) {
        _cleanup_free_ char *group = strndup(name, strcspn(name, " ")), *heading = str_format("\n## %s\n", name);
        _cleanup_free_ char *page = strchr(name, ' ') ? read_page(group) : NULL;
        char *part = page ? strstr(page, heading) : NULL;
        const char *end = part ? strstr(part + strlen(heading), "\n#") : NULL;

        if (!part)
                return NULL;
        return strndup(part, end ? (size_t) (end - part) + 1 : strlen(part));
}

/* By this name or, where it has none, by another one of the same verb. */
static char *read_verb(const VerbName *v) {
        char *text = read_page(v->name) ?: read_part(v->name);

        for (size_t i = 0; i < n_verb_names && !text; i++)
                if (verb_names[i].verb == v->verb)
                        text = read_page(verb_names[i].name) ?: read_part(verb_names[i].name);
        return text;
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
                                test_note("the page of '%s' says nothing of --%s", name, o->name);
                                CHECK(false);
                        }
        for (const char *line = page; (line = strstr(line, "\n*--")); line++) {
                _cleanup_free_ char *option = strndup(line + 4, strcspn(line + 4, "*"));
                const Option *o = tables ? options_find(tables, option) : NULL;

                if (!o || !o->help) {
                        test_note("the page of '%s' has --%s, which is not there", name, option);
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
                _cleanup_free_ char *page = v->verb && !v->hidden && v->verb != &verb_help ? read_verb(v) : NULL;

                /* create's options are run's, and its page says so */
                if (page && v->verb->options != create_option_tables)
                        check_page(v->name, page, v->verb->options);
        }
}

TEST(every_verb_has_a_page) {
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];
                bool wanted = !v->hidden && (v->verb || v->heading) && v->verb != &verb_help; /* help is in sdpod(1) */
                _cleanup_free_ char *page = !wanted ? NULL : v->verb ? read_verb(v) : read_page(v->name);

                if (wanted && !page)
                        test_note("'%s' has no manual page", v->name);
                CHECK(!wanted || page);
        }
}

/* Of a page, and of each part of a group's page, there is a verb. */
static void check_is_verb(const char *words) {
        for (size_t i = 0; i < n_verb_names; i++)
                if (str_equal(verb_names[i].name, words) && !verb_names[i].refused)
                        return;
        test_note("there is a manual page of '%s', and no such verb", words);
        CHECK(false);
}

static void check_sections(const char *name, const char *page) {
        static const char *const wanted[] = { "NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO", NULL };
        const char *at = page;

        for (size_t i = 0; wanted[i]; i++) {
                _cleanup_free_ char *heading = str_format("\n# %s\n", wanted[i]);
                const char *found = strstr(at, heading);

                if (!found)
                        test_note("sdpod-%s(1) has no %s, or not in this order", name, wanted[i]);
                CHECK(found);
                at = found;
        }
        CHECK(!strstr(at + 1, "\n# ")); /* SEE ALSO is the last */
}

TEST(every_page_has_a_verb_and_its_sections) {
        DIR *directory = opendir(MAN_DIRECTORY);

        CHECK(directory);
        for (struct dirent *e; (e = readdir(directory));) {
                size_t length = strlen(e->d_name);

                if (!str_after(e->d_name, "sdpod-") || length < 12 || !str_equal(e->d_name + length - 6, ".1.scd"))
                        continue;
                _cleanup_free_ char *name = strndup(e->d_name + 6, length - 12), *page = read_page(name);
                CHECK(page);
                check_is_verb(name);
                check_sections(name, page);
                for (const char *part = page; (part = strstr(part, "\n## "));) {
                        part += 4;
                        _cleanup_free_ char *words = strndup(part, strcspn(part, "\n"));
                        if (str_after(words, name)) /* others are headings like any */
                                check_is_verb(words);
                }
        }
        (void) closedir(directory);
}

static bool page_names(const char *page, const char *name) {
        _cleanup_free_ char *paragraph = str_format("\n*%s*", name), *link = str_format("*sdpod-%s*(1)", name);

        CHECK(paragraph && link);
        for (char *p = link; *p; p++)
                if (*p == ' ')
                        *p = '-';
        return strstr(page, paragraph) || strstr(page, link);
}

/* Each verb, by one of its names or its group, is in sdpod(1): a link to its page, or a paragraph of its own. */
TEST(the_main_page_names_every_verb) {
        _cleanup_free_ char *page = read_page("");

        CHECK(page);
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];
                _cleanup_free_ char *group = strndup(v->name, strcspn(v->name, " "));
                bool named = v->hidden || (!v->verb && !v->heading) || page_names(page, v->name) || page_names(page, group);

                for (size_t j = 0; j < n_verb_names && !named; j++)
                        named = v->verb && verb_names[j].verb == v->verb && page_names(page, verb_names[j].name);
                if (!named)
                        test_note("sdpod(1) says nothing of '%s'", v->name);
                CHECK(named);
        }
}
