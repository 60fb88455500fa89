/* SPDX-License-Identifier: Apache-2.0 */
/* A service and its manager. */
#include "cgroup/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"

enum { FIRST_FD = 3, LISTEN_FDS_MAX = 4096 };

int notify_barrier(uint64_t timeout_usec) {
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        int r = notify_send_fds("BARRIER=1", &theirs, 1);
        if (r <= 0)
                return r;
        theirs = fd_close(theirs);
        struct pollfd poll_fd = { .fd = ours }; /* the manager closes the other end when it comes to this message */
        r = (int) RETRY_EINTR(poll(&poll_fd, 1, (int) MIN(timeout_usec / 1000, (uint64_t) INT32_MAX)));
        return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 1;
}

int notify_listen_fds(void) {
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        uint32_t number, n;

        if (!pid || !fds || parse_id(pid, &number) < 0 || number != (uint32_t) getpid())
                return 0;
        if (parse_id(fds, &n) < 0 || n > LISTEN_FDS_MAX)
                return -EINVAL;
        for (int fd = FIRST_FD; fd < FIRST_FD + (int) n; fd++)
                if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                        return -errno;
        return (int) n;
}
