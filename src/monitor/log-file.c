/* SPDX-License-Identifier: Apache-2.0 */
/* A log file in the k8s-file format. */
#include "monitor/log-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum { OUT_SIZE = 128 * 1024 };

static int open_name(LogFile *file) {
        struct stat st;
        _cleanup_fd_ int fd = openat(file->dir_fd, file->name,
                                     O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        (void) fd_close(file->fd);
        file->fd = TAKE_FD(fd);
        file->inode = (uint64_t) st.st_ino;
        file->offset = (uint64_t) st.st_size;
        return 0;
}

int log_file_open(LogFile *file, const char *path, uint64_t max_size, Error *reterr) {
        const char *name = path_basename(path);
        _cleanup_free_ char *dir = strndup(path, (size_t) (name - path));

        if (!dir)
                return error_oom(reterr);
        if (path[0] != '/' || !*name)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot open log '%s': not an absolute path", path);
        LogFile opened = LOG_FILE_NULL;
        opened.max_size = max_size ?: LOG_FILE_MAX_DEFAULT;
        opened.name = strdup(name);
        if (!opened.name)
                return error_oom(reterr);
        opened.dir_fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        int r = opened.dir_fd < 0 ? -errno : open_name(&opened);
        if (r < 0) {
                log_file_done(&opened);
                if (r == -EINVAL || r == -ELOOP)
                        return error_set(reterr, r, ERROR_INVALID, "cannot open log '%s': not a regular file", path);
                return error_set_errno(reterr, r, "cannot open log '%s'", path);
        }
        *file = opened;
        return 0;
}

static int append(LogFile *file, const char *text, size_t size) {
        int failure;
        ssize_t n = log_file_write(file, text, size, &failure);

        if (failure != 0)
                return -failure;
        file->offset += (uint64_t) n;
        return 0;
}

int log_file_begin(LogFile *file) {
        const size_t room = LOG_LINE_MAX + LOG_HEADER_SIZE + 2;
        size_t size = (size_t) MIN(file->offset, (uint64_t) room);
        _cleanup_free_ char *tail = malloc(room);
        char line[LOG_HEADER_SIZE + 1];

        if (!tail)
                return -ENOMEM;
        if (size == 0)
                return 0;
        if (pread(file->fd, tail, size, (off_t) (file->offset - size)) != (ssize_t) size)
                return -EIO;
        if (tail[size - 1] != '\n')
                return append(file, "\n", 1);
        const char *before = memrchr(tail, '\n', size - 1), *last = before ? before + 1 : tail;
        if ((size_t) (tail + size - last) < sizeof(line) || memcmp(last + LOG_TIME_SIZE + 7, " P ", 3) != 0)
                return 0;
        memcpy(line, last, LOG_HEADER_SIZE); /* the same stream */
        log_format_time(log_now(), line);
        line[LOG_TIME_SIZE + 8] = 'F';
        line[LOG_HEADER_SIZE] = '\n';
        return append(file, line, sizeof(line));
}

void log_file_done(LogFile *file) {
        file->fd = fd_close(file->fd);
        file->dir_fd = fd_close(file->dir_fd);
        free(file->name);
        file->name = NULL;
}

int log_file_refresh(LogFile *file) {
        struct stat st;

        if (fstat(file->fd, &st) < 0)
                return -errno;
        if (st.st_nlink == 0)
                return open_name(file);
        if ((uint64_t) st.st_size < file->offset)
                file->offset = (uint64_t) st.st_size;
        return 0;
}

bool log_file_is_full(const LogFile *file, size_t size) {
        return file->offset > 0 && file->offset + size > file->max_size;
}

int log_file_rotate(LogFile *file, uint64_t inode) {
        _cleanup_free_ char *old = str_format("%s" LOG_FILE_OLD_SUFFIX, file->name);
        struct stat st;

        if (!old)
                return -ENOMEM;
        if (fstatat(file->dir_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno != ENOENT)
                        return -errno;
        } else if ((uint64_t) st.st_ino == inode && renameat(file->dir_fd, file->name, file->dir_fd, old) < 0)
                return -errno;
        return open_name(file);
}

ssize_t log_file_write(LogFile *file, const char *data, size_t size, int *ret_errno) {
        size_t done = 0;

        *ret_errno = 0;
        while (done < size) {
                ssize_t n = pwrite(file->fd, data + done, size - done, (off_t) (file->offset + done));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        *ret_errno = n < 0 ? errno : EIO;
                        break;
                }
                done += (size_t) n;
        }
        return done > 0 || *ret_errno == 0 ? (ssize_t) done : -*ret_errno;
}

size_t log_note(uint64_t lost, uint64_t failure, char *out) {
        const char *why = strerrordesc_np((int) failure);
        int n = snprintf(out, LOG_NOTE_MAX, "sdpod-monitor: %llu bytes of output were lost: %.80s\n",
                         (unsigned long long) lost, why ?: "the log could not be written");

        return n < 0 ? 0 : MIN((size_t) n, (size_t) LOG_NOTE_MAX - 1);
}

int log_writer_open(LogWriter *writer, int runtime_dir_fd, const char *path, uint64_t max_size, Error *reterr) {
        LogWriter opened = LOG_WRITER_NULL;

        opened.out = malloc(OUT_SIZE);
        if (!opened.out)
                return error_oom(reterr);
        int r = log_file_open(&opened.file, path, max_size, reterr);
        if (r >= 0) {
                (void) log_file_begin(&opened.file); /* for looks; a full disk shows at the first line */
                if (getrandom(&opened.state.run, sizeof(opened.state.run), 0) < 0)
                        r = -errno;
                opened.state_fd = log_state_open(runtime_dir_fd, LOG_STATE_NAME, /* create= */ true);
                r = r < 0 ? r : opened.state_fd < 0 ? opened.state_fd : log_state_save(opened.state_fd, &opened.state);
                if (r < 0)
                        (void) error_set_errno(reterr, r, "cannot make '%s'", LOG_STATE_NAME);
        }
        if (r < 0) {
                log_writer_finish(&opened);
                return r;
        }
        *writer = opened;
        return 0;
}

/* Writes whole entries or none: a torn one is cut off again. Returns how many bytes stay. */
static int put_entries(LogFile *file, const char *out, size_t size) {
        int failure;
        ssize_t n = log_file_write(file, out, size, &failure);

        if (failure == 0) {
                file->offset += size;
                return 0;
        }
        const char *newline = n > 0 ? memrchr(out, '\n', (size_t) n) : NULL;
        file->offset += newline ? (uint64_t) (newline - out) + 1 : 0;
        return ftruncate(file->fd, (off_t) file->offset) < 0 ? -errno : -failure;
}

static int write_note(LogWriter *writer, const char *time) {
        char text[LOG_NOTE_MAX], line[LOG_NOTE_MAX + LOG_HEADER_SIZE + 1];
        LogState *state = &writer->state;

        if (state->lost == state->lost_noted)
                return 0;
        LogInput input = { .p = text, .end = text + log_note(state->lost - state->lost_noted, state->failure, text) };
        int r = put_entries(&writer->file, line, log_format(&input, LOG_STDERR, time, line, sizeof(line)));
        if (r < 0)
                return r;
        state->lost_noted = state->lost;
        state->failure = 0;
        return log_state_save(writer->state_fd, state);
}

static int write_some(LogWriter *writer, LogInput *input, LogStream stream) {
        char time[LOG_TIME_SIZE];

        log_format_time(log_now(), time);
        int r = log_file_refresh(&writer->file);
        if (r >= 0)
                r = write_note(writer, time);
        if (r < 0)
                return r;
        size_t size = log_format(input, stream, time, writer->out, OUT_SIZE);
        if (log_file_is_full(&writer->file, size))
                r = log_file_rotate(&writer->file, writer->file.inode);
        return r < 0 ? r : put_entries(&writer->file, writer->out, size);
}

int log_write(LogWriter *writer, LogStream stream, const void *data, size_t size) {
        const char *text = data;
        LogInput input = { .p = text, .end = text + size };

        while (input.p < input.end) {
                const char *before = input.p;
                int r = write_some(writer, &input, stream);

                if (r < 0) {
                        writer->state.lost += (uint64_t) (input.end - before);
                        writer->state.failure = (uint64_t) -r;
                        (void) log_state_save(writer->state_fd, &writer->state);
                        return r;
                }
        }
        return 0;
}

void log_writer_finish(LogWriter *writer) {
        if (writer->state_fd >= 0) {
                writer->state.flags |= LOG_STATE_COMPLETE;
                (void) log_state_save(writer->state_fd, &writer->state); /* a reader that waits has a limit of its own */
        }
        writer->state_fd = fd_close(writer->state_fd);
        log_file_done(&writer->file);
        free(writer->out);
        writer->out = NULL;
}
