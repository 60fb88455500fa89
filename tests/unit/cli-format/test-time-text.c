/* SPDX-License-Identifier: Apache-2.0 */
/* The words for durations, sizes and moments. */
#include <time.h>

#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "cli/time-text.h"

#define CHECK_TEXT(call, wanted)                     \
        do {                                         \
                _cleanup_free_ char *_t = (call);    \
                CHECK_STR(_t, wanted);               \
        } while (0)

static void zone(const char *name) {
        CHECK_INT(setenv("TZ", name, 1), 0);
        tzset();
}

TEST(durations_in_words) {
        static const struct {
                int64_t seconds;
                const char *words;
        } cases[] = {
                { -5, "Less than a second" }, { 0, "Less than a second" }, { 1, "1 second" }, { 59, "59 seconds" },
                { 60, "About a minute" }, { 119, "About a minute" }, { 120, "2 minutes" }, { 3599, "59 minutes" },
                { 3600, "About an hour" }, { 5399, "About an hour" }, { 5400, "2 hours" }, { 47 * 3600, "47 hours" },
                { 48 * 3600, "2 days" }, { 13 * 86400, "13 days" }, { 14 * 86400, "2 weeks" }, { 59 * 86400, "8 weeks" },
                { 60 * 86400, "2 months" }, { 729LL * 86400, "24 months" }, { 730LL * 86400, "2 years" },
                { 3650LL * 86400, "10 years" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                CHECK_TEXT(time_text_duration(cases[i].seconds), cases[i].words);
        CHECK_TEXT(time_text_ago(1000000, 3900000), "2 seconds ago");
}

TEST(sizes_in_words) {
        CHECK_TEXT(time_text_size(0, 3, false), "0B");
        CHECK_TEXT(time_text_size(12, 3, false), "12B");
        CHECK_TEXT(time_text_size(1982291, 3, false), "1.98MB");
        CHECK_TEXT(time_text_size(1982291, 3, true), "1.98 MB");
        CHECK_TEXT(time_text_size(1500, 4, false), "1.5kB");
        CHECK_TEXT(time_text_size(27490000, 4, false), "27.49MB");
        CHECK_TEXT(time_text_size(UINT64_MAX, 3, false), "18.4EB");
}

TEST(moments_are_written_in_the_local_zone) {
        zone("UTC");
        CHECK_TEXT(time_format_rfc3339(0), "0001-01-01T00:00:00Z");
        CHECK_TEXT(time_format_rfc3339(1795347645590600), "2026-11-22T11:40:45.5906Z");
        CHECK_TEXT(time_format_rfc3339(1795347645000000), "2026-11-22T11:40:45Z");
        CHECK_TEXT(time_format_rfc3339(-1), "1969-12-31T23:59:59.999999Z");
        zone("Europe/Berlin");
        CHECK_TEXT(time_format_rfc3339(1795347645590600), "2026-11-22T12:40:45.5906+01:00");
        zone("America/St_Johns");
        CHECK_TEXT(time_format_rfc3339(1795347645000000), "2026-11-22T08:10:45-03:30");
        zone("UTC");
}

TEST(moments_as_go_prints_them) {
        char *text;

        zone("Europe/Berlin");
        CHECK_INT(time_text_go("2026-11-22T12:40:45.5906+01:00", &text), 0);
        CHECK_TEXT(text, "2026-11-22 12:40:45.5906 +0100 CET");
        CHECK_INT(time_text_go("2026-11-22T12:40:45+05:30", &text), 0);
        CHECK_TEXT(text, "2026-11-22 12:40:45 +0530 +0530");
        CHECK_INT(time_text_go("0001-01-01T00:00:00Z", &text), 0);
        CHECK_TEXT(text, "0001-01-01 00:00:00 +0000 UTC");
        CHECK_INT(time_text_go("soon", &text), -EINVAL);
        CHECK_INT(time_text_go("", &text), -EINVAL);
        zone("UTC");
}

TEST(moments_are_read_in_every_form) {
        static const struct {
                const char *text;
                int64_t usec;
        } cases[] = {
                { "1795347645", 1795347645000000 },
                { "1795347645.25", 1795347645250000 },
                { "2026-11-22T11:40:45Z", 1795347645000000 },
                { "2026-11-22T11:40:45.5906Z", 1795347645590600 },
                { "2026-11-22T12:40:45.590600123+01:00", 1795347645590600 },
                { "2026-11-22 11:40:45", 1795347645000000 },
                { "2026-11-22T11:40", 1795347600000000 },
                { "2026-11-22", 1795305600000000 },
                { "10m", 2000000000 - 600000000 },
                { "1.5s", 2000000000 - 1500000 },
                { "-1m", 2000000000 + 60000000 },
        }, *c;
        static const char *const bad[] = { "", "soon", "2026-13-01", "2026-11-22T25:00:00Z", "2026-11-22T11:40:45Zx", "1 2", "--1m" };
        int64_t usec;

        zone("UTC");
        for (c = cases; c < cases + ELEMENTSOF(cases); c++) {
                CHECK_INT(time_text_parse(c->text, 2000000000, &usec, NULL), 0);
                CHECK_INT(usec, c->usec);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(time_text_parse(bad[i], 0, &usec, NULL), -EINVAL);
}
