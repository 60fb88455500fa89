/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/str.h"
#include "base/test.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/run-options.h"
#include "cli/verbs.h"

static bool fills_fields(const Option *const *tables) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++)
                        if (o->kind != OPTION_NOTHING)
                                return true;
        return false;
}

TEST(verbs_are_sorted_and_in_known_groups) {
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];

                CHECK((v->verb != NULL) + (v->heading != NULL) + (v->refused != NULL) == 1);
                if (i > 0 && strcmp(verb_names[i - 1].name, v->name) >= 0) {
                        test_note("'%s' stands behind '%s'", v->name, verb_names[i - 1].name);
                        CHECK(false);
                }
                if (v->verb) {
                        CHECK(v->verb->summary && isupper(v->verb->summary[0]));
                        CHECK(!str_has_suffix(v->verb->summary, "."));
                        CHECK(v->verb->run);
                        CHECK(v->verb->arguments_min <= v->verb->arguments_max);
                        CHECK(!fills_fields(v->verb->options) || v->verb->options_size > 0);
                }
                const char *blank = strchr(v->name, ' ');
                if (blank) {
                        _cleanup_free_ char *group = strndup(v->name, (size_t) (blank - v->name));
                        char *words[] = { group, NULL };
                        size_t n;
                        const VerbName *found = verb_find(words, &n);

                        CHECK(found && found->heading);
                }
        }
}

static void check_rows(const char *verb, const Option *const *tables) {
        for (const Option *const *t = tables; t && *t; t++)
                for (const Option *o = *t; o->name; o++) {
                        test_note("%s --%s", verb, o->name);
                        CHECK(options_find(tables, o->name) == o);
                        CHECK(!o->letter || options_find_letter(tables, o->letter) == o);
                        CHECK((o->kind == OPTION_SET || o->kind == OPTION_SWITCH) == (o->set != NULL));
                        CHECK((o->complete == COMPLETE_WORDS) == (o->words != NULL) || o->complete == COMPLETE_NETWORK);
                        CHECK(strcmp(o->name, "filter") != 0 || o->words || o->refused);
                        CHECK(!o->refused || o->kind == OPTION_REFUSED || o->kind == OPTION_REFUSED_BOOL);
                        CHECK(o->hidden || o->help || o->kind == OPTION_REFUSED || o->kind == OPTION_REFUSED_BOOL);
                        CHECK(!o->help || !str_has_suffix(o->help, "."));
                        if (o > *t)
                                CHECK(strcmp(o[-1].name, o->name) < 0);
                }
}

TEST(option_tables_are_sorted_and_whole) {
        check_rows("", global_options);
        check_rows("run", run_option_tables);
        check_rows("create", create_option_tables);
        for (size_t i = 0; i < n_verb_names; i++)
                if (verb_names[i].verb)
                        check_rows(verb_names[i].name, verb_names[i].verb->options);
}

static void check_lines(const char *text) {
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n"), columns = 0;

                for (size_t i = 0; i < n; i++)
                        columns += ((unsigned char) line[i] & 0xc0) != 0x80;
                if (columns > 80 || (n > 0 && line[n - 1] == ' ')) {
                        test_note("%.*s", (int) n, line);
                        CHECK(false) /* a line of help has at most 80 columns and no blank at its end */;
                }
                line += n + (line[n] == '\n');
        }
}

TEST(help_fits_80_columns) {
        for (size_t i = 0; i <= n_verb_names; i++) {
                _cleanup_free_ char *text = NULL;
                size_t size;
                FILE *f = open_memstream(&text, &size);

                CHECK(f);
                if (i == n_verb_names)
                        help_print_main(f);
                else if (verb_names[i].verb)
                        help_print_verb(f, &verb_names[i]);
                else if (verb_names[i].heading)
                        help_print_group(f, &verb_names[i]);
                CHECK_INT(fclose(f), 0);
                check_lines(text);
        }
}

static char *completions(char **words) {
        Invocation in = { .store = STORE_NULL };
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        CHECK(f);
        complete_print(f, &in, words);
        CHECK_INT(fclose(f), 0);
        store_done(&in.store);
        options_free(global_options, &in.global);
        return text;
}

TEST(completion_answers_from_the_tables) {
        static const struct {
                char *words[5];
                const char *has, *has_not;
        } lines[] = {
                { { (char *) "vers" }, "version\t", "volume" },
                { { (char *) "" }, "volume\t", "__complete" },
                { { (char *) "--log-l" }, "--log-level\t", "--root" },
                { { (char *) "--log-level", (char *) "w" }, "warn\n", "debug" },
                { { (char *) "--log-level=w" }, "--log-level=warn\n", "debug" },
                { { (char *) "--root", (char *) "" }, ":directory\n", "version" },
                { { (char *) "--root", (char *) "/x", (char *) "hel" }, "help\t", "volume" },
                { { (char *) "help", (char *) "vers" }, "version\t", "volume" },
                { { (char *) "version", (char *) "--noo" }, "--noout\t", "--root" },
                { { (char *) "version", (char *) "" }, "", "version" },
                { { (char *) "nonsense", (char *) "" }, "", "version" },
                { { NULL }, "version\t", "__complete" },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_free_ char *text = completions((char **) lines[i].words);

                test_note("%s %s", lines[i].words[0] ?: "", lines[i].words[0] && lines[i].words[1] ? lines[i].words[1] : "");
                CHECK(strstr(text, lines[i].has));
                CHECK(!strstr(text, lines[i].has_not));
        }
}
