/* SPDX-License-Identifier: Apache-2.0 */
/* What happened, a line of JSON each, in the runtime directory: events.json, and events.old.json once that has become long.
 * The lines are Podman's own (podman-events(1)). Writing is never a reason for a command to fail. */
#pragma once

#include "state/container.h"

enum { EVENT_NO_EXIT_CODE = -1 };

typedef struct Event {
        const char *type, *status;     /* "container", "start" */
        const char *id, *name, *image; /* NULL: none */
        const char *network;           /* that a container was connected to; NULL: none */
        const char *health_status;     /* NULL: none */
        const char *health_log;        /* what the check has said; NULL: none */
        char *const *attributes;       /* pairs; NULL: none */
        int exit_code;                 /* EVENT_NO_EXIT_CODE: none */
} Event;

/* Writes the event with the time of now. */
void event_write(const Store *store, const Event *event);

/* The same for a container, with its name, image and labels; `exit_code` as above. */
void event_container(const Store *store, const ContainerConfig *config, const char *status, int exit_code);

/* The same for something that has a name and perhaps an ID, but nothing else: an image, a volume. */
void event_named(const Store *store, const char *type, const char *status, const char *id, const char *name);

/* Reading them, oldest first. */
typedef struct EventReader {
        const Store *store;      /* borrowed */
        int fd, old_fd;          /* what is read; the older file, which is read first */
        int watch_fd;            /* readable when there may be more; -EBADF: not followed */
        bool final;              /* nobody writes to `fd` any more */
        char *buffer;
        size_t begin, end;
} EventReader;

/* Opens what is there; `from_end` passes that over. With `follow` the reader goes on where the file is changed for a new one. */
int event_reader_open(const Store *store, bool follow, bool from_end, EventReader *ret, Error *reterr);
void event_reader_done(EventReader *reader);
#define _cleanup_event_reader_ _cleanup_(event_reader_done)

/* The next line, without its newline, valid until the next call. 1; 0: no more for now; -errno. Lines that are too long are
 * passed over. */
int event_reader_next(EventReader *reader, char **ret_line, size_t *ret_size, Error *reterr);
