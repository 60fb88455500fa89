/* SPDX-License-Identifier: Apache-2.0 */
/* Reading k8s-file logs back. */
#include "monitor/log-read.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "monitor/log-file.h"
#include "monitor/log-state.h"

enum {
        BUFFER_SIZE = 256 * 1024,  /* holds a longest line several times */
        SEEK_BLOCK = 64 * 1024,
        HEAD_SIZE = 80,            /* of an entry, up to its tag */
};

typedef struct Reader {
        const LogReadOptions *options;
        const LogSink *sink;
        int dir_fd;
        char *name, *old_name;
        int fd;
        uint64_t inode, offset;    /* of the next byte that is not in the buffer */
        char *buffer;
        size_t have;
        bool stopped;
} Reader;

static void reader_done(Reader *r) {
        (void) fd_close(r->fd);
        (void) fd_close(r->dir_fd);
        free(r->name);
        free(r->old_name);
        free(r->buffer);
}

bool log_entry_parse(const char *line, const char *end, LogEntry *ret) {
        /* our own writer's times are all of one length; others' need a look */
        const char *space = end - line > LOG_HEADER_SIZE && line[LOG_TIME_SIZE] == ' '
                                    ? line + LOG_TIME_SIZE
                                    : memchr(line, ' ', (size_t) (end - line));

        if (!space || end - space < 10 || memcmp(space, " std", 4) != 0)
                return false;
        bool err = memcmp(space + 4, "err ", 4) == 0;
        if (!err && memcmp(space + 4, "out ", 4) != 0)
                return false;
        if ((space[8] != 'F' && space[8] != 'P') || space[9] != ' ')
                return false;
        *ret = (LogEntry){
                .time = line, .time_size = (size_t) (space - line), .stream = err ? LOG_STDERR : LOG_STDOUT,
                .partial = space[8] == 'P', .text = space + 10, .size = (size_t) (end - space) - 10,
        };
        return true;
}

bool log_is_complete(int runtime_fd) {
        LogState state;

        return runtime_fd < 0 || log_state_read(runtime_fd, LOG_STATE_NAME, &state) < 0 ||
               (state.flags & LOG_STATE_COMPLETE);
}

static int give(Reader *r, const LogEntry *entry) {
        const LogReadOptions *o = r->options;
        uint64_t nsec;

        if (o->since_nsec || o->until_nsec) {
                if (log_parse_time(entry->time, entry->time + entry->time_size, &nsec) < 0 || nsec < o->since_nsec)
                        return 0;
                if (o->until_nsec && nsec > o->until_nsec)
                        return 1;
        }
        return r->sink->entry(entry, r->sink->userdata);
}

/* Hands on the whole lines of the buffer and keeps the rest. */
static int give_lines(Reader *r) {
        char *p = r->buffer, *end = r->buffer + r->have;

        for (char *newline; p < end && (newline = memchr(p, '\n', (size_t) (end - p))); p = newline + 1) {
                LogEntry entry;
                int k = log_entry_parse(p, newline, &entry) ? give(r, &entry) : 0;

                if (k != 0) {
                        r->stopped = k > 0;
                        return MIN(k, 0);
                }
        }
        r->have = (size_t) (end - p);
        if (r->have == BUFFER_SIZE)
                r->have = 0; /* no line of ours is that long */
        memmove(r->buffer, p, r->have);
        return 0;
}

static int read_to_end(Reader *r) {
        while (!r->stopped) {
                ssize_t n = RETRY_EINTR(pread(r->fd, r->buffer + r->have, BUFFER_SIZE - r->have, (off_t) r->offset));

                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r->offset += (uint64_t) n;
                r->have += (size_t) n;
                int k = give_lines(r);
                if (k < 0)
                        return k;
        }
        return 0;
}

/* A descriptor of a regular file, with its inode; -ENOENT. */
static int open_log(const Reader *r, const char *name, struct stat *ret) {
        _cleanup_fd_ int fd = openat(r->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, ret) < 0)
                return -errno;
        return S_ISREG(ret->st_mode) ? TAKE_FD(fd) : -EINVAL;
}

/* Both files as they were at one moment: the log was not rotated between the two opens. */
static int open_both(const Reader *r, int *ret_log, struct stat *log, int *ret_old, struct stat *old) {
        for (int tries = 0; tries < 10; tries++) {
                struct stat now;
                _cleanup_fd_ int old_fd = open_log(r, r->old_name, old), log_fd = open_log(r, r->name, log);

                if (old_fd < 0 && old_fd != -ENOENT)
                        return old_fd;
                if (log_fd < 0 && log_fd != -ENOENT)
                        return log_fd;
                int k = fstatat(r->dir_fd, r->old_name, &now, AT_SYMLINK_NOFOLLOW);
                if (old_fd < 0 ? k >= 0 : k < 0 || now.st_ino != old->st_ino)
                        continue;
                *ret_old = TAKE_FD(old_fd);
                *ret_log = TAKE_FD(log_fd);
                return 0;
        }
        return -EAGAIN;
}

static void enter(Reader *r, int fd, uint64_t inode, uint64_t offset) {
        (void) fd_close(r->fd);
        r->fd = fd;
        r->inode = inode;
        r->offset = offset;
        r->have = 0;
}

/* The entry that begins at an offset: its head is enough. */
static bool entry_at(int fd, uint64_t offset, char *head, LogEntry *ret) {
        ssize_t n = pread(fd, head, HEAD_SIZE, (off_t) offset);

        return n > 0 && log_entry_parse(head, head + n, ret);
}

/* Walks back from the end until `*lines` lines are behind it. Whole lines end with an F; a P at the very end is one, too.
 * Returns true with the offset where they begin, or false with the number still wanted. */
static bool seek_tail(int fd, uint64_t size, char *block, bool last_file, int64_t *lines, uint64_t *ret_offset) {
        char head[HEAD_SIZE];
        LogEntry entry;
        uint64_t line_end = size; /* of the line that the next newline to the left begins */

        for (uint64_t begin = size; begin > 0;) {
                uint64_t end = begin;

                begin = end > SEEK_BLOCK ? end - SEEK_BLOCK : 0;
                ssize_t n = pread(fd, block, (size_t) (end - begin), (off_t) begin);
                if (n != (ssize_t) (end - begin))
                        return false;
                for (size_t left = (size_t) n; left > 0;) {
                        const char *newline = memrchr(block, '\n', left);
                        if (!newline && begin > 0)
                                break;
                        left = newline ? (size_t) (newline - block) : 0;
                        uint64_t start = newline ? begin + left + 1 : 0;
                        if (start == line_end)
                                continue; /* the newline at the end of the file */
                        bool whole = entry_at(fd, start, head, &entry) && (!entry.partial || (last_file && line_end == size));
                        if (whole && (*lines)-- == 0) {
                                *ret_offset = line_end;
                                return true;
                        }
                        line_end = start;
                }
        }
        return false;
}

/* An offset of a line before which all entries are older than `since`. */
static uint64_t seek_time(int fd, uint64_t size, char *block, uint64_t since) {
        uint64_t low = 0, high = size;

        while (high - low > SEEK_BLOCK) {
                uint64_t middle = low + (high - low) / 2, nsec;
                char head[HEAD_SIZE];
                LogEntry entry;

                ssize_t n = pread(fd, block, SEEK_BLOCK, (off_t) middle);
                const char *newline = n > 0 ? memchr(block, '\n', (size_t) n) : NULL;
                uint64_t start = newline ? middle + (uint64_t) (newline - block) + 1 : high;
                if (start < high && entry_at(fd, start, head, &entry) &&
                    log_parse_time(entry.time, entry.time + entry.time_size, &nsec) >= 0 && nsec < since)
                        low = start;
                else
                        high = middle;
        }
        return low;
}

/* Decides where to begin in the old file and in the log. UINT64_MAX: not at all. */
static void find_begin(Reader *r, int fd, const struct stat *log, int old_fd, const struct stat *old, uint64_t *begin,
                       uint64_t *old_begin) {
        int64_t lines = r->options->tail;
        uint64_t size = (uint64_t) log->st_size;

        *begin = *old_begin = 0;
        if (lines >= 0 && fd >= 0 && seek_tail(fd, size, r->buffer, /* last_file= */ true, &lines, begin))
                *old_begin = UINT64_MAX;
        else if (lines >= 0 && old_fd >= 0)
                (void) seek_tail(old_fd, (uint64_t) old->st_size, r->buffer, fd < 0 || size == 0, &lines, old_begin);
        if (r->options->since_nsec == 0)
                return;
        if (fd >= 0)
                *begin = MAX(*begin, seek_time(fd, size, r->buffer, r->options->since_nsec));
        if (old_fd >= 0 && *old_begin != UINT64_MAX)
                *old_begin = MAX(*old_begin, seek_time(old_fd, (uint64_t) old->st_size, r->buffer, r->options->since_nsec));
}

static int read_stored(Reader *r) {
        _cleanup_fd_ int fd = -EBADF, old_fd = -EBADF;
        uint64_t begin = 0, old_begin = 0;
        struct stat log = {}, old = {};
        int k = open_both(r, &fd, &log, &old_fd, &old);

        if (k < 0)
                return k;
        find_begin(r, fd, &log, old_fd, &old, &begin, &old_begin);
        if (old_fd >= 0 && old_begin != UINT64_MAX) {
                enter(r, TAKE_FD(old_fd), (uint64_t) old.st_ino, old_begin);
                k = read_to_end(r);
        }
        if (k >= 0 && fd >= 0) {
                enter(r, TAKE_FD(fd), (uint64_t) log.st_ino, begin);
                k = read_to_end(r);
        }
        return k;
}

/* The log was rotated (or made): reads the file we are in to its end, then what came after it. */
static int catch_up(Reader *r) {
        _cleanup_fd_ int fd = -EBADF, old_fd = -EBADF;
        struct stat st, log, old;
        int k = r->fd < 0 ? 0 : read_to_end(r);

        if (k < 0 || fstatat(r->dir_fd, r->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return k;
        if (r->fd >= 0 && (uint64_t) st.st_ino == r->inode) {
                if ((uint64_t) st.st_size < r->offset)
                        enter(r, TAKE_FD(r->fd), r->inode, 0); /* somebody has emptied it */
                return read_to_end(r);
        }
        if (r->fd >= 0)
                k = read_to_end(r); /* nothing is written to it any more: now we have all */
        if (k >= 0)
                k = open_both(r, &fd, &log, &old_fd, &old);
        if (k >= 0 && old_fd >= 0 && r->fd >= 0 && (uint64_t) old.st_ino != r->inode) {
                enter(r, TAKE_FD(old_fd), (uint64_t) old.st_ino, 0); /* rotated more than once */
                k = read_to_end(r);
        }
        if (k >= 0 && fd >= 0) {
                enter(r, TAKE_FD(fd), (uint64_t) log.st_ino, 0);
                k = read_to_end(r);
        }
        return k;
}

static int watch_dir(int inotify_fd, int dir_fd) {
        _cleanup_free_ char *path = str_format("/proc/self/fd/%d", dir_fd);

        if (!path)
                return -ENOMEM;
        return inotify_add_watch(inotify_fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0 ? -errno : 0;
}

/* Waits until something in the two directories has changed. */
static int wait_change(int inotify_fd) {
        char events[4096];
        struct pollfd fd = { .fd = inotify_fd, .events = POLLIN };

        if (RETRY_EINTR(poll(&fd, 1, -1)) < 0)
                return -errno;
        while (read(inotify_fd, events, sizeof(events)) > 0)
                ;
        return 0;
}

static int idle(Reader *r) {
        return r->sink->idle ? r->sink->idle(r->sink->userdata) : 0;
}

static int follow(Reader *r, int inotify_fd) {
        int k = 0;

        while (k >= 0 && !r->stopped) {
                bool complete = log_is_complete(r->options->runtime_fd); /* asked before the last look at the log */

                k = catch_up(r);
                if (k >= 0)
                        k = idle(r);
                if (k < 0 || complete || r->stopped)
                        break;
                k = wait_change(inotify_fd);
        }
        return k;
}

static int read_log(Reader *r) {
        bool follows = r->options->follow && r->options->runtime_fd >= 0;
        _cleanup_fd_ int inotify_fd = follows ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -EBADF;
        int k = 0;

        if (follows) /* before the first look, so that nothing falls between the two */
                k = inotify_fd < 0 ? -errno : watch_dir(inotify_fd, r->dir_fd);
        if (k >= 0 && follows)
                k = watch_dir(inotify_fd, r->options->runtime_fd);
        if (k >= 0)
                k = read_stored(r);
        if (k >= 0)
                k = idle(r);
        return k >= 0 && follows && !r->stopped ? follow(r, inotify_fd) : k;
}

int log_read_file(const char *path, const LogReadOptions *options, const LogSink *sink, Error *reterr) {
        _cleanup_(reader_done) Reader r = { .options = options, .sink = sink, .dir_fd = -EBADF, .fd = -EBADF };
        const char *name = path_basename(path);
        _cleanup_free_ char *dir = strndup(path, (size_t) (name - path));

        r.name = strdup(name);
        r.old_name = str_format("%s" LOG_FILE_OLD_SUFFIX, name);
        r.buffer = malloc(BUFFER_SIZE);
        if (!dir || !r.name || !r.old_name || !r.buffer)
                return error_oom(reterr);
        r.dir_fd = open(str_empty(dir) ? "." : dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        int k = r.dir_fd < 0 ? -errno : read_log(&r);
        return k < 0 && k != -ENOENT ? error_set_errno(reterr, k, "cannot read log '%s'", path) : 0;
}
