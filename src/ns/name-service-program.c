/* SPDX-License-Identifier: Apache-2.0 */
/* A user's name from the name service, by a program that may load its libraries: of a static program, linked in place of
 * name-service.c. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "ns/subid.h"

char *subid_name_service(uid_t uid) {
        char number[16], line[1024];
        char program[] = "getent", database[] = "passwd";
        char *const argv[] = { program, database, number, NULL };
        int pipe_fds[2];
        pid_t pid;

        (void) snprintf(number, sizeof(number), "%u", uid);
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return NULL;
        _cleanup_fd_ int from = pipe_fds[0], to = pipe_fds[1];
        int r = process_spawn("/usr/bin/getent", argv, NULL, (const int[]){ -EBADF, to, -EBADF }, 3, &pid, NULL);
        to = fd_close(to);
        if (r < 0)
                return NULL;
        ssize_t n = RETRY_EINTR(read(from, line, sizeof(line) - 1)); /* one line is one write */
        if (process_reap(pid) != 0 || n <= 0)
                return NULL;
        line[n] = 0;
        line[strcspn(line, ":\n")] = 0;
        return *line ? strdup(line) : NULL;
}
