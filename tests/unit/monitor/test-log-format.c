/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to entries: cuts, pieces, binary bytes, times. */
#include <string.h>

#include "base/test.h"
#include "monitor/log-format.h"

static const char test_time[] = "2026-11-22T10:00:00.000000000+00:00";

static char out[1024 * 1024], text[512 * 1024];

static size_t format(const char *data, size_t size) {
        LogInput input = { .p = data, .end = data + size };
        size_t n = log_format(&input, LOG_STDOUT, test_time, out, sizeof(out) - 1);

        out[n] = 0;
        return n;
}

TEST(lines_and_pieces) {
        (void) format("one\ntwo", 7);
        CHECK_STR(out, "2026-11-22T10:00:00.000000000+00:00 stdout F one\n"
                       "2026-11-22T10:00:00.000000000+00:00 stdout P two\n");
        (void) format("\n", 1);
        CHECK_STR(out, "2026-11-22T10:00:00.000000000+00:00 stdout F \n");
        (void) format("dos\r\n", 5);
        CHECK_STR(out, "2026-11-22T10:00:00.000000000+00:00 stdout F dos\r\n");
}

TEST(nothing_is_no_entry) {
        CHECK_INT(format("", 0), 0);
        CHECK_INT(log_input_ready("", 0, true), 0);
}

TEST(binary_bytes_stay) {
        const char data[] = "a\0b\xff\x1b\n";

        CHECK_INT(format(data, 6), LOG_HEADER_SIZE + 6);
        CHECK(memcmp(out + LOG_HEADER_SIZE, data, 6) == 0);
}

TEST(stderr_is_named) {
        LogInput input = { .p = "e\n", .end = input.p + 2 };

        CHECK_INT(log_format(&input, LOG_STDERR, test_time, out, sizeof(out)), LOG_HEADER_SIZE + 2);
        CHECK(memcmp(out + LOG_TIME_SIZE, " stderr F e\n", 12) == 0);
}

TEST(long_lines_are_cut) {
        LogInput input = { .p = text, .end = text + 64 * 1024 + 1 };
        LogPiece piece;

        memset(text, 'x', sizeof(text));
        text[64 * 1024] = '\n';
        CHECK(log_input_next(&input, &piece));
        CHECK_INT(piece.size, LOG_LINE_MAX);
        CHECK(piece.partial);
        CHECK(log_input_next(&input, &piece));
        CHECK_INT(piece.size, 64 * 1024 - LOG_LINE_MAX);
        CHECK(!piece.partial);
        CHECK(!log_input_next(&input, &piece));
}

TEST(line_of_exactly_the_limit_is_whole) {
        LogInput input = { .p = text, .end = text + LOG_LINE_MAX + 1 };
        LogPiece piece;

        memset(text, 'x', sizeof(text));
        text[LOG_LINE_MAX] = '\n';
        CHECK(log_input_next(&input, &piece));
        CHECK_INT(piece.size, LOG_LINE_MAX);
        CHECK(!piece.partial);
        CHECK(!log_input_next(&input, &piece));
}

TEST(ready_is_whole_lines_and_full_pieces) {
        memset(text, 'x', sizeof(text));
        CHECK_INT(log_input_ready(text, 100, false), 0);
        CHECK_INT(log_input_ready(text, 100, true), 100);
        CHECK_INT(log_input_ready(text, LOG_LINE_MAX, false), LOG_LINE_MAX);
        CHECK_INT(log_input_ready(text, LOG_LINE_MAX * 2 + 5, false), LOG_LINE_MAX * 2);
        text[9] = '\n';
        CHECK_INT(log_input_ready(text, 100, false), 10);
        CHECK_INT(log_input_ready(text, 10 + LOG_LINE_MAX + 7, false), 10 + LOG_LINE_MAX);
}

/* However the bytes are split into rounds, what is ready in one round is cut alike when it is cut again. */
TEST(cutting_again_gives_the_same_entries) {
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (i * 7919) % 60013 == 0 ? '\n' : 'a';
        size_t ready = log_input_ready(text, 300000, false);
        size_t n = format(text, ready);
        char *copy = malloc(n);
        CHECK(copy);
        memcpy(copy, out, n);
        CHECK_INT(format(text, ready), n);
        CHECK(memcmp(copy, out, n) == 0);
        free(copy);
}

TEST(a_full_buffer_stops_between_entries) {
        LogInput input = { .p = "one\ntwo\n", .end = input.p + 8 };

        CHECK_INT(log_format(&input, LOG_STDOUT, test_time, out, LOG_HEADER_SIZE + 4 + 10), LOG_HEADER_SIZE + 4);
        CHECK_INT(input.end - input.p, 4);
}

TEST(times) {
        char time[LOG_TIME_SIZE + 1] = {};
        uint64_t nsec;

        log_format_time(1795341600123456789, time);
        CHECK_STR(time, "2026-11-22T10:00:00.123456789+00:00");
        CHECK_INT(log_parse_time(time, time + LOG_TIME_SIZE, &nsec), 0);
        CHECK_INT(nsec, 1795341600123456789);
        const char *zone = "2026-11-22T12:30:00.5+02:30";
        CHECK_INT(log_parse_time(zone, zone + strlen(zone), &nsec), 0);
        CHECK_INT(nsec, 1795341600500000000);
        const char *utc = "2026-11-22T10:00:00Z";
        CHECK_INT(log_parse_time(utc, utc + strlen(utc), &nsec), 0);
        CHECK_INT(nsec, 1795341600000000000);
        for (size_t i = 0; i < strlen(zone) - 1; i++)
                if (i != strlen("2026-11-22T12:30:00.5"))
                        CHECK_INT(log_parse_time(zone, zone + i, &nsec), -EBADMSG);
}
