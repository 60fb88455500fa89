/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-net: the network of one container. Started by sdpod with three descriptors; of no use by hand. */
#include <limits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/program.h"

enum { FD_CONFIG, FD_INIT, FD_READY, _FD_NEEDED, FD_USERNS = _FD_NEEDED, FD_NETNS, FD_CONTROL, _FD_MAX };

static const char *const options[_FD_MAX] = { "--config-fd=", "--init-pidfd=", "--ready-fd=", "--userns-fd=", "--netns-fd=", "--control-fd=" };

static int parse_argument(const char *argument, int *fds) {
        uint32_t fd;

        for (size_t i = 0; i < _FD_MAX; i++) {
                const char *value = str_after(argument, options[i]);

                if (!value)
                        continue;
                if (parse_u32(value, &fd) < 0 || fd < 3 || fd > INT_MAX)
                        return -EINVAL;
                fds[i] = (int) fd;
                return 0;
        }
        /* for people who read ps, and for port_holder_find() */
        return str_after(argument, "--name=") || str_after(argument, "--publish=") ? 0 : -EINVAL;
}

/* Nothing of the caller's reaches the process that reads a container's bytes. */
static void close_others(const int *fds) {
        unsigned from = 3;

        for (;;) {
                unsigned next = UINT_MAX;

                for (size_t i = 0; i < _FD_MAX; i++)
                        if (fds[i] >= 0 && (unsigned) fds[i] >= from)
                                next = MIN(next, (unsigned) fds[i]);
                if (next > from)
                        (void) close_range(from, next == UINT_MAX ? UINT_MAX : next - 1, 0);
                if (next == UINT_MAX)
                        return;
                from = next + 1;
        }
}

int main(int argc, char **argv) {
        int fds[_FD_MAX] = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF };

        log_set_program("sdpod-net");
        for (int i = 1; i < argc; i++)
                if (parse_argument(argv[i], fds) < 0) {
                        log_line(LOG_LEVEL_ERROR, "unknown argument '%s': sdpod-net is started by sdpod", argv[i]);
                        return 125;
                }
        for (size_t i = 0; i < _FD_NEEDED; i++)
                if (fds[i] < 0) {
                        log_line(LOG_LEVEL_ERROR, "no %sN: sdpod-net is started by sdpod", options[i]);
                        return 125;
                }
        close_others(fds);
        (void) setsid(); /* the terminal's signals are for the container; fails where it leads a group already */
        return net_program_run(fds[FD_CONFIG], fds[FD_INIT], fds[FD_READY], fds[FD_USERNS], fds[FD_NETNS], fds[FD_CONTROL]);
}
