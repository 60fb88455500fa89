/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's entries back from the journal. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "base/str.h"
#include "monitor/log-read.h"

enum { SETTLE_ROUNDS = 5, SETTLE_USEC = 100000 };

/* The functions of libsystemd.so.0, which no other part of the command needs: it is loaded for `logs` from the journal. */
#define LIBRARY_FUNCTIONS(X)                                                                                             \
        X(sd_journal_open) X(sd_journal_close) X(sd_journal_get_data) X(sd_journal_get_realtime_usec) X(sd_journal_next)   \
        X(sd_journal_previous_skip) X(sd_journal_seek_head) X(sd_journal_seek_tail) X(sd_journal_seek_realtime_usec)       \
        X(sd_journal_set_data_threshold) X(sd_journal_add_match) X(sd_journal_wait)

typedef struct Journal {
        void *library;
        sd_journal *journal;
#define X(function) typeof(&function) function;
        LIBRARY_FUNCTIONS(X)
#undef X
} Journal;

static void journal_done(Journal *j) {
        if (j->journal)
                j->sd_journal_close(j->journal);
        if (j->library)
                (void) dlclose(j->library);
}

static int load_library(Journal *j, Error *reterr) {
        j->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        if (!j->library)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot read the journal: libsystemd is not there: %s", dlerror());
#define X(function)                                                                                                      \
        j->function = (typeof(j->function)) dlsym(j->library, #function);                                                \
        if (!j->function)                                                                                                \
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot read the journal: libsystemd has no %s()", #function);
        LIBRARY_FUNCTIONS(X)
#undef X
        return 0;
}

/* The value of a field, borrowed until the next entry; false where it is missing. */
static bool get(const Journal *j, const char *field, const char **ret, size_t *ret_size) {
        const void *data;
        size_t size, skip = strlen(field) + 1;

        if (j->sd_journal_get_data(j->journal, field, &data, &size) < 0 || size < skip)
                return false;
        *ret = (const char *) data + skip;
        *ret_size = size - skip;
        return true;
}

static int give(const Journal *j, const LogReadOptions *options, const LogSink *sink) {
        char time[LOG_TIME_SIZE];
        uint64_t usec;
        const char *value;
        size_t size;
        LogEntry entry = { .time = time, .time_size = sizeof(time), .text = "" };

        int r = j->sd_journal_get_realtime_usec(j->journal, &usec);
        if (r < 0)
                return r;
        if (usec * 1000 < options->since_nsec)
                return 0;
        if (options->until_nsec && usec * 1000 > options->until_nsec)
                return 1;
        log_format_time(usec * 1000, time);
        if (get(j, "PRIORITY", &value, &size))
                entry.stream = size == 1 && *value == '6' ? LOG_STDOUT : LOG_STDERR;
        entry.partial = get(j, "CONTAINER_PARTIAL_MESSAGE", &value, &size);
        if (get(j, "MESSAGE", &value, &size)) {
                entry.text = value; /* asked for last: the next question may move it */
                entry.size = size;
        }
        return sink->entry(&entry, sink->userdata);
}

/* Goes to the place before the first entry that is wanted. */
static int seek(const Journal *j, const LogReadOptions *options) {
        int r;

        if (options->tail >= 0) {
                r = j->sd_journal_seek_tail(j->journal);
                /* skipping back n entries arrives at the n-th last; the reading loop's next() must give it again */
                r = r < 0 ? r : j->sd_journal_previous_skip(j->journal, (uint64_t) options->tail + 1);
                if (r < 0 || (int64_t) r > options->tail)
                        return MIN(r, 0);
                return j->sd_journal_seek_head(j->journal);
        }
        return options->since_nsec ? j->sd_journal_seek_realtime_usec(j->journal, options->since_nsec / 1000) : j->sd_journal_seek_head(j->journal);
}

/* All entries there are. 1 when the sink wants no more. */
static int read_entries(const Journal *j, const LogReadOptions *options, const LogSink *sink) {
        int r;

        while ((r = j->sd_journal_next(j->journal)) > 0) {
                r = give(j, options, sink);
                if (r != 0)
                        return MIN(r, 1);
        }
        return r;
}

static int idle(const LogSink *sink) {
        return sink->idle ? sink->idle(sink->userdata) : 0;
}

/* What was sent may not have arrived when the recording is complete: a few quiet looks are the end. */
static int follow(const Journal *j, const LogReadOptions *options, const LogSink *sink) {
        for (int quiet = 0; quiet < SETTLE_ROUNDS;) {
                bool complete = log_is_complete(options->runtime_fd);
                int r = j->sd_journal_wait(j->journal, complete ? SETTLE_USEC : 10 * SETTLE_USEC);

                quiet = complete && r == SD_JOURNAL_NOP ? quiet + 1 : 0;
                if (r >= 0)
                        r = read_entries(j, options, sink);
                if (r >= 0 && idle(sink) < 0)
                        return -EPIPE;
                if (r != 0)
                        return r;
        }
        return 0;
}

int log_read_journal(const char *id, const LogReadOptions *options, const LogSink *sink, Error *reterr) {
        _cleanup_(journal_done) Journal j = {};
        char match[128];

        int r = load_library(&j, reterr);
        if (r < 0)
                return r;
        (void) snprintf(match, sizeof(match), "CONTAINER_ID_FULL=%s", id);
        r = j.sd_journal_open(&j.journal, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = j.sd_journal_set_data_threshold(j.journal, 0);
        if (r >= 0)
                r = j.sd_journal_add_match(j.journal, match, 0);
        if (r >= 0)
                r = seek(&j, options);
        if (r >= 0)
                r = read_entries(&j, options, sink);
        if (r >= 0 && idle(sink) < 0)
                r = -EPIPE;
        if (r == 0 && options->follow && options->runtime_fd >= 0)
                r = follow(&j, options, sink);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the journal of container '%s'", id) : 0;
}
