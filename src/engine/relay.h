/* SPDX-License-Identifier: Apache-2.0 */
/* Moves bytes between our standard streams and a process's, and signals to it, until it has ended and all is delivered. */
#pragma once

#include "base/error.h"

typedef struct RelayStream {
        int from;            /* -EBADF: closed */
        int to;              /* -EBADF: thrown away */
        /* Sees all that passes, before it is written; NULL: nobody does. `stream` is 1 or 2. */
        int (*tee)(void *data, int stream, const void *bytes, size_t size);
        void *tee_data;
} RelayStream;

typedef struct Relay {
        int pidfd;           /* of the process */
        int console_fd;      /* master of its terminal, both ways; -EBADF: the pipes */
        int stdin_to;        /* write end of its stdin pipe, closed at the end of ours; -EBADF: none */
        bool open_stdin;     /* read our standard input */
        bool sig_proxy;
        bool drain_only_until_end; /* others may hold the output open after the process's end: what is there then is the end */
        bool framed;         /* `out.from` brings both streams in the monitor's frames (monitor/protocol.h), `err.from` nothing */
        bool ends_with_output; /* what we read from may go while the process stays: then it is over, too */
        const char *detach_keys; /* with a terminal: this much typed ends it, and `detached` says so; NULL or "": nothing does */
        bool detached;
        /* Hears of the size of our terminal at the beginning and when it changes; NULL: `console_fd` is told. */
        void (*resized)(void *data, unsigned rows, unsigned columns);
        /* A descriptor that is watched besides for `events` of poll(2); -EBADF or no function: none. False: no longer. */
        int events_fd;
        short events;
        bool (*event)(void *data);
        void *data;          /* for these two */
        /* A pidfd of a process that should live as long; its end is told, and the answer is the pidfd of another one, or -EBADF.
         * Owned by the relay. -EBADF or no function: none. */
        int helper_fd;
        int (*helper_ended)(void *helper_data);
        void *helper_data;
        void (*ended)(void *ended_data); /* called when the process has ended, before the rest is read; NULL: nothing to do */
        void *ended_data;
        RelayStream out, err; /* with a terminal only `out`, whose `from` is ignored */
} Relay;

/* Blocks the signals that are passed on; to be called before the process is made, so that none is lost. *ret_signal_fd is a
 * signalfd; the process that is made must reset its mask. */
int relay_block_signals(bool sig_proxy, int *ret_signal_fd, Error *reterr);

/* Runs until the process has ended and its output is at an end, or somebody detached. The terminal of ours is raw meanwhile
 * where the process has one. Owns and closes console_fd, stdin_to and the streams' `from`; after a detach they stay open, and
 * are closed by relay_done(). */
int relay_run(Relay *relay, int signal_fd, Error *reterr);

/* Closes what a relay that was detached from left open. */
void relay_done(Relay *relay);
