/* SPDX-License-Identifier: Apache-2.0 */
/* Times, durations and sizes in the words that Podman prints. */
#include "cli/time-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"

enum { USEC = TIME_USEC_PER_SEC };

char *time_text_duration(int64_t seconds) {
        int64_t minutes = seconds / 60, hours = (seconds + 1800) / 3600;
        static const struct {
                int64_t below_hours, hours;
                const char *unit;
        } units[] = {
                { 48, 1, "hours" },
                { 24 * 7 * 2, 24, "days" },
                { 24 * 30 * 2, 24 * 7, "weeks" },
                { 24 * 365 * 2, 24 * 30, "months" },
        };

        if (seconds < 1)
                return strdup("Less than a second");
        if (seconds == 1)
                return strdup("1 second");
        if (seconds < 60)
                return str_format("%" PRId64 " seconds", seconds);
        if (minutes == 1)
                return strdup("About a minute");
        if (minutes < 60)
                return str_format("%" PRId64 " minutes", minutes);
        if (hours == 1)
                return strdup("About an hour");
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (hours < units[i].below_hours)
                        return str_format("%" PRId64 " %s", hours / units[i].hours, units[i].unit);
        return str_format("%" PRId64 " years", seconds / 3600 / 24 / 365);
}

char *time_text_ago(int64_t then_usec, int64_t now_usec) {
        _cleanup_free_ char *text = time_text_duration((now_usec - then_usec) / USEC);

        return text ? str_format("%s ago", text) : NULL;
}

typedef struct Moment {
        struct tm tm;
        int64_t rest_usec;
        size_t fraction_at, fraction_size; /* in the text */
        bool has_zone;
        long offset; /* seconds east of Greenwich */
} Moment;

static bool take_digits(const char **s, size_t n, int *ret) {
        int value = 0;

        for (size_t i = 0; i < n; i++, ++*s) {
                if (**s < '0' || **s > '9')
                        return false;
                value = value * 10 + (**s - '0');
        }
        *ret = value;
        return true;
}

static bool take_char(const char **s, const char *any) {
        if (!**s || !strchr(any, **s))
                return false;
        ++*s;
        return true;
}

static bool take_zone(const char **s, Moment *m) {
        int hours, minutes;
        bool west = **s == '-';

        m->has_zone = true;
        if (take_char(s, "Zz"))
                return true;
        if (!take_char(s, "+-") || !take_digits(s, 2, &hours) || !take_char(s, ":") || !take_digits(s, 2, &minutes))
                return false;
        m->offset = (hours * 3600L + minutes * 60L) * (west ? -1 : 1);
        return hours < 24 && minutes < 60;
}

static bool take_clock(const char **s, const char *start, Moment *m) {
        int64_t scale = 100000;

        if (!take_digits(s, 2, &m->tm.tm_hour) || !take_char(s, ":") || !take_digits(s, 2, &m->tm.tm_min))
                return false;
        if (take_char(s, ":") && !take_digits(s, 2, &m->tm.tm_sec))
                return false;
        m->fraction_at = (size_t) (*s - start);
        if (take_char(s, "."))
                for (; **s >= '0' && **s <= '9'; ++*s, scale /= 10)
                        m->rest_usec += (**s - '0') * scale;
        m->fraction_size = (size_t) (*s - start) - m->fraction_at;
        return m->tm.tm_hour < 24 && m->tm.tm_min < 60 && m->tm.tm_sec <= 60;
}

static bool parse_moment(const char *text, Moment *ret) {
        Moment m = {};
        const char *s = text;

        if (!take_digits(&s, 4, &m.tm.tm_year) || !take_char(&s, "-") || !take_digits(&s, 2, &m.tm.tm_mon) ||
            !take_char(&s, "-") || !take_digits(&s, 2, &m.tm.tm_mday))
                return false;
        if (m.tm.tm_mon < 1 || m.tm.tm_mon > 12 || m.tm.tm_mday < 1 || m.tm.tm_mday > 31)
                return false;
        m.tm.tm_year -= 1900;
        m.tm.tm_mon--;
        if (take_char(&s, "Tt ") && !take_clock(&s, text, &m))
                return false;
        if (*s && !take_zone(&s, &m))
                return false;
        *ret = m;
        return !*s;
}

static int64_t moment_usec(const Moment *m) {
        struct tm tm = m->tm;
        time_t seconds;

        tm.tm_isdst = -1;
        seconds = m->has_zone ? timegm(&tm) - m->offset : mktime(&tm);
        return (int64_t) seconds * USEC + m->rest_usec;
}

/* How Go writes an offset that is not UTC's: by the local zone's name, where it is that. */
static void zone_name(time_t seconds, long offset, char *to, size_t size) {
        long minutes = labs(offset) / 60;
        struct tm local;

        if (offset == 0)
                snprintf(to, size, "UTC");
        else if (localtime_r(&seconds, &local) && local.tm_gmtoff == offset)
                snprintf(to, size, "%s", local.tm_zone);
        else
                snprintf(to, size, "%c%02ld%02ld", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

int time_text_go(const char *text, char **ret) {
        char zone[32];
        Moment m;

        if (!parse_moment(text, &m) || !m.has_zone)
                return -EINVAL;
        long minutes = labs(m.offset) / 60;
        zone_name((time_t) (moment_usec(&m) / USEC), m.offset, zone, sizeof(zone));
        *ret = str_format("%.10s %.8s%.*s %c%02ld%02ld %s", text, text + 11, (int) m.fraction_size, text + m.fraction_at,
                          m.offset < 0 ? '-' : '+', minutes / 60, minutes % 60, zone);
        return *ret ? 0 : -ENOMEM;
}

int time_text_parts(const char *text, TimeParts *ret) {
        long scale = 100 * 1000 * 1000;
        Moment m;

        if (!parse_moment(text, &m) || !m.has_zone)
                return -EINVAL;
        *ret = (TimeParts){ .tm = m.tm };
        ret->seconds = timegm(&ret->tm) - m.offset; /* fills the days of week and year in, too */
        ret->tm.tm_gmtoff = m.offset;
        for (size_t i = 1; i < m.fraction_size; i++, scale /= 10)
                ret->nsec += (text[m.fraction_at + i] - '0') * scale;
        zone_name((time_t) ret->seconds, m.offset, ret->zone, sizeof(ret->zone));
        return 0;
}

/* "1700000000.25" */
static bool parse_epoch(const char *s, int64_t *ret) {
        int64_t seconds, scale = 100000, rest = 0;
        _cleanup_free_ char *whole = strndup(s, strcspn(s, "."));

        if (!whole || parse_i64(whole, &seconds) < 0 || seconds > INT64_MAX / USEC - 1 || seconds < INT64_MIN / USEC + 1)
                return false;
        s += strlen(whole);
        if (*s == '.')
                for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
                        rest += (*s - '0') * scale;
        *ret = seconds * USEC + rest;
        return !*s;
}

int time_text_parse(const char *s, int64_t now_usec, int64_t *ret_usec, Error *reterr) {
        uint64_t duration;
        Moment m;

        if (parse_epoch(s, ret_usec))
                return 0;
        if (parse_moment(s, &m)) {
                *ret_usec = moment_usec(&m);
                return 0;
        }
        bool ahead = *s == '-'; /* Podman: a negative duration lies in the future */
        if (parse_duration(ahead ? s + 1 : s, &duration) >= 0 && duration < INT64_MAX / 2) {
                *ret_usec = now_usec + (ahead ? (int64_t) duration : -(int64_t) duration);
                return 0;
        }
        return error_set(reterr, -EINVAL, ERROR_INVALID,
                         "cannot read time '%s': not a date (2026-11-22T10:00:00Z), seconds since the epoch or a duration (10m)",
                         s);
}

char *time_text_size(uint64_t bytes, int digits, bool space) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        double size = (double) bytes;
        size_t unit = 0;

        for (; size >= 1000 && unit < ELEMENTSOF(units) - 1; unit++)
                size /= 1000;
        return str_format("%.*g%s%s", digits, size, space ? " " : "", units[unit]);
}
