/* SPDX-License-Identifier: Apache-2.0 */
/* The three pipes of a process that has no terminal. */
#pragma once

#include "base/error.h"

typedef struct Pipes {
        int ours[3], theirs[3]; /* by number: standard input, output, error */
} Pipes;

#define PIPES_NULL ((Pipes){ .ours = { -EBADF, -EBADF, -EBADF }, .theirs = { -EBADF, -EBADF, -EBADF } })

/* Makes those for output and error, and that for input when `open_stdin`. */
int pipes_make(bool open_stdin, Pipes *ret, Error *reterr);

/* After the process was made. */
void pipes_close_theirs(Pipes *pipes);

void pipes_done(Pipes *pipes);
#define _cleanup_pipes_ _cleanup_(pipes_done)
