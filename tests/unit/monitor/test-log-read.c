/* SPDX-License-Identifier: Apache-2.0 */
/* Reading logs back: what an entry is, and which part of a log is wanted. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "monitor/log-read.h"

#define T "2026-11-22T10:00:00.000000000+00:00 "

static char dir[64], path[128];
static int dir_fd;

static void set_up(void) {
        strcpy(dir, "/tmp/sdpod-test-XXXXXX");
        CHECK(mkdtemp(dir));
        dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
        (void) snprintf(path, sizeof(path), "%s/ctr.log", dir);
}

static void tear_down(void) {
        dir_fd = fd_close(dir_fd);
        CHECK_INT(path_remove_tree(AT_FDCWD, dir), 0);
}

static void store(const char *name, const char *text) {
        CHECK_INT(file_write_atomic(dir_fd, name, text, strlen(text), 0600, FILE_VOLATILE), 0);
}

typedef struct Seen {
        char text[65536];
        size_t n, stop_at;
} Seen;

static int see(const LogEntry *e, void *userdata) {
        Seen *s = userdata;
        size_t used = strlen(s->text);

        (void) snprintf(s->text + used, sizeof(s->text) - used, "%c%s%.*s|", e->stream == LOG_STDERR ? 'e' : 'o',
                        e->partial ? "~" : "", (int) e->size, e->text);
        return ++s->n == s->stop_at;
}

static const char *read_log(LogReadOptions options) {
        static Seen seen;
        const LogSink sink = { .entry = see, .userdata = &seen };
        _cleanup_error_ Error error = ERROR_NULL;

        seen = (Seen){};
        int r = log_read_file(path, &options, &sink, &error);
        return r < 0 ? error.message : seen.text;
}

static const char *tail(int64_t n) {
        LogReadOptions options = LOG_READ_ALL;

        options.tail = n;
        return read_log(options);
}

TEST(entries) {
        static const struct {
                const char *line;
                bool good;
        } lines[] = {
                { T "stdout F text", true },
                { T "stderr P ", true },
                { "2026-11-22T10:00:00Z stdout F podman's and others' times", true },
                { T "stdout X text", false },
                { T "stdin F text", false },
                { T "stdout F", false },
                { T "stdout", false },
                { "stdout F text", false },
                { "", false },
        };
        LogEntry e;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                CHECK(log_entry_parse(lines[i].line, lines[i].line + strlen(lines[i].line), &e) == lines[i].good);
        CHECK(log_entry_parse(lines[2].line, lines[2].line + strlen(lines[2].line), &e));
        CHECK_INT(e.time_size, 20);
        CHECK(e.stream == LOG_STDOUT && !e.partial && e.size == strlen("podman's and others' times"));
}

TEST(all_of_it) {
        set_up();
        CHECK_STR(read_log(LOG_READ_ALL), "");
        store("ctr.log", T "stdout F a\njunk\n" T "stderr P b\n\n" T "stderr F c\n" T "stdout F torn");
        CHECK_STR(read_log(LOG_READ_ALL), "oa|e~b|ec|");
        store("ctr.log.1", T "stdout F old\n");
        CHECK_STR(read_log(LOG_READ_ALL), "oold|oa|e~b|ec|");
        CHECK_INT(unlink(path), 0);
        CHECK_STR(read_log(LOG_READ_ALL), "oold|");
        tear_down();
}

TEST(the_tail) {
        set_up();
        store("ctr.log", T "stdout F a\n" T "stdout P b\n" T "stdout F c\n" T "stdout F d\n" T "stdout P e\n");
        CHECK_STR(tail(0), "");
        CHECK_STR(tail(1), "o~e|");
        CHECK_STR(tail(2), "od|o~e|");
        CHECK_STR(tail(3), "o~b|oc|od|o~e|");
        CHECK_STR(tail(4), "oa|o~b|oc|od|o~e|");
        CHECK_STR(tail(99), "oa|o~b|oc|od|o~e|");
        store("ctr.log.1", T "stdout F x\n" T "stdout F y\n");
        CHECK_STR(tail(4), "oa|o~b|oc|od|o~e|");
        CHECK_STR(tail(5), "oy|oa|o~b|oc|od|o~e|");
        CHECK_STR(tail(6), "ox|oy|oa|o~b|oc|od|o~e|");
        CHECK_STR(tail(7), "ox|oy|oa|o~b|oc|od|o~e|");
        CHECK_STR(tail(2), "od|o~e|");
        store("ctr.log", "");
        CHECK_STR(tail(1), "oy|");
        tear_down();
}

static char *timed_log(int n) {
        char *text = calloc((size_t) n, 80), *p = text, time[LOG_TIME_SIZE];

        for (int i = 0; i < n; i++) {
                log_format_time(1795341600000000000 + (uint64_t) i * 1000000000, time);
                p += sprintf(p, "%.*s stdout F %d\n", LOG_TIME_SIZE, time, i);
        }
        return text;
}

TEST(a_span_of_time) {
        LogReadOptions options = LOG_READ_ALL;
        _cleanup_free_ char *text = timed_log(20000);

        set_up();
        store("ctr.log", text);
        for (int i = 0; i < 20000; i += 1777) {
                char wanted[64];

                options.since_nsec = 1795341600000000000 + (uint64_t) i * 1000000000;
                options.until_nsec = options.since_nsec + 1500000000;
                (void) snprintf(wanted, sizeof(wanted), "o%d|o%d|", i, i + 1);
                CHECK_STR(read_log(options), wanted);
        }
        options.since_nsec = 1795341600000000000 + 30000 * (uint64_t) 1000000000;
        options.until_nsec = 0;
        CHECK_STR(read_log(options), "");
        tear_down();
}

TEST(the_reader_stops_when_told) {
        static Seen seen = { .stop_at = 2 };
        const LogSink sink = { .entry = see, .userdata = &seen };
        LogReadOptions options = LOG_READ_ALL;

        set_up();
        store("ctr.log", T "stdout F a\n" T "stdout F b\n" T "stdout F c\n");
        CHECK_INT(log_read_file(path, &options, &sink, NULL), 0);
        CHECK_STR(seen.text, "oa|ob|");
        tear_down();
}

TEST(following_without_a_recording_ends) {
        LogReadOptions options = LOG_READ_ALL;

        set_up();
        store("ctr.log", T "stdout F a\n");
        options.follow = true;
        options.runtime_fd = dir_fd;
        CHECK_STR(read_log(options), "oa|");
        tear_down();
}

TEST(output_keeps_order_and_pieces) {
        LogOutput output;
        LogSink sink;
        int ends[2];
        char text[256] = {};

        CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
        CHECK_INT(log_output_init(&output, ends[1], ends[1], /* timestamps= */ true, &sink), 0);
        const LogEntry entries[] = {
                { .time = "T1", .time_size = 2, .text = "one", .size = 3 },
                { .time = "T2", .time_size = 2, .text = "tw", .size = 2, .partial = true },
                { .time = "T3", .time_size = 2, .text = "err", .size = 3, .stream = LOG_STDERR },
                { .time = "T4", .time_size = 2, .text = "o", .size = 1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(entries); i++)
                CHECK_INT(sink.entry(&entries[i], sink.userdata), 0);
        CHECK_INT(sink.idle(sink.userdata), 0);
        log_output_done(&output);
        CHECK(read(ends[0], text, sizeof(text) - 1) > 0);
        CHECK_STR(text, "T1 one\nT2 twT3 err\no\n");
        (void) fd_close(ends[0]);
        (void) fd_close(ends[1]);
}
