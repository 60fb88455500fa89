/* SPDX-License-Identifier: Apache-2.0 */
/* docs/COMPATIBILITY.md against the tables: it lists each verb and option that is refused, and none that is there. */
#include <fcntl.h>

#include "base/file.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/run-options.h"
#include "cli/verbs.h"

static char *read_section(const char *from, const char *to) {
        _cleanup_free_ char *text = NULL;

        CHECK(file_read(AT_FDCWD, DOCS_DIRECTORY "/COMPATIBILITY.md", 1024 * 1024, &text, NULL) >= 0);
        const char *start = strstr(text, from), *end = start ? strstr(start, to) : NULL;
        CHECK(start && end);
        return strndup(start, (size_t) (end - start));
}

static bool has_word(const char *text, const char *word) {
        _cleanup_free_ char *quoted = str_format("`%s`", word);

        return strstr(text, quoted);
}

/* Rows "| there | not there yet |". */
TEST(verbs) {
        _cleanup_free_ char *section = read_section("## Commands", "## Options"), *there = strdup(""), *missing = strdup("");

        for (char *rest = NULL, *line = strtok_r(section, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                char *column = NULL, *left = *line == '|' ? strtok_r(line, "|", &column) : NULL;
                char *right = left ? strtok_r(NULL, "|", &column) : NULL;

                if (!right)
                        continue;
                char *a = str_format("%s%s", there, left), *b = str_format("%s%s", missing, right);
                free(there);
                free(missing);
                there = a;
                missing = b;
        }
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];

                if (v->hidden || v->heading || strchr(v->name, ' '))
                        continue;
                if (!has_word(v->verb ? there : missing, v->name) || has_word(v->verb ? missing : there, v->name)) {
                        test_note("'%s' is not in its column of docs/COMPATIBILITY.md", v->name);
                        CHECK(false);
                }
        }
}

static bool is_refused(const Option *o) {
        return o->kind == OPTION_REFUSED || o->kind == OPTION_REFUSED_BOOL;
}

static void check_refused_are_listed(const char *section, const Option *const *tables) {
        for (const Option *const *t = tables; t && *t; t++)
                for (const Option *o = *t; o->name; o++) {
                        _cleanup_free_ char *word = str_format("--%s", o->name);

                        if (is_refused(o) && !has_word(section, word)) {
                                test_note("docs/COMPATIBILITY.md does not say that %s is refused", word);
                                CHECK(false);
                        }
                }
}

static bool find_refused(const Option *const *tables, const char *name) {
        const Option *o = tables ? options_find(tables, name) : NULL;

        return o && is_refused(o);
}

TEST(options) {
        _cleanup_free_ char *section = read_section("## Options", "And these values");

        check_refused_are_listed(section, global_options);
        check_refused_are_listed(section, create_option_tables);
        for (size_t i = 0; i < n_verb_names; i++)
                if (verb_names[i].verb && !verb_names[i].hidden)
                        check_refused_are_listed(section, verb_names[i].verb->options);

        for (const char *at = section; (at = strstr(at, "`--"));) {
                _cleanup_free_ char *name = strndup(at + 3, strcspn(at + 3, "`"));
                bool known = find_refused(global_options, name) || str_equal(name, "opt") || str_equal(name, "driver");

                for (size_t i = 0; i < n_verb_names && !known; i++)
                        known = verb_names[i].verb && find_refused(verb_names[i].verb->options, name);
                if (!known) {
                        test_note("docs/COMPATIBILITY.md says that --%s is refused, and it is not", name);
                        CHECK(false);
                }
                at += 3 + strlen(name);
        }
}
