/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting and quoting words: systemd.syntax(7), and back again. */
#include "base/test.h"
#include "unit/quote.h"

/* The words with '|' between them. */
static const char *split(const char *value, UnitSplit how) {
        static char joined[512];
        Arena arena = {};
        Words words = {};
        size_t n = 0;

        int r = unit_split(&arena, value, how, &words);
        joined[0] = '\0';
        for (size_t i = 0; i < words.n; i++)
                n += (size_t) snprintf(joined + n, sizeof(joined) - n, "%s%s", i > 0 ? "|" : "", words.items[i]);
        if (r < 0)
                (void) snprintf(joined, sizeof(joined), "error %d", -r);
        words_done(&words);
        arena_done(&arena);
        return joined;
}

TEST(words_are_separated_by_blanks) {
        CHECK_STR(split("", UNIT_SPLIT_PLAIN), "");
        CHECK_STR(split("  \t ", UNIT_SPLIT_PLAIN), "");
        CHECK_STR(split(" a\tb  c ", UNIT_SPLIT_PLAIN), "a|b|c");
}

TEST(quotes_go_wherever_they_are) {
        CHECK_STR(split("\"a b\" 'c d' e\"f g\"h 'i'\"j\"", UNIT_SPLIT_PLAIN), "a b|c d|ef gh|ij");
        CHECK_STR(split("\"it's\" '\"'", UNIT_SPLIT_PLAIN), "it's|\"");
}

TEST(empty_words_are_kept) {
        CHECK_STR(split("a \"\" b ''", UNIT_SPLIT_ESCAPES), "a||b|");
}

TEST(open_quotes_end_with_the_value) {
        CHECK_STR(split("a \"b c", UNIT_SPLIT_ESCAPES), "a|b c");
        CHECK_STR(split("a b\\", UNIT_SPLIT_ESCAPES), "a|b");
}

TEST(plain_words_keep_backslashes) {
        CHECK_STR(split("a\\n \\x \"\\\"", UNIT_SPLIT_PLAIN), "a\\n|\\x|\\");
}

TEST(escapes_are_decoded) {
        CHECK_STR(split("\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s", UNIT_SPLIT_ESCAPES), "\a\b\f\n\r\t\v\\\"' ");
        CHECK_STR(split("\\x41\\102\\u00e9\\U0001F600\\xff", UNIT_SPLIT_ESCAPES), "AB\u00e9\U0001F600\xff");
        CHECK_STR(split("'\\x20' a\\x20b", UNIT_SPLIT_ESCAPES), " |a b");
}

TEST(unknown_escapes_are_refused) {
        static const char *const bad[] = { "\\q",   "\\x4",  "\\xg0",   "\\x00",       "\\000",       "\\18", "\\400",
                                           "\\777", "\\u12", "\\ud800", "\\U00110000", "\\U0000d800", "\\?" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_STR(split(bad[i], UNIT_SPLIT_ESCAPES), "error 22");
}

TEST(a_refused_value_adds_no_word) {
        Arena arena = {};
        Words words = {};

        CHECK_INT(unit_split(&arena, "a b", UNIT_SPLIT_ESCAPES, &words), 0);
        CHECK_INT(unit_split(&arena, "c \\q", UNIT_SPLIT_ESCAPES, &words), -EINVAL);
        CHECK_INT(words.n, 2);
        words_done(&words);
        arena_done(&arena);
}

static const char *quote_by(void (*how)(Text *, const char *), const char *word) {
        static char copy[128];
        Text text = {};

        how(&text, word);
        (void) snprintf(copy, sizeof(copy), "%s", text.data ? text.data : "");
        text_done(&text);
        return copy;
}

static const char *quote(const char *word) {
        return quote_by(unit_quote_word, word);
}

static const char *quote_readable(const char *word) {
        return quote_by(unit_quote_readable, word);
}

TEST(words_are_quoted_only_where_it_matters) {
        CHECK_STR(quote("plain-word_1.2:/a=b,c"), "plain-word_1.2:/a=b,c");
        CHECK_STR(quote("%h$HOME${X}"), "%h$HOME${X}");
        CHECK_STR(quote("a;b"), "a;b");
        CHECK_STR(quote("caf\u00e9"), "caf\u00e9");
        CHECK_STR(quote(""), "\"\"");
        CHECK_STR(quote(";"), "\";\"");
        CHECK_STR(quote("a b"), "\"a\\x20b\"");
        CHECK_STR(quote_readable("a b "), "\"a b \"");
        CHECK_STR(quote_readable("a\tb \""), "\"a\\tb \\\"\"");
        CHECK_STR(quote("it's"), "\"it's\"");
        CHECK_STR(quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
        CHECK_STR(quote("a\nb\rc\td"), "\"a\\nb\\rc\\td\"");
        CHECK_STR(quote("\x01\x7f"), "\"\\x01\\x7f\"");
        CHECK_STR(quote("\xff\u00e9"), "\"\\xff\u00e9\"");
}

TEST(what_is_quoted_splits_into_the_same_word) {
        char word[4] = {};

        for (unsigned a = 1; a < 256; a++)
                for (unsigned b = 1; b < 256; b += a % 7 == 0 ? 1 : 31) {
                        Arena arena = {};
                        Words words = {};
                        Text text = {};

                        word[0] = (char) a;
                        word[1] = (char) b;
                        word[2] = a % 2 ? '\\' : '\0';
                        unit_quote_word(&text, word);
                        CHECK_INT(unit_split(&arena, text.data, UNIT_SPLIT_ESCAPES, &words), 0);
                        CHECK_INT(words.n, 1);
                        CHECK_STR(words.items[0], word);
                        text_done(&text);
                        words_done(&words);
                        arena_done(&arena);
                }
}

TEST(our_own_text_is_not_expanded) {
        Arena arena = {};

        CHECK_STR(unit_escape_specifiers(&arena, "50% of $X %%", false), "50%% of $X %%%%");
        CHECK_STR(unit_escape_specifiers(&arena, "50% of $X", true), "50%% of $$X");
        arena_done(&arena);
}

TEST(utf8_is_what_rfc_3629_says) {
        CHECK_INT(unit_utf8_length("a"), 1);
        CHECK_INT(unit_utf8_length("\u00e9"), 2);
        CHECK_INT(unit_utf8_length("\u20ac"), 3);
        CHECK_INT(unit_utf8_length("\U0001F600"), 4);
        CHECK_INT(unit_utf8_length("\xc0\xaf"), 0);
        CHECK_INT(unit_utf8_length("\xe0\x80\xaf"), 0);
        CHECK_INT(unit_utf8_length("\xed\xa0\x80"), 0);
        CHECK_INT(unit_utf8_length("\xf4\x90\x80\x80"), 0);
        CHECK_INT(unit_utf8_length("\xf5\x80\x80\x80"), 0);
        CHECK_INT(unit_utf8_length("\xe2\x82"), 0);
        CHECK_INT(unit_utf8_length("\x80"), 0);
}
