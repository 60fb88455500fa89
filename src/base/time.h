/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as microseconds since the epoch, and as RFC 3339 text. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

#define TIME_USEC_PER_SEC INT64_C(1000000)

/* CLOCK_REALTIME, now. */
int64_t time_now_usec(void);

/* CLOCK_MONOTONIC, now: for durations, which no change of the clock may make longer or shorter. */
int64_t time_monotonic_usec(void);

/* RFC 3339 with as many decimals as there are, in the local time zone: "2026-11-22T11:40:45.59Z". 0, the time that never
 * was, is Go's zero time, "0001-01-01T00:00:00Z". Owned; NULL when out of memory. */
char *time_format_rfc3339(int64_t usec);
