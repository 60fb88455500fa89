/* SPDX-License-Identifier: Apache-2.0 */
/* How bytes become log entries: where a line ends, where a long one is cut, and the text of the k8s-file format
 *
 *     2026-11-22T10:00:00.000000000+00:00 stdout F text
 *
 * F ends a line, P is a piece that the next entry of the stream continues. Times are UTC. Nothing here does any I/O, and
 * the same bytes with the same time always give the same entries: the monitor's recovery rests on that. */
#pragma once

#include <stdint.h>

#include "base/macro.h"

typedef enum LogStream {
        LOG_STDOUT,
        LOG_STDERR,
        _LOG_STREAM_MAX,
} LogStream;

enum {
        LOG_LINE_MAX = 48 * 1024, /* longer lines are cut into pieces; journald's own LineMax= default */
        LOG_TIME_SIZE = 35,
        LOG_HEADER_SIZE = LOG_TIME_SIZE + 10, /* " stdout F " */
};

/* One entry's text, without the newline. */
typedef struct LogPiece {
        const char *text;
        size_t size;
        bool partial;
} LogPiece;

/* What is left to cut. */
typedef struct LogInput {
        const char *p, *end;
} LogInput;

/* How many of these bytes can become entries now: whole lines and full pieces; with `flush` all of them. */
size_t log_input_ready(const char *data, size_t size, bool flush) _pure_;

/* Cuts the next piece; false at the end. */
bool log_input_next(LogInput *input, LogPiece *ret);

/* Writes the time (nanoseconds since the epoch) as RFC 3339; not NUL-terminated. */
void log_format_time(uint64_t nsec, char *ret);

/* Formats entries into `out` until the input ends or the next one does not fit. Returns the bytes written; what was
 * consumed shows in `input`. `time` is LOG_TIME_SIZE bytes. */
size_t log_format(LogInput *input, LogStream stream, const char *time, char *out, size_t room);

/* The time now, in nanoseconds since the epoch. */
uint64_t log_now(void);

/* Parses the time at the head of an entry, in any zone and with any number of digits after the point, as other writers
 * of this format have it. `end` is where the time's text ends. 0 or -EBADMSG. */
int log_parse_time(const char *text, const char *end, uint64_t *ret_nsec);
