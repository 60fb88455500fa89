/* SPDX-License-Identifier: Apache-2.0 */
/* A server that gets its socket from systemd (sd_listen_fds(3)): says one word to each client. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int number) {
        (void) number;
        _exit(0);
}

int main(void) {
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

        if (!pid || !n || atoi(pid) != getpid() || atoi(n) != 1)
                return 1;
        (void) signal(SIGTERM, end);
        for (;;) {
                int fd = accept(3, NULL, NULL);

                if (fd < 0)
                        return 2;
                (void) !write(fd, "activated\n", strlen("activated\n"));
                (void) close(fd);
        }
}
