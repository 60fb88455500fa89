/* SPDX-License-Identifier: Apache-2.0 */
/* Times, durations and sizes in the words that Podman prints. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/error.h"

/* "Less than a second", "5 seconds", "About a minute", "2 hours", "3 weeks". Owned. */
char *time_text_duration(int64_t seconds);

/* The duration between two moments, and " ago". Owned. */
char *time_text_ago(int64_t then_usec, int64_t now_usec);

/* How Go prints a time.Time that is written as RFC 3339: "2026-11-22 11:40:45.59 +0000 UTC". -EINVAL if it is none. */
int time_text_go(const char *rfc3339, char **ret);

/* A time that is written as RFC 3339, in its own zone. `zone` is what Go calls it: "UTC", "CET", "+0100". -EINVAL if it is none. */
typedef struct TimeParts {
        struct tm tm;    /* with tm_gmtoff */
        int64_t seconds; /* since the epoch */
        long nsec;
        char zone[32];
} TimeParts;
int time_text_parts(const char *rfc3339, TimeParts *ret);

/* A moment as --since, --until and filters take it: RFC 3339 (also without zone, or a date alone: local time), seconds
 * since the epoch with a fraction, or a Go duration before now ("10m"). */
int time_text_parse(const char *s, int64_t now_usec, int64_t *ret_usec, Error *reterr);

/* A size in powers of 1000 with that many significant digits: "1.98MB"; with `space`, "1.98 MB". Owned. */
char *time_text_size(uint64_t bytes, int digits, bool space);
