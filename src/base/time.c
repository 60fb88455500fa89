/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as microseconds since the epoch, and as RFC 3339 text. */
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/str.h"

static int64_t read_clock(clockid_t clock) {
        struct timespec now;

        (void) clock_gettime(clock, &now);
        return (int64_t) now.tv_sec * TIME_USEC_PER_SEC + now.tv_nsec / 1000;
}

int64_t time_now_usec(void) {
        return read_clock(CLOCK_REALTIME);
}

int64_t time_monotonic_usec(void) {
        return read_clock(CLOCK_MONOTONIC);
}

/* "Z" or "+01:00". */
static void zone_text(const struct tm *tm, char *to, size_t size) {
        int minutes = (int) (tm->tm_gmtoff / 60) % (24 * 60);

        if (minutes == 0)
                snprintf(to, size, "Z");
        else
                snprintf(to, size, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
}

char *time_format_rfc3339(int64_t usec) {
        time_t seconds = (time_t) (usec / TIME_USEC_PER_SEC);
        int64_t rest = usec % TIME_USEC_PER_SEC;
        char fraction[16] = "", zone[16];
        struct tm tm;

        if (usec == 0)
                return strdup("0001-01-01T00:00:00Z");
        if (rest < 0) {
                rest += TIME_USEC_PER_SEC;
                seconds--;
        }
        if (!localtime_r(&seconds, &tm))
                return NULL;
        if (rest > 0) {
                snprintf(fraction, sizeof(fraction), ".%06" PRId64, rest);
                for (size_t n = strlen(fraction); fraction[n - 1] == '0'; n--)
                        fraction[n - 1] = 0;
        }
        zone_text(&tm, zone, sizeof(zone));
        return str_format("%04d-%02d-%02dT%02d:%02d:%02d%s%s", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                          tm.tm_min, tm.tm_sec, fraction, zone);
}
