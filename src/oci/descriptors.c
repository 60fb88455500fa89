/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, descriptors and files that the caller hands over. */
#include "oci/descriptors.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"

enum { FDS_MAX = 1024 };

/* The directory of a path that need not be there itself. */
static int open_parent(const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t) (slash - path));

        if (!parent)
                return -ENOMEM;
        int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int oci_connect(const char *path, const char *option, int *ret, Error *reterr) {
        if (!path)
                return 0;
        _cleanup_fd_ int dir = open_parent(path);
        int fd = dir < 0 ? dir : io_unix_connect(dir, path_basename(path), SOCK_STREAM);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot connect to the %s '%s'", option, path);
        *ret = fd;
        return 0;
}

int oci_listen_fds(void) {
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        uint32_t n, whose;

        if (!fds || parse_u32(fds, &n) < 0 || n > FDS_MAX)
                return 0;
        if (pid && (parse_u32(pid, &whose) < 0 || whose != (uint32_t) getpid()))
                return 0;
        return (int) n;
}

int oci_check_preserved(uint32_t preserve_fds, Error *reterr) {
        if (preserve_fds > FDS_MAX)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--preserve-fds %u': more than %d", preserve_fds, FDS_MAX);
        return 0;
}

int oci_write_pid_file(const char *path, pid_t pid, Error *reterr) {
        _cleanup_free_ char *text = str_format("%d", pid);
        _cleanup_fd_ int dir = open_parent(path);

        if (!text)
                return error_oom(reterr);
        int r = dir < 0 ? dir : file_write_atomic(dir, path_basename(path), text, strlen(text), 0644, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the pid file '%s'", path) : 0;
}
