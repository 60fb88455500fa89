/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-net: the network of one container. Started by sdpod with three descriptors; of no use by hand. */
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/program.h"

enum { FD_CONFIG, FD_INIT, FD_READY, _FD_NEEDED, FD_USERNS = _FD_NEEDED, FD_NETNS, FD_CONTROL, _FD_MAX };

static const char *const options[_FD_MAX] = { "--config-fd=", "--init-pidfd=", "--ready-fd=", "--userns-fd=", "--netns-fd=", "--control-fd=" };

static int parse_argument(const char *argument, int *fds) {
        int r = parse_fd_option(argument, options, _FD_MAX, fds);

        /* for people who read ps, and for port_holder_find() */
        return r == -ENOENT && (str_after(argument, "--name=") || str_after(argument, "--publish=")) ? 0 : r;
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
        /* nothing of the caller's reaches the process that reads a container's bytes */
        int *const kept[] = { &fds[FD_CONFIG], &fds[FD_INIT], &fds[FD_READY], &fds[FD_USERNS], &fds[FD_NETNS], &fds[FD_CONTROL] };
        if (fd_keep(kept, ELEMENTSOF(kept)) < 0)
                return 1;
        (void) setsid(); /* the terminal's signals are for the container; fails where it leads a group already */
        return net_program_run(fds[FD_CONFIG], fds[FD_INIT], fds[FD_READY], fds[FD_USERNS], fds[FD_NETNS], fds[FD_CONTROL]);
}
