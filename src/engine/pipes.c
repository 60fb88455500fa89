/* SPDX-License-Identifier: Apache-2.0 */
/* The three pipes of a process that has no terminal. */
#include "engine/pipes.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

int pipes_make(bool open_stdin, Pipes *ret, Error *reterr) {
        for (int i = open_stdin ? 0 : 1; i < 3; i++) {
                int pair[2];

                if (pipe2(pair, O_CLOEXEC) < 0)
                        return error_set_errno(reterr, -errno, "cannot make a pipe");
                ret->ours[i] = pair[i == 0 ? 1 : 0];
                ret->theirs[i] = pair[i == 0 ? 0 : 1];
        }
        return 0;
}

void pipes_close_theirs(Pipes *pipes) {
        for (size_t i = 0; i < 3; i++)
                pipes->theirs[i] = fd_close(pipes->theirs[i]);
}

void pipes_done(Pipes *pipes) {
        pipes_close_theirs(pipes);
        for (size_t i = 0; i < 3; i++)
                pipes->ours[i] = fd_close(pipes->ours[i]);
}
