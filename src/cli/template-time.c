/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of Go's time.Time that templates call: {{.Created.Unix}}, {{.Created.Format "2006-01-02"}}. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/template-node.h"
#include "cli/time-text.h"

static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
                                      "July",    "August",   "September", "October", "November", "December" },
                         *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" },
                         *const halves[] = { "AM", "PM" }, *const small_halves[] = { "am", "pm" };

typedef enum Part { YEAR, YEAR_2, MONTH, DAY, YEAR_DAY, HOUR, HOUR_12, MINUTE, SECOND, MONTH_NAME, DAY_NAME, HALF, HALF_SMALL } Part;

/* The reference time's parts, as Go's layouts are written. No word stands behind one that it begins with. A name is cut at the width. */
static const struct {
        const char *layout;
        Part part;
        int width;
        bool blanks; /* and not zeros in front */
} words[] = {
        { "January", MONTH_NAME, 9 }, { "Monday", DAY_NAME, 9 }, { "2006", YEAR, 4 },  { "Jan", MONTH_NAME, 3 },
        { "Mon", DAY_NAME, 3 },       { "002", YEAR_DAY, 3 },    { "01", MONTH, 2 },   { "__2", YEAR_DAY, 3, true },
        { "02", DAY, 2 },             { "03", HOUR_12, 2 },      { "04", MINUTE, 2 },  { "05", SECOND, 2 },
        { "06", YEAR_2, 2 },          { "15", HOUR, 2 },         { "PM", HALF, 2 },    { "_2", DAY, 2, true },
        { "pm", HALF_SMALL, 2 },      { "1", MONTH, 1 },         { "2", DAY, 1 },      { "3", HOUR_12, 1 },
        { "4", MINUTE, 1 },           { "5", SECOND, 1 },
};

static const struct {
        const char *layout;
        bool z;      /* UTC is "Z" */
        bool colon;
        bool minutes;
} zones[] = {
        { "-07:00", false, true, true }, { "-0700", false, false, true }, { "-07", false, false, false },
        { "Z07:00", true, true, true },  { "Z0700", true, false, true },  { "Z07", true, false, false },
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* ".000" is so many digits, ".999" as many as are not 0 at the end. How much of the layout it was; 0: it is none. */
static size_t put_fraction(const char *layout, const TimeParts *t, FILE *out) {
        size_t n = 1, wanted;
        char digits[16];

        if (*layout != '.' && *layout != ',')
                return 0;
        while (layout[n] && layout[n] == layout[1])
                n++;
        if ((layout[1] != '0' && layout[1] != '9') || is_digit(layout[n]))
                return 0;
        wanted = MIN(n - 1, (size_t) 9);
        snprintf(digits, sizeof(digits), "%09ld", t->nsec);
        while (layout[1] == '9' && wanted > 0 && digits[wanted - 1] == '0')
                wanted--;
        if (wanted > 0)
                fprintf(out, "%c%.*s", *layout, (int) wanted, digits);
        return n;
}

static size_t put_zone(const char *layout, const TimeParts *t, FILE *out) {
        long minutes = labs(t->tm.tm_gmtoff) / 60;

        if (str_after(layout, "MST")) {
                fputs(t->zone, out);
                return strlen("MST");
        }
        for (size_t i = 0; i < ELEMENTSOF(zones); i++) {
                if (!str_after(layout, zones[i].layout))
                        continue;
                if (zones[i].z && t->tm.tm_gmtoff == 0)
                        fputc('Z', out);
                else {
                        fprintf(out, "%c%02ld", t->tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60);
                        if (zones[i].minutes)
                                fprintf(out, "%s%02ld", zones[i].colon ? ":" : "", minutes % 60);
                }
                return strlen(zones[i].layout);
        }
        return 0;
}

static const char *name_of(Part part, const struct tm *tm) {
        switch (part) {
        case MONTH_NAME:
                return months[tm->tm_mon];
        case DAY_NAME:
                return days[tm->tm_wday];
        case HALF:
                return halves[tm->tm_hour >= 12];
        case HALF_SMALL:
                return small_halves[tm->tm_hour >= 12];
        default:
                return NULL;
        }
}

static int number_of(Part part, const struct tm *tm) {
        const int numbers[] = {
                [YEAR] = tm->tm_year + 1900, [YEAR_2] = (tm->tm_year + 1900) % 100, [MONTH] = tm->tm_mon + 1, [DAY] = tm->tm_mday,
                [YEAR_DAY] = tm->tm_yday + 1, [HOUR] = tm->tm_hour, [HOUR_12] = (tm->tm_hour + 11) % 12 + 1,
                [MINUTE] = tm->tm_min, [SECOND] = tm->tm_sec,
        };

        return numbers[part];
}

static size_t put_word(const char *layout, const TimeParts *t, FILE *out) {
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                const char *rest = str_after(layout, words[i].layout), *name = name_of(words[i].part, &t->tm);

                if (!rest || (name && words[i].width == 3 && *rest >= 'a' && *rest <= 'z'))
                        continue; /* "Month" and "Janus" are words like others */
                if (name)
                        fprintf(out, "%.*s", words[i].width, name);
                else
                        fprintf(out, words[i].blanks ? "%*d" : "%0*d", words[i].width, number_of(words[i].part, &t->tm));
                return (size_t) (rest - layout);
        }
        return 0;
}

static char *format_time(const char *layout, const TimeParts *t, size_t *ret_size) {
        char *text = NULL;
        FILE *out = open_memstream(&text, ret_size);

        if (!out)
                return NULL;
        while (*layout) {
                size_t n = put_fraction(layout, t, out);

                if (n == 0)
                        n = put_zone(layout, t, out);
                if (n == 0)
                        n = str_after(layout, "_2006") ? 0 : put_word(layout, t, out);
                if (n == 0) {
                        fputc(*layout, out);
                        n = 1;
                }
                layout += n;
        }
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

/* The same moment in another zone, as a time again. */
static int give_time(const TimeParts *t, bool local, Value *ret) {
        time_t seconds = (time_t) t->seconds;
        TimeParts other = { .seconds = t->seconds, .nsec = t->nsec };
        _cleanup_free_ char *text = NULL;
        size_t size;

        if (!(local ? localtime_r(&seconds, &other.tm) : gmtime_r(&seconds, &other.tm)))
                return -ENOMEM;
        text = format_time("2006-01-02T15:04:05.999999999Z07:00", &other, &size);
        if (!text)
                return -ENOMEM;
        *ret = (Value){ .json = json_text(text), .kind = VALUE_TIME };
        return ret->json ? 0 : -ENOMEM;
}

static int give_formatted(Evaluator *e, const TimeParts *t, const char *layout, Value *ret) {
        size_t size = 0;
        _cleanup_free_ char *text = format_time(layout, t, &size);

        return text ? template_give_text(e, text, size, ret) : -ENOMEM;
}

static int read_time(Evaluator *e, const Value *v, TimeParts *ret) {
        int r = time_text_parts(json_string_value(v->json), ret);

        return r < 0 ? template_fail(e, "'%s' is no time", json_string_value(v->json)) : 0;
}

int template_time_field(Evaluator *e, const Value *v, const char *name, Value *ret) {
        TimeParts t;
        int r = read_time(e, v, &t);

        if (r < 0)
                return r;
        const struct {
                const char *name;
                int64_t number;
        } numbers[] = {
                { "Unix", t.seconds },
                { "UnixMilli", t.seconds * 1000 + t.nsec / 1000000 },
                { "UnixMicro", t.seconds * TIME_USEC_PER_SEC + t.nsec / 1000 },
                { "UnixNano", (int64_t) ((uint64_t) t.seconds * 1000000000U + (uint64_t) t.nsec) }, /* wraps around, as in Go */
                { "Year", t.tm.tm_year + 1900 },
                { "Day", t.tm.tm_mday },
                { "YearDay", t.tm.tm_yday + 1 },
                { "Hour", t.tm.tm_hour },
                { "Minute", t.tm.tm_min },
                { "Second", t.tm.tm_sec },
                { "Nanosecond", t.nsec },
        };
        const struct {
                const char *name, *layout;
        } texts[] = { { "Month", "January" }, { "Weekday", "Monday" } };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (str_equal(name, numbers[i].name)) {
                        *ret = (Value){ .json = json_integer(numbers[i].number), .kind = VALUE_DATA };
                        return ret->json ? 0 : -ENOMEM;
                }
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (str_equal(name, texts[i].name))
                        return give_formatted(e, &t, texts[i].layout, ret);
        if (str_equal(name, "UTC") || str_equal(name, "Local"))
                return give_time(&t, *name == 'L', ret);
        if (str_equal(name, "String"))
                return give_formatted(e, &t, "2006-01-02 15:04:05.999999999 -0700 MST", ret);
        if (str_equal(name, "IsZero")) {
                *ret = (Value){ .json = json_boolean(t.tm.tm_year == 1 - 1900 && t.seconds == INT64_C(-62135596800) && t.nsec == 0) };
                return 0;
        }
        return template_fail(e, "can't evaluate field %s in type time", name);
}

int template_time_format(Evaluator *e, const Value *v, const Value *layout, Value *ret) {
        TimeParts t;
        int r = json_is_string(layout->json) ? read_time(e, v, &t) : template_fail(e, "Format wants a string");

        return r < 0 ? r : give_formatted(e, &t, json_string_value(layout->json), ret);
}
