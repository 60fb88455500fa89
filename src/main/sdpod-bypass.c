/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-bypass: outgoing connections of one container by sockets of the host. Started by sdpod; of no use by hand. */
#include <arpa/inet.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "net/bypass-program.h"

enum { FD_LISTEN, FD_INIT, FD_READY, _FD_NEEDED, FD_USERNS = _FD_NEEDED, _FD_MAX };

static const char *const options[_FD_MAX] = { "--listen-fd=", "--init-pidfd=", "--ready-fd=", "--userns-fd=" };

static int parse_address(const char *argument, BypassProgram *program) {
        const struct {
                const char *option;
                int family;
                void *address;
        } addresses[] = {
                { "--gateway=", AF_INET, &program->gateways.gateway4 },
                { "--gateway6=", AF_INET6, &program->gateways.gateway6 },
                { "--source=", AF_INET, &program->source4 },
                { "--source6=", AF_INET6, &program->source6 },
        };

        for (size_t i = 0; i < ELEMENTSOF(addresses); i++) {
                const char *value = str_after(argument, addresses[i].option);

                if (value)
                        return inet_pton(addresses[i].family, value, addresses[i].address) == 1 ? 0 : -EINVAL;
        }
        return str_after(argument, "--name=") ? 0 : -EINVAL; /* for people who read ps */
}

static int parse_argument(const char *argument, int *fds, BypassProgram *program) {
        int r = parse_fd_option(argument, options, _FD_MAX, fds);

        return r == -ENOENT ? parse_address(argument, program) : r;
}

int main(int argc, char **argv) {
        int fds[_FD_MAX] = { -EBADF, -EBADF, -EBADF, -EBADF };
        BypassProgram program = {};

        log_set_program("sdpod-bypass");
        for (int i = 1; i < argc; i++)
                if (parse_argument(argv[i], fds, &program) < 0) {
                        log_line(LOG_LEVEL_ERROR, "unknown argument '%s': sdpod-bypass is started by sdpod", argv[i]);
                        return 125;
                }
        for (size_t i = 0; i < _FD_NEEDED; i++)
                if (fds[i] < 0) {
                        log_line(LOG_LEVEL_ERROR, "no %sN: sdpod-bypass is started by sdpod", options[i]);
                        return 125;
                }
        /* nothing of the caller's reaches the process that looks into a container */
        int *const kept[] = { &fds[FD_LISTEN], &fds[FD_INIT], &fds[FD_READY], &fds[FD_USERNS] };
        if (fd_keep(kept, ELEMENTSOF(kept)) < 0)
                return 1;
        (void) setsid(); /* the terminal's signals are for the container; fails where it leads a group already */
        program.listen_fd = fds[FD_LISTEN];
        program.init_pidfd = fds[FD_INIT];
        program.ready_fd = fds[FD_READY];
        program.userns_fd = fds[FD_USERNS];
        return bypass_program_run(&program);
}
