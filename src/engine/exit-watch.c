/* SPDX-License-Identifier: Apache-2.0 */
/* The exit code of somebody else's container. */
#include "engine/exit-watch.h"

#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/stop.h"
#include "state/events.h"

enum { RECORD_GRACE_MSEC = 5000 };

void exit_watch_done(ExitWatch *watch) {
        watch->fd = fd_close(watch->fd);
}

static int watch_record(const Container *c, Error *reterr) {
        _cleanup_fd_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char path[48];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", c->dir_fd);
        if (fd < 0 || inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF) < 0)
                return error_set_errno(reterr, -errno, "cannot watch container '%s'", c->config.name);
        return TAKE_FD(fd);
}

int exit_watch_begin(const Store *store, Container *container, ExitWatch *ret, Error *reterr) {
        _cleanup_exit_watch_ ExitWatch watch = { .store = store, .container = container, .fd = watch_record(container, reterr) };

        if (watch.fd < 0)
                return watch.fd;
        int r = container_refresh(store, container, reterr);
        if (r < 0)
                return r;
        watch.started = container->state.started_usec;
        watch.ended = watch.started == 0; /* it never ran: nothing to wait for, as in podman */
        *ret = watch;
        watch.fd = -EBADF;
        return 0;
}

/* The state as it is on disk, by the directory's descriptor: it can be read even while the container is being removed. */
static int read_exit(ExitWatch *watch, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        ContainerState state = {};

        int r = json_read(watch->container->dir_fd, "state.json", JSON_RECORD_LIMIT, &json, reterr);
        if (r >= 0)
                r = json_fields_load(json, container_state_fields, &state, reterr);
        if (r >= 0 && (state.started_usec != watch->started || state.exited)) {
                watch->ended = true;
                watch->code = state.started_usec == watch->started ? state.exit_code : -1;
        }
        json_fields_done(container_state_fields, &state);
        return r;
}

/* The last exit code that the events tell of this container; 0, or -ENODATA. */
static int exit_code_from_events(const Store *store, const char *id, int *ret) {
        _cleanup_event_reader_ EventReader reader = {};
        int r = event_reader_open(store, /* follow= */ false, /* from_end= */ false, &reader, /* reterr= */ NULL), found = -ENODATA;
        size_t size;
        char *line;

        while (r >= 0 && (r = event_reader_next(&reader, &line, &size, /* reterr= */ NULL)) > 0) {
                _cleanup_json_ json_t *event = NULL;

                /* most lines are others': those are not parsed */
                if (!memmem(line, size, id, strlen(id)) || json_parse(line, size, "an event", &event, /* reterr= */ NULL) < 0 ||
                    !str_equal(json_get_string(event, "ID"), id) || !str_equal(json_get_string(event, "Status"), "died"))
                        continue;
                *ret = (int) json_get_integer(event, "ContainerExitCode", 0);
                found = 0;
        }
        return found;
}

/* Who was off the CPU while the end was recorded and the container removed (--rm) finds it in the events. */
static int was_removed(ExitWatch *watch, Error *reterr) {
        if (exit_code_from_events(watch->store, watch->container->config.id, &watch->code) >= 0) {
                if (reterr)
                        error_done(reterr);
                watch->ended = true;
                return 0;
        }
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot tell the exit code of '%s': it was removed meanwhile",
                         watch->container->config.name);
}

int exit_watch_look(ExitWatch *watch, Error *reterr) {
        char events[4096];

        while (read(watch->fd, events, sizeof(events)) > 0)
                ;
        if (watch->ended)
                return 0;
        int r = read_exit(watch, reterr);
        return r == -ENOENT ? was_removed(watch, reterr) : r;
}

/* Whoever was to record the end is dead: the engine does it then. */
static int record_ourselves(ExitWatch *watch, int *ret_code, Error *reterr) {
        bool gone;
        int r = engine_wait_recorded(watch->store, watch->container, &gone, reterr);

        if (r < 0)
                return r;
        r = gone ? was_removed(watch, reterr) : 0;
        if (r < 0)
                return r;
        *ret_code = gone ? watch->code : watch->container->state.exit_code;
        return 0;
}

int exit_watch_wait(ExitWatch *watch, int *ret_code, Error *reterr) {
        const Container *c = watch->container;

        for (;;) {
                struct pollfd fds[] = { { .fd = watch->fd, .events = POLLIN }, { .fd = c->pidfd, .events = POLLIN } };
                int r = exit_watch_look(watch, reterr);

                if (r < 0)
                        return r;
                if (watch->ended) {
                        *ret_code = watch->code;
                        return 0;
                }
                bool runs = c->pidfd >= 0 && !process_has_ended(c->pidfd);
                r = (int) RETRY_EINTR(poll(fds, runs ? 2 : 1, runs ? -1 : RECORD_GRACE_MSEC));
                if (r < 0)
                        return error_set_errno(reterr, -errno, "cannot wait for '%s'", c->config.name);
                if (r == 0)
                        return record_ourselves(watch, ret_code, reterr);
        }
}
