/* SPDX-License-Identifier: Apache-2.0 */
/* A log file in the k8s-file format: a known end, a size limit, one old file beside it (`ctr.log.1`).
 *
 * The monitor drives the steps itself (see monitor/recorder.h); `sdpod run` in the foreground, which loses its container
 * when it dies, writes through LogWriter. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "monitor/log-format.h"
#include "monitor/log-state.h"

#define LOG_FILE_OLD_SUFFIX ".1"

enum { LOG_FILE_MAX_DEFAULT = 16 * 1024 * 1024 };

typedef struct LogFile {
        int dir_fd, fd;
        char *name;
        uint64_t offset;   /* where the next entry goes */
        uint64_t inode;
        uint64_t max_size; /* UINT64_MAX: no limit */
} LogFile;

#define LOG_FILE_NULL ((LogFile){ .dir_fd = -EBADF, .fd = -EBADF })

/* Opens (makes, 0600) the log for appending; `path` is absolute. A FIFO, device or symlink is refused. `max_size` 0 is
 * the default. */
int log_file_open(LogFile *file, const char *path, uint64_t max_size, Error *reterr);

/* For the first entry of a run: ends what the run before (or a crash) left without a newline. */
int log_file_begin(LogFile *file);
void log_file_done(LogFile *file);
#define _cleanup_log_file_ _cleanup_(log_file_done)

/* Follows what others did to the file: emptied (write from its new end), removed (make it again). */
int log_file_refresh(LogFile *file);

/* Whether `size` more bytes go over the limit and so into a fresh file. */
bool log_file_is_full(const LogFile *file, size_t size) _pure_;

/* Makes the log the old log and begins a fresh one. Done a second time after a crash in the middle it does the rest:
 * `inode` is that of the file to move away. */
int log_file_rotate(LogFile *file, uint64_t inode);

/* Writes at the end without moving it. Returns the number of bytes that were written, or -errno; a short number comes
 * with the reason in `ret_errno`. */
ssize_t log_file_write(LogFile *file, const char *data, size_t size, int *ret_errno);

/* Entries straight from memory, for the foreground. */
typedef struct LogWriter {
        LogFile file;
        int state_fd;
        LogState state;
        char *out; /* owned */
} LogWriter;

#define LOG_WRITER_NULL ((LogWriter){ .file = LOG_FILE_NULL, .state_fd = -EBADF })

/* Opens the log and makes the state file in `runtime_dir_fd`, so that readers can follow. */
int log_writer_open(LogWriter *writer, int runtime_dir_fd, const char *path, uint64_t max_size, Error *reterr);

/* Logs bytes as they came; a piece without a newline becomes a P entry at once. What cannot be written is counted as
 * lost (and told in the log later), and -errno says why; the caller goes on. */
int log_write(LogWriter *writer, LogStream stream, const void *data, size_t size);

/* No more output: marks the state complete and closes all. */
void log_writer_finish(LogWriter *writer);

/* The text of the entry that tells of lost bytes, into `out` (LOG_NOTE_MAX bytes). Returns its length. */
enum { LOG_NOTE_MAX = 160 };
size_t log_note(uint64_t lost, uint64_t failure, char *out);
