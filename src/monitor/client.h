/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a monitor: the one that stands alone with the container if there is one, else the user's. */
#pragma once

#include "monitor/protocol.h"

/* Has the output of a container recorded. `fds` as monitor/protocol.h orders them; they stay the caller's, who closes
 * them. When this returned 0 the monitor has them for good. The request is repeated when the monitor dies over it.
 * `runtime_fd` is the store's runtime directory. */
int monitor_client_watch(int runtime_fd, const MonitorConfig *config, const int *fds, size_t n_fds, Error *reterr);

typedef enum MonitorAttachFlags {
        MONITOR_ATTACH_STDIN = 1 << 0,
        MONITOR_ATTACH_CLOSE_STDIN = 1 << 1, /* our end of input is the container's */
        MONITOR_ATTACH_WAIT = 1 << 2,        /* also when it is not watched yet */
        MONITOR_ATTACH_LOGS = 1 << 3,        /* tell where the log stands */
} MonitorAttachFlags;

typedef struct MonitorAttached {
        int fd;                  /* stream socket; the caller's */
        bool waiting;            /* it is not watched yet: the next two are not known */
        bool terminal;           /* raw bytes; else frames */
        uint64_t log_offset, log_inode;
} MonitorAttached;

/* Attaches to a container's output (and input). */
int monitor_client_attach(int runtime_fd, const char *id, MonitorAttachFlags flags, MonitorAttached *ret, Error *reterr);

int monitor_client_resize(int runtime_fd, const char *id, unsigned rows, unsigned cols, Error *reterr);

/* Ends all attached clients of a container. */
int monitor_client_detach(int runtime_fd, const char *id, Error *reterr);

/* The user namespace that the user's monitor keeps (monitor/protocol.h). Asking sends the question and does not wait: a
 * socket, or -errno where nobody is there. Taking waits for the answer, but not long: the namespace, which is the caller's and
 * really is one of this user, or -errno; -ENOENT: a monitor that has none for this map. Keeping gives it one and does not
 * wait. */
int monitor_client_userns_ask(const char *map);
int monitor_client_userns_take(int socket);
void monitor_client_userns_keep(int socket, const char *map, int fd);

/* What "stat" says; `id` NULL asks the user's monitor about itself. New reference in ret. */
int monitor_client_stat(int runtime_fd, const char *id, json_t **ret, Error *reterr);

/* One frame's head: which stream, and how many bytes follow. -EBADMSG for anything else. */
enum { MONITOR_FRAME_HEADER = 8 };
int monitor_frame_parse(const unsigned char *header, int *ret_stream, size_t *ret_size);
