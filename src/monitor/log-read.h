/* SPDX-License-Identifier: Apache-2.0 */
/* Reading logs back: a k8s-file with its old file beside it, or the journal. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "monitor/log-format.h"

typedef struct LogEntry {
        const char *time;   /* as it stands in the log, RFC 3339 */
        size_t time_size;
        LogStream stream;
        bool partial;       /* the next entry of the stream goes on in the same line */
        const char *text;   /* without a newline */
        size_t size;
} LogEntry;

/* Who gets the entries. `entry` returns 0, a positive number to stop in peace, or -errno. `idle`, where not NULL, is
 * called when there is nothing to read now (before waiting, and at the end): the moment to flush. */
typedef struct LogSink {
        int (*entry)(const LogEntry *entry, void *userdata);
        int (*idle)(void *userdata);
        void *userdata;
} LogSink;

typedef struct LogReadOptions {
        uint64_t since_nsec, until_nsec; /* since the epoch; 0: not limited */
        int64_t tail;                    /* the last so many lines; negative: all */
        bool follow;                     /* until log.state in `runtime_fd` says complete */
        int runtime_fd;                  /* the container's runtime directory; -EBADF: nothing is running */
} LogReadOptions;

#define LOG_READ_ALL ((LogReadOptions){ .tail = -1, .runtime_fd = -EBADF })

/* Reads a log file. Lines that are no entries are passed over. A missing file is an empty log. Neither `tail` nor
 * `since` reads the part of the file that they leave out. */
int log_read_file(const char *path, const LogReadOptions *options, const LogSink *sink, Error *reterr);

/* Reads the journal's entries of a container. */
int log_read_journal(const char *id, const LogReadOptions *options, const LogSink *sink, Error *reterr);

/* A sink that writes the text to two descriptors, in large pieces. */
typedef struct LogOutput {
        int fds[_LOG_STREAM_MAX];
        bool timestamps;           /* the time and a space before each line */
        bool in_line[_LOG_STREAM_MAX];
        LogStream current;
        char *buffer;              /* owned */
        size_t size;
} LogOutput;

/* The sink borrows `output`, which log_output_done() frees (after a flush by `idle`). */
int log_output_init(LogOutput *output, int stdout_fd, int stderr_fd, bool timestamps, LogSink *ret_sink);
void log_output_done(LogOutput *output);

/* Cuts one line of the format into an entry. False if it is none. `end` is where its newline is. */
bool log_entry_parse(const char *line, const char *end, LogEntry *ret);

/* Whether the recording in this runtime directory is complete (or there is none). */
bool log_is_complete(int runtime_fd);
