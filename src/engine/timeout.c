/* SPDX-License-Identifier: Apache-2.0 */
/* Killing a container after a time. */
#include "engine/timeout.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "base/str.h"
#include "engine/internal-command.h"

#define OVER_MARK "timed-out" /* in the runtime directory */

int timeout_begin(const Store *store, Container *container, Error *reterr) {
        static const int fds[] = { -EBADF, -EBADF, -EBADF };
        _cleanup_strv_ char **command = NULL;
        int runtime_fd, r;

        if (container->config.timeout == 0)
                return 0;
        runtime_fd = container_runtime_fd(store, container, reterr);
        if (runtime_fd < 0)
                return runtime_fd;
        (void) unlinkat(runtime_fd, OVER_MARK, 0);
        if (internal_command(store, /* storage_driver= */ NULL, "__timeout", container->config.id, &command) < 0)
                return error_oom(reterr);
        r = internal_spawn_orphan(command, fds, ELEMENTSOF(fds));
        return r < 0 ? error_set_errno(reterr, r, "cannot watch the time of container '%s'", container->config.name) : 0;
}

int timeout_watch(const Store *store, Container *container, Error *reterr) {
        int64_t end = time_monotonic_usec() + (int64_t) container->config.timeout * 1000000;
        struct pollfd poll_fd = { .fd = container->pidfd, .events = POLLIN };

        if (container->pidfd < 0)
                return 0;
        (void) setsid(); /* a Ctrl-C at the terminal is not for us */
        for (;;) {
                int64_t left = end - time_monotonic_usec();

                if (left <= 0)
                        break;
                int r = poll(&poll_fd, 1, (int) MIN(left / 1000 + 1, (int64_t) INT32_MAX));
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot watch container '%s'", container->config.name);
        }
        int runtime_fd = container_runtime_fd(store, container, reterr);
        if (runtime_fd < 0)
                return runtime_fd;
        (void) file_write_atomic(runtime_fd, OVER_MARK, "", 0, 0600, FILE_VOLATILE); /* without it the exit code is SIGKILL's */
        return process_signal(container->pidfd, SIGKILL);
}

bool timeout_was_over(const Store *store, Container *container) {
        int runtime_fd = container->config.timeout > 0 ? container_runtime_fd(store, container, /* reterr= */ NULL) : -EBADF;

        return runtime_fd >= 0 && unlinkat(runtime_fd, OVER_MARK, 0) == 0;
}
