/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"
#include "base/str.h"
#include "base/test.h"

typedef struct Options {
        bool tty, interactive, keep;
        char *name, *mode;
        char **env, **caps;
        int number;
        uint64_t size;
        bool switched;
} Options;

static int set_switched(void *options, const char *value, _unused_ Error *reterr) {
        ((Options *) options)->switched = str_equal(value, "true");
        return 0;
}

static int set_picky(_unused_ void *options, const char *value, Error *reterr) {
        return str_equal(value, "good") ? 0 : error_set(reterr, -EINVAL, ERROR_INVALID, "not good");
}

static int check_calm(const char *value, Error *reterr) {
        return strchr(value, '!') ? error_set(reterr, -EINVAL, ERROR_INVALID, "it shouts") : 0;
}

static const char *const modes[] = { "one", "two", NULL };
#define FIELD(member) offsetof(Options, member)
static const Option rows[] = {
        { "cap", .kind = OPTION_LIST, .offset = FIELD(caps) },
        { "calm", .kind = OPTION_STRV, .offset = FIELD(env), .check = check_calm },
        { "calm-list", .kind = OPTION_LIST, .offset = FIELD(caps), .check = check_calm },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env) },
        { "interactive", 'i', .kind = OPTION_BOOL, .offset = FIELD(interactive) },
        { "keep", .kind = OPTION_BOOL, .offset = FIELD(keep) },
        { "help", .kind = OPTION_HELP },
        { "mode", .kind = OPTION_STRING, .offset = FIELD(mode), .complete = COMPLETE_WORDS, .words = modes },
        { "name", 'n', .kind = OPTION_STRING, .offset = FIELD(name) },
        { "nothing", .kind = OPTION_NOTHING },
        { "number", .kind = OPTION_INT, .offset = FIELD(number) },
        { "optional", 'o', .kind = OPTION_SET, .set = set_picky, .optional = true },
        { "picky", .kind = OPTION_SET, .set = set_picky },
        { "refused", .kind = OPTION_REFUSED },
        { "refused-bool", .kind = OPTION_REFUSED_BOOL, .refused = "there is no such thing" },
        { "size", 's', .kind = OPTION_BYTES, .offset = FIELD(size) },
        { "switched", .kind = OPTION_SWITCH, .set = set_switched },
        { "tty", 't', .kind = OPTION_BOOL, .offset = FIELD(tty) },
        {},
};
static const Option *const tables[] = { rows, NULL };

typedef struct Line {
        Options options;
        OptionSet set;
        OptionParse parse;
        Error error;
        int r;
} Line;

static void line_done(Line *line) {
        options_free(tables, &line->options);
        options_parse_done(&line->parse);
        error_done(&line->error);
}

/* Parses words; `stop` as for run. */
static void line_parse(Line *line, bool stop, const char *const *words) {
        *line = (Line){ .options = { .keep = true } };
        line->set = (OptionSet){ tables, &line->options };
        line->parse = (OptionParse){ .sets = &line->set, .n_sets = 1, .words = (char **) words, .stop_at_argument = stop };
        line->r = options_parse(&line->parse, &line->error);
}
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(values_in_every_spelling) {
        const char *const *const lines[] = {
                (const char *const[]){ "--name", "x", NULL }, (const char *const[]){ "--name=x", NULL },
                (const char *const[]){ "-n", "x", NULL },     (const char *const[]){ "-nx", NULL },
                (const char *const[]){ "-n=x", NULL },        (const char *const[]){ "-itnx", NULL },
                (const char *const[]){ "-itn", "x", NULL },   (const char *const[]){ "--name=y", "--name", "x", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                __attribute__((cleanup(line_done))) Line line;

                line_parse(&line, false, lines[i]);
                CHECK_INT(line.r, 0);
                CHECK_STR(line.options.name, "x");
                CHECK_INT(line.parse.n_arguments, 0);
                CHECK(options_given(&line.parse, "name"));
                CHECK(!options_given(&line.parse, "env"));
        }
}

TEST(a_value_may_look_like_an_option) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("--env", "--tty", "-e", "-x", "-e=", "--name="));
        CHECK_INT(line.r, 0);
        CHECK(!line.options.tty);
        CHECK_INT(strv_length(line.options.env), 3);
        CHECK_STR(line.options.env[0], "--tty");
        CHECK_STR(line.options.env[1], "-x");
        CHECK_STR(line.options.env[2], "");
        CHECK_STR(line.options.name, "");
}

TEST(bools_take_a_value_only_by_equals) {
        __attribute__((cleanup(line_done))) Line line, bad;

        line_parse(&line, false, WORDS("-it", "--keep=false", "--tty=F", "-i=0", "false"));
        CHECK_INT(line.r, 0);
        CHECK(!line.options.tty && !line.options.interactive && !line.options.keep);
        CHECK_INT(line.parse.n_arguments, 1);
        CHECK_STR(line.parse.arguments[0], "false");
        line_parse(&bad, false, WORDS("--tty=maybe"));
        CHECK_INT(bad.r, -EINVAL);
        CHECK_STR(bad.error.message, "cannot use '--tty=maybe': neither true nor false");
}

TEST(options_end_at_the_first_argument_where_the_verb_says_so) {
        __attribute__((cleanup(line_done))) Line stop, mixed, dashes;

        line_parse(&stop, true, WORDS("-t", "image", "-i", "--", "--nonsense"));
        CHECK_INT(stop.r, 0);
        CHECK(stop.options.tty && !stop.options.interactive);
        CHECK_INT(stop.parse.n_arguments, 4);
        CHECK_STR(stop.parse.arguments[2], "--");
        line_parse(&mixed, false, WORDS("one", "-", "-i", "two"));
        CHECK(mixed.options.interactive);
        CHECK_INT(mixed.parse.n_arguments, 3);
        CHECK_STR(mixed.parse.arguments[1], "-");
        line_parse(&dashes, false, WORDS("--", "-i", "--", "-"));
        CHECK(!dashes.options.interactive);
        CHECK_INT(dashes.parse.n_arguments, 3);
        CHECK_STR(dashes.parse.arguments[1], "--");
}

TEST(faults_name_the_flag) {
        static const struct {
                const char *words[3], *message;
                ErrorKind kind;
        } lines[] = {
                { { "--nope" }, "unknown flag: --nope", ERROR_USAGE },
                { { "--nope=x" }, "unknown flag: --nope", ERROR_USAGE },
                { { "--=x" }, "unknown flag: --", ERROR_USAGE },
                { { "-tx" }, "unknown shorthand flag: 'x' in -tx", ERROR_USAGE },
                { { "--name" }, "flag needs an argument: --name", ERROR_USAGE },
                { { "-tn" }, "flag needs an argument: 'n' in -tn", ERROR_USAGE },
                { { "--number", "1x" }, "cannot use '--number 1x': not a number", ERROR_INVALID },
                { { "--number", "3000000000" }, "cannot use '--number 3000000000': the number is out of range", ERROR_INVALID },
                { { "-s", "lots" }, "cannot use '--size lots': not a size such as 512m or 1.5g", ERROR_INVALID },
                { { "--mode", "three" }, "cannot use '--mode three': not one of one, two", ERROR_INVALID },
                { { "--picky", "bad" }, "cannot use '--picky bad': not good", ERROR_INVALID },
                { { "--cap", "\"a" }, "cannot use '--cap \"a': a quoted field does not end", ERROR_INVALID },
                { { "--calm", "a!" }, "cannot use '--calm a!': it shouts", ERROR_INVALID },
                { { "--calm-list", "a,b!" }, "cannot use '--calm-list a,b!': it shouts", ERROR_INVALID },
                { { "--refused", "x" }, "cannot use '--refused': it is not there yet", ERROR_UNSUPPORTED },
                { { "--refused-bool" }, "cannot use '--refused-bool': there is no such thing", ERROR_UNSUPPORTED },
                { { "--nothing=perhaps" }, "cannot use '--nothing=perhaps': neither true nor false", ERROR_INVALID },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                __attribute__((cleanup(line_done))) Line line;

                line_parse(&line, false, lines[i].words);
                CHECK(line.r < 0);
                CHECK_STR(line.error.message, lines[i].message);
                CHECK_INT(line.error.kind, lines[i].kind);
        }
}

TEST(refused_bools_may_be_false) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("--refused-bool=false", "--switched", "--switched=false", "--picky=good"));
        CHECK_INT(line.r, 0);
        CHECK(!line.options.switched);
}

TEST(what_changes_nothing_is_taken) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("--nothing", "--nothing=false", "x"));
        CHECK_INT(line.r, 0);
        CHECK(options_given(&line.parse, "nothing"));
        CHECK_INT(line.parse.n_arguments, 1);
}

TEST(an_empty_value_of_what_is_optional_is_none) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("--optional", "", "--optional=", "-o", "", "x"));
        CHECK_INT(line.r, 0);
        CHECK(!options_given(&line.parse, "optional"));
        CHECK_INT(line.parse.n_arguments, 1);
        line_done(&line);
        line_parse(&line, false, WORDS("--optional", "bad"));
        CHECK_STR(line.error.message, "cannot use '--optional bad': not good");
        line_done(&line);
        line_parse(&line, false, WORDS("--picky", ""));
        CHECK_STR(line.error.message, "cannot use '--picky ': not good");
}

TEST(help_ends_the_line) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("-t", "--help", "--nope"));
        CHECK_INT(line.r, 0);
        CHECK(line.parse.help);
}

TEST(lists_are_lines_of_csv) {
        __attribute__((cleanup(line_done))) Line line;

        line_parse(&line, false, WORDS("--cap", "a,\"b,\"\"c\"", "--cap=", "--cap", "d,"));
        CHECK_INT(line.r, 0);
        CHECK_INT(strv_length(line.options.caps), 4);
        CHECK_STR(line.options.caps[1], "b,\"c");
        CHECK_STR(line.options.caps[3], "");
}
