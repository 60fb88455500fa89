/* SPDX-License-Identifier: Apache-2.0 */
/* The file of events: written by every command, read by `sdpod events`. */
#include "state/events.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

#define EVENTS "events.json"
#define EVENTS_OLD "events.old.json"

enum {
        FILE_SIZE_MAX = 2 * 1024 * 1024, /* the file then becomes the old one: it lies in memory */
        LINE_SIZE_MAX = 64 * 1024,
        READ_SIZE = 64 * 1024,
        APPEND_TRIES = 3,
};

/* ---- writing ---- */

/* Whether `fd` still is the file of that name. */
static bool is_current(const Store *store, int fd, uint64_t *ret_size) {
        struct stat own, named;

        if (fstat(fd, &own) < 0 || fstatat(store->runtime_fd, EVENTS, &named, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        *ret_size = (uint64_t) own.st_size;
        return own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

static int open_for_writing(const Store *store) {
        return openat(store->runtime_fd, EVENTS, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
}

/* Nobody writes to the file when it gets its other name, so a reader that is at its end has read all of it. Whoever comes
 * while others write leaves it to the next one. */
static void rotate(const Store *store, int fd) {
        uint64_t size;

        if (flock(fd, LOCK_EX | LOCK_NB) >= 0 && is_current(store, fd, &size) && size >= FILE_SIZE_MAX)
                (void) renameat(store->runtime_fd, EVENTS, store->runtime_fd, EVENTS_OLD);
}

static int append(const Store *store, const char *line, size_t size) {
        uint64_t before = 0;

        for (int tries = 1;; tries++) { /* the file got its other name between open and lock: the next one then */
                _cleanup_fd_ int fd = open_for_writing(store);

                if (fd < 0)
                        return -errno;
                /* whoever gives it that name takes a moment, but may be stopped in it: nobody waits for him */
                if ((flock(fd, LOCK_SH | LOCK_NB) < 0 || !is_current(store, fd, &before)) && tries < APPEND_TRIES)
                        continue;
                ssize_t n = write(fd, line, size); /* appends do not mix */
                if (n != (ssize_t) size)
                        return n < 0 ? -errno : -ENOSPC;
                if (before + size >= FILE_SIZE_MAX)
                        rotate(store, fd);
                return 0;
        }
}

static json_t *to_json(const Event *event, bool with_attributes) {
        _cleanup_free_ char *time = time_format_rfc3339(time_now_usec());
        _cleanup_json_ json_t *json = json_object();
        const struct {
                const char *key, *value;
        } texts[] = {
                { "ID", event->id }, { "Image", event->image }, { "Name", event->name }, { "Status", event->status },
                { "Time", time },    { "Type", event->type },     { "health_status", event->health_status },
                { "network", event->network },
                { "HealthLog", with_attributes ? event->health_log : NULL }, /* it may be long, too */
        };

        if (!json || !time)
                return NULL;
        if (event->exit_code > 0 && json_object_set_new(json, "ContainerExitCode", json_integer(event->exit_code)) < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (!str_empty(texts[i].value) && json_object_set_new(json, texts[i].key, json_text(texts[i].value)) < 0)
                        return NULL;
        if (json_object_set_new(json, "Attributes", event->attributes && with_attributes ? json_from_pairs(event->attributes)
                                                                                         : json_null()) < 0)
                return NULL;
        return json_incref(json);
}

void event_write(const Store *store, const Event *event) {
        static const bool with_attributes[] = { true, false };
        int r = -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(with_attributes); i++) {
                _cleanup_json_ json_t *json = to_json(event, with_attributes[i]);
                _cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
                size_t size = text ? strlen(text) : 0;

                if (!text)
                        break;
                r = -EMSGSIZE;
                if (size >= LINE_SIZE_MAX)
                        continue;
                text[size] = '\n'; /* in the place of the NUL */
                r = append(store, text, size + 1);
                break;
        }
        if (r < 0)
                log_debug("cannot write the event '%s %s': %s", event->type, event->status, strerror(-r));
}

void event_container(const Store *store, const ContainerConfig *config, const char *status, int exit_code) {
        event_write(store, &(Event){
                .type = "container", .status = status, .id = config->id, .name = config->name, .image = config->image_name,
                .attributes = config->labels, .exit_code = exit_code,
        });
}

void event_named(const Store *store, const char *type, const char *status, const char *id, const char *name) {
        event_write(store, &(Event){ .type = type, .status = status, .id = id, .name = name, .exit_code = EVENT_NO_EXIT_CODE });
}

/* ---- reading ---- */

static int open_for_reading(const Store *store, const char *name) {
        int fd = openat(store->runtime_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

        return fd < 0 && errno != ENOENT ? -errno : fd < 0 ? -EBADF : fd;
}

static bool is_same(int a, int b) {
        struct stat one, other;

        return a >= 0 && b >= 0 && fstat(a, &one) >= 0 && fstat(b, &other) >= 0 && one.st_ino == other.st_ino;
}

int event_reader_open(const Store *store, bool follow, bool from_end, EventReader *ret, Error *reterr) {
        _cleanup_event_reader_ EventReader reader = { .store = store, .fd = -EBADF, .old_fd = -EBADF, .watch_fd = -EBADF };

        if (follow) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", store->runtime_fd);
                reader.watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
                if (reader.watch_fd < 0 || inotify_add_watch(reader.watch_fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_FROM) < 0)
                        return error_set_errno(reterr, -errno, "cannot watch the events");
        }
        reader.fd = open_for_reading(store, EVENTS);
        if (!from_end)
                reader.old_fd = open_for_reading(store, EVENTS_OLD);
        if (is_same(reader.fd, reader.old_fd)) /* it got its other name between the two */
                reader.fd = fd_close(reader.fd);
        if (from_end && reader.fd >= 0 && lseek(reader.fd, 0, SEEK_END) < 0)
                return error_set_errno(reterr, -errno, "cannot read the events");
        *ret = reader;
        reader = (EventReader){ .fd = -EBADF, .old_fd = -EBADF, .watch_fd = -EBADF };
        return 0;
}

void event_reader_done(EventReader *reader) {
        (void) fd_close(reader->fd);
        (void) fd_close(reader->old_fd);
        (void) fd_close(reader->watch_fd);
        free(reader->buffer);
}

/* A line that is complete in the buffer. */
static bool take_line(EventReader *reader, char **ret_line, size_t *ret_size) {
        char *begin = reader->buffer + reader->begin;
        char *newline = reader->end > reader->begin ? memchr(begin, '\n', reader->end - reader->begin) : NULL;

        if (!newline)
                return false;
        *newline = 0;
        *ret_line = begin;
        *ret_size = (size_t) (newline - begin);
        reader->begin += *ret_size + 1;
        return true;
}

/* More bytes behind what is in the buffer: 1, or 0 at the end of the file. */
static int fill(EventReader *reader, int fd) {
        size_t kept = reader->end - reader->begin;

        if (kept >= LINE_SIZE_MAX)
                kept = 0; /* nobody of ours wrote that */
        if (kept > 0)
                memmove(reader->buffer, reader->buffer + reader->end - kept, kept);
        reader->begin = 0;
        reader->end = kept;
        if (!reader->buffer && !(reader->buffer = malloc(LINE_SIZE_MAX + READ_SIZE)))
                return -ENOMEM;
        ssize_t n = RETRY_EINTR(read(fd, reader->buffer + kept, READ_SIZE));
        if (n < 0)
                return -errno;
        reader->end += (size_t) n;
        return n > 0;
}

/* The file that follows the one which is at its end. */
static bool advance(EventReader *reader) {
        if (reader->old_fd >= 0) {
                reader->old_fd = fd_close(reader->old_fd);
                if (reader->fd >= 0)
                        return true;
        }
        _cleanup_fd_ int next = open_for_reading(reader->store, EVENTS);
        if (next < 0 || is_same(next, reader->fd))
                return false;
        if (reader->fd >= 0 && !reader->final) { /* what came since its end was read */
                reader->final = true;
                return true;
        }
        (void) fd_close(reader->fd);
        reader->fd = TAKE_FD(next);
        reader->final = false;
        return true;
}

int event_reader_next(EventReader *reader, char **ret_line, size_t *ret_size, Error *reterr) {
        char events[4096];

        while (reader->watch_fd >= 0 && read(reader->watch_fd, events, sizeof(events)) > 0)
                ;
        for (;;) {
                int fd = reader->old_fd >= 0 ? reader->old_fd : reader->fd, r = 0;

                if (take_line(reader, ret_line, ret_size))
                        return 1;
                if (fd >= 0)
                        r = fill(reader, fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read the events");
                if (r == 0 && !advance(reader))
                        return 0;
        }
}
