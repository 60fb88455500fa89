/* SPDX-License-Identifier: Apache-2.0 */
/* The order of sdpod-bypass's life. */
#include "net/bypass-program.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/wire.h"
#include "net/bypass-loop.h"
#include "net/bypass-sandbox.h"

static int open_proc(Error *reterr) {
        _cleanup_fd_ int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '/proc'");
        if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
                return error_set(reterr, -ENODEV, ERROR_UNSUPPORTED, "cannot use '/proc': it is not the kernel's");
        return TAKE_FD(fd);
}

static int set_up(BypassProgram *program, BypassHost *host, Error *reterr) {
        *host = (BypassHost){ .proc_fd = open_proc(reterr), .gateways = program->gateways, .source4 = program->source4, .source6 = program->source6 };
        if (host->proc_fd < 0)
                return host->proc_fd;
        int r = bypass_wall_choose(&host->wall, reterr);
        if (r < 0)
                return r;
        r = bypass_host_prepare(host);
        if (r < 0) {
                (void) error_set_errno(reterr, r, "cannot use bypass");
                return r == -ENOPROTOOPT ? error_with_hint(reterr, r, "it needs Linux 5.14 or later") : r;
        }
        r = bypass_sandbox_enter(program->userns_fd, reterr);
        program->userns_fd = fd_close(program->userns_fd);
        return r < 0 ? r : bypass_sandbox_lock(host->proc_fd, reterr);
}

int bypass_program_run(BypassProgram *program) {
        _cleanup_error_ Error error = ERROR_NULL;
        BypassHost host;

        (void) signal(SIGPIPE, SIG_IGN);
        int r = set_up(program, &host, &error);
        (void) wire_send_result(program->ready_fd, r, &error);
        program->ready_fd = fd_close(program->ready_fd);
        if (r >= 0)
                r = bypass_loop_run(&host, program->listen_fd, program->init_pidfd);
        (void) fd_close(host.proc_fd);
        (void) fd_close(program->listen_fd);
        (void) fd_close(program->init_pidfd);
        return r < 0 ? 1 : 0;
}
