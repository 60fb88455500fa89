/* SPDX-License-Identifier: Apache-2.0 */
/* Records the output of one container: pipe -> spool -> log, so that the death of the program at any instruction loses no
 * byte and doubles none. Knows no event loop and no socket.
 *
 * Theory of operation
 *
 * 1. fill: bytes go from the pipe to a spool (see monitor/log-spool.h). The spool's size is how far the pipe was read.
 * 2. An intent is saved in the state: "`intent_size` bytes of this stream, from `consumed` on, with this time".
 * 3. The entries that these bytes make are written: to the log file at `log_offset`, or to the journal.
 * 4. The state moves on: `consumed` and `log_offset` grow, no intent. What is consumed is given back.
 *
 * Killed after 1 or 4: nothing is open. Killed after 2 or in 3, log file: the next life makes the same bytes again (same
 * input, same time) and writes them to the same place; a reader that has seen some sees no change. Journal: see
 * monitor/log-journal.h. Rotation is an intent of its own, told to be done by the file's inode.
 *
 * A log that cannot be written (full disk, no journald) never stops a container: the spool takes MONITOR_SPOOL_MAX bytes,
 * then the older half is dropped, counted, and told in the log (and by the state) as soon as it can be written. Only a
 * journal that is alive but slow holds a writer up. If the spool's file system itself is full, bytes go through memory. */
#pragma once

#include "base/error.h"
#include "monitor/log-file.h"
#include "monitor/log-journal.h"
#include "monitor/log-spool.h"
#include "monitor/log-state.h"
#include "monitor/protocol.h"

#define RECORDER_CONFIG_NAME "log.json"

enum { RECORDER_IN_SIZE = 128 * 1024, RECORDER_OUT_SIZE = 256 * 1024 };

typedef enum LogDriver {
        LOG_DRIVER_FILE,
        LOG_DRIVER_JOURNAL,
        LOG_DRIVER_NONE,
} LogDriver;

/* What all recorders of a program share. */
typedef struct RecorderShared {
        char *in, *out;   /* owned; nothing is kept in them between calls */
        int journal_fd;   /* -EBADF until needed */
        bool settled;     /* what an earlier life sent to the journal has arrived */
} RecorderShared;

#define RECORDER_SHARED_NULL ((RecorderShared){ .journal_fd = -EBADF })

int recorder_shared_init(RecorderShared *shared);
void recorder_shared_done(RecorderShared *shared);

typedef struct Recorder {
        RecorderShared *shared;         /* borrowed */
        const MonitorConfig *config;    /* borrowed */
        LogDriver driver;
        int dir_fd, state_fd;           /* the runtime directory; owned */
        LogState state;
        LogSpool spool[_LOG_STREAM_MAX];
        LogFile file;
        LogJournalFields fields;
        unsigned sent;                  /* entries of the open journal batch that went out */

        /* sees output as it comes in, before it is logged; NULL: nobody looks */
        void (*on_output)(LogStream stream, const char *data, size_t size, void *userdata);
        void *userdata;
} Recorder;

#define RECORDER_NULL                                                                             \
        ((Recorder){ .dir_fd = -EBADF, .state_fd = -EBADF, .spool = { LOG_SPOOL_NULL, LOG_SPOOL_NULL }, \
                     .file = LOG_FILE_NULL })

/* Begins a new run in `dir_fd` (duplicated): writes log.json, a fresh state, empty spools. */
int recorder_begin(Recorder *recorder, RecorderShared *shared, const MonitorConfig *config, int dir_fd, Error *reterr);

/* Goes on where an earlier life stopped, and finishes what it had begun to write. */
int recorder_resume(Recorder *recorder, RecorderShared *shared, const MonitorConfig *config, int dir_fd, Error *reterr);

/* Lets go without finishing. */
void recorder_done(Recorder *recorder);

/* Takes up to `size` bytes from a pipe. Returns the number, 0 at the end, -EAGAIN when the pipe is empty, -ENOBUFS when
 * the spool is full (drain or drop, then call again). */
ssize_t recorder_fill(Recorder *recorder, LogStream stream, int pipe_fd, size_t size);

/* Logs all whole lines that are spooled, with `flush` also what has no newline yet. 0, -EAGAIN when the journal's queue
 * is full, or why the log cannot be written: call again later. */
int recorder_drain(Recorder *recorder, LogStream stream, bool flush);

/* Drops the older half of what waits in the spool, and counts it. */
void recorder_drop(Recorder *recorder, LogStream stream, int failure);

static inline uint64_t recorder_pending(const Recorder *recorder, LogStream stream) {
        return log_spool_pending(&recorder->spool[stream]);
}

/* The last word: what is still pending is logged or else counted as lost, the state is complete, the spools are gone.
 * With `force` 0 is always the result; without it, what recorder_drain() says, and nothing has ended. */
int recorder_finish(Recorder *recorder, bool force);
