/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the foreground: this command is its supervisor, its terminal and its log. */
#pragma once

#include "state/container.h"

typedef struct ForegroundOptions {
        bool open_stdin;   /* our standard input goes to the container */
        bool sig_proxy;    /* signals that reach us are passed on */
        bool show_stdout, show_stderr; /* what of the output is shown; what is not goes to the log alone */
        const char *detach_keys; /* bytes that leave it running when typed at a terminal; NULL: none */
        const char *storage_driver;
        const int *kept_fds; /* descriptors of ours that the container gets, ascending */
        size_t n_kept_fds;
} ForegroundOptions;

/* Starts the container (locked), passes data and signals until it ends, records the exit, and removes it where it wants
 * that. All output has been delivered when it returns. *ret_exit_code as a shell has it. */
int engine_run_foreground(const Store *store, Container *container, const ForegroundOptions *options, int *ret_exit_code,
                          Error *reterr);
