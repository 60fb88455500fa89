/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving end of sd_notify(3), for a child that was started as systemd would start it. */
#pragma once

#include <sys/types.h>

#include "base/macro.h"

typedef struct NotifySocket {
        int fd;         /* non-blocking */
        int dir_fd;     /* borrowed */
        char *address;  /* for $NOTIFY_SOCKET; owned */
        bool is_file;
} NotifySocket;

#define NOTIFY_SOCKET_NULL ((NotifySocket){ .fd = -EBADF, .dir_fd = -EBADF })
#define NOTIFY_SOCKET_NAME "notify"

/* Makes the socket in `dir_fd` (whose path is `dir`), or an abstract one where that path is too long. */
int notify_socket_open(NotifySocket *socket, int dir_fd, const char *dir);
void notify_socket_done(NotifySocket *socket);

/* What was said since the last look; fields that were not named keep their values. */
typedef struct NotifyNews {
        pid_t main_pid;  /* from a process of our own user only */
        bool ready;
        int error;       /* ERRNO= */
        char *status;    /* STATUS=; owned */
} NotifyNews;

/* Reads all that has come. 0, or why not. */
int notify_socket_read(NotifySocket *socket, NotifyNews *news);
