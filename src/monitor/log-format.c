/* SPDX-License-Identifier: Apache-2.0 */
/* How bytes become log entries. */
#include "monitor/log-format.h"

#include <string.h>
#include <time.h>

static const uint64_t nsec_per_sec = 1000000000;

size_t log_input_ready(const char *data, size_t size, bool flush) {
        if (flush || size == 0)
                return size;

        const char *newline = memrchr(data, '\n', size);
        size_t lines = newline ? (size_t) (newline - data) + 1 : 0;

        return lines + (size - lines) / LOG_LINE_MAX * LOG_LINE_MAX;
}

bool log_input_next(LogInput *input, LogPiece *ret) {
        size_t left = (size_t) (input->end - input->p);

        if (left == 0)
                return false;

        const char *newline = memchr(input->p, '\n', MIN(left, (size_t) LOG_LINE_MAX + 1));
        ret->text = input->p;
        ret->partial = !newline;
        ret->size = newline ? (size_t) (newline - input->p) : MIN(left, (size_t) LOG_LINE_MAX);
        input->p += ret->size + (newline ? 1 : 0);
        return true;
}

static void put_digits(char *at, unsigned n, uint64_t value) {
        for (; n > 0; value /= 10)
                at[--n] = (char) ('0' + value % 10);
}

void log_format_time(uint64_t nsec, char *ret) {
        time_t seconds = (time_t) (nsec / nsec_per_sec);
        struct tm tm = {};

        (void) gmtime_r(&seconds, &tm); /* cannot fail below the year 2^31 */
        memcpy(ret, "0000-00-00T00:00:00.000000000+00:00", LOG_TIME_SIZE);
        put_digits(ret, 4, (uint64_t) tm.tm_year + 1900);
        put_digits(ret + 5, 2, (uint64_t) tm.tm_mon + 1);
        put_digits(ret + 8, 2, (uint64_t) tm.tm_mday);
        put_digits(ret + 11, 2, (uint64_t) tm.tm_hour);
        put_digits(ret + 14, 2, (uint64_t) tm.tm_min);
        put_digits(ret + 17, 2, (uint64_t) tm.tm_sec);
        put_digits(ret + 20, 9, nsec % nsec_per_sec);
}

size_t log_format(LogInput *input, LogStream stream, const char *time, char *out, size_t room) {
        char header[LOG_HEADER_SIZE];
        char *p = out, *end = out + room;
        LogPiece piece;

        memcpy(header, time, LOG_TIME_SIZE);
        memcpy(header + LOG_TIME_SIZE, stream == LOG_STDERR ? " stderr F " : " stdout F ", 10);
        for (LogInput before = *input; log_input_next(input, &piece); before = *input) {
                if ((size_t) (end - p) < LOG_HEADER_SIZE + piece.size + 1) {
                        *input = before;
                        break;
                }
                memcpy(p, header, LOG_HEADER_SIZE);
                if (piece.partial)
                        p[LOG_TIME_SIZE + 8] = 'P';
                memcpy(p + LOG_HEADER_SIZE, piece.text, piece.size);
                p += LOG_HEADER_SIZE + piece.size;
                *p++ = '\n';
        }
        return (size_t) (p - out);
}

uint64_t log_now(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * nsec_per_sec + (uint64_t) now.tv_nsec;
}

/* `n` digits at *p, and then `after` (0: nothing). */
static bool take_digits(const char **p, const char *end, unsigned n, char after, int *ret) {
        int value = 0;

        for (; n > 0; n--, (*p)++) {
                if (*p >= end || **p < '0' || **p > '9')
                        return false;
                value = value * 10 + (**p - '0');
        }
        if (after && (*p >= end || *(*p)++ != after))
                return false;
        *ret = value;
        return true;
}

static uint64_t take_fraction(const char **p, const char *end) {
        uint64_t value = 0, unit = nsec_per_sec / 10;

        if (*p >= end || **p != '.')
                return 0;
        for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
                value += (uint64_t) (**p - '0') * unit;
        return value;
}

/* "Z", "+HH:MM" or "-HH:MM" at the end, in seconds east of UTC. */
static bool take_zone(const char *p, const char *end, int *ret) {
        int hours, minutes;

        if (end - p == 1 && (*p == 'Z' || *p == 'z')) {
                *ret = 0;
                return true;
        }
        if (end - p != 6 || (*p != '+' && *p != '-'))
                return false;
        int sign = *p++ == '-' ? -1 : 1;
        if (!take_digits(&p, end, 2, ':', &hours) || !take_digits(&p, end, 2, 0, &minutes))
                return false;
        *ret = sign * (hours * 3600 + minutes * 60);
        return true;
}

int log_parse_time(const char *text, const char *end, uint64_t *ret_nsec) {
        const char *p = text;
        struct tm tm = {};
        int zone;

        if (!take_digits(&p, end, 4, '-', &tm.tm_year) || !take_digits(&p, end, 2, '-', &tm.tm_mon) ||
            !take_digits(&p, end, 2, 'T', &tm.tm_mday) || !take_digits(&p, end, 2, ':', &tm.tm_hour) ||
            !take_digits(&p, end, 2, ':', &tm.tm_min) || !take_digits(&p, end, 2, 0, &tm.tm_sec))
                return -EBADMSG;
        uint64_t fraction = take_fraction(&p, end);
        if (!take_zone(p, end, &zone))
                return -EBADMSG;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        time_t seconds = timegm(&tm);
        if (seconds < zone)
                return -EBADMSG;
        *ret_nsec = (uint64_t) (seconds - zone) * nsec_per_sec + fraction;
        return 0;
}
