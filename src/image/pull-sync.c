/* SPDX-License-Identifier: Apache-2.0 */
/* A child that waits for the disk. */
#include "image/pull-sync.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"

_noreturn_ static void sync_main(int dir_fd, int pipe_fd) {
        int *const kept[] = { &dir_fd, &pipe_fd };
        int code = 0;

        if (fd_keep(kept, ELEMENTSOF(kept)) < 0)
                _exit(1);
        if (syncfs(dir_fd) < 0)
                code = errno;
        _exit(write(pipe_fd, &code, sizeof(code)) != sizeof(code));
}

int pull_sync_start(int dir_fd, PullSync *ret, Error *reterr) {
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot start to write to the disk");
        _cleanup_fd_ int ours = pair[0], theirs = pair[1];
        pid_t pid = process_fork_bound(SIGKILL); /* no lock of ours lives longer because of it */
        if (pid < 0)
                return error_set_errno(reterr, -errno, "cannot start to write to the disk");
        if (pid == 0)
                sync_main(dir_fd, theirs);
        *ret = (PullSync){ .pid = pid, .pipe_fd = TAKE_FD(ours) };
        return 0;
}

int pull_sync_finish(PullSync *sync, Error *reterr) {
        int code = EIO;

        if (io_read_full(sync->pipe_fd, &code, sizeof(code)) != sizeof(code))
                code = EIO; /* it was killed */
        sync->pipe_fd = fd_close(sync->pipe_fd);
        (void) process_reap(sync->pid);
        sync->pid = 0;
        return code == 0 ? 0 : error_set_errno(reterr, -code, "cannot write to the disk");
}

void pull_sync_done(PullSync *sync) {
        sync->pipe_fd = fd_close(sync->pipe_fd);
        if (sync->pid > 0) {
                (void) kill(sync->pid, SIGKILL);
                (void) process_reap(sync->pid); /* syncfs(2) is not interrupted, but ends */
        }
        *sync = PULL_SYNC_NULL;
}
