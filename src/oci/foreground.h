/* SPDX-License-Identifier: Apache-2.0 */
/* A process of a container in the foreground: it gets our signals and, where it has a terminal, what is typed at ours; its exit
 * status becomes ours. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"

/* One direction of a terminal. */
typedef struct Flow {
        int from, to;
        bool ended;            /* nothing more comes */
        size_t start, end;     /* of what waits in the buffer */
        char buffer[4096];
} Flow;

typedef struct Foreground {
        pid_t pid;
        int console_fd;        /* borrowed: the master side; -EBADF: no terminal */
        int notify_fd;         /* borrowed: the notification socket (oci/notify-socket.h); -EBADF: nobody waits for it */
        int signal_fd;
        sigset_t old_mask;
        struct termios old_mode;
        bool is_raw, has_mask;
        Flow in, out;
} Foreground;

#define FOREGROUND_NULL ((Foreground){ .console_fd = -EBADF, .notify_fd = -EBADF, .signal_fd = -EBADF })

/* The size of our terminal, for the process's own from its birth; nothing changes where there is none or one was given. */
void foreground_size(uint64_t *height, uint64_t *width);

/* From here on signals are kept for the process; our terminal is raw where it has one. */
int foreground_prepare(Foreground *f, pid_t pid, int console_fd, Error *reterr);

/* Passes on signals and bytes until the process ends; reaps whatever else becomes our child. *ret_status as a shell has it. */
int foreground_run(Foreground *f, int *ret_status, Error *reterr);

/* Gives the terminal its mode back. */
void foreground_done(Foreground *f);
#define _cleanup_foreground_ _cleanup_(foreground_done)
