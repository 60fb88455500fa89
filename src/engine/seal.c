/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the program's own file out of a container's reach. */
#include "engine/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

#define PROGRAM_VARIABLE "SDPOD_PROGRAM"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int copy_and_seal(int from, off_t size) {
        _cleanup_fd_ int fd = memfd_create("sdpod", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        while (size > 0) {
                ssize_t n = sendfile(fd, from, NULL, (size_t) size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                size -= n;
        }
        return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : TAKE_FD(fd);
}

void seal_own_program(char **argv) {
        struct stat st;
        _cleanup_fd_ int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), sealed = -EBADF;

        if (own < 0 || fstat(own, &st) < 0)
                goto fail;
        /* root's containers have the host's root inside: for them every file is in reach */
        if (geteuid() != 0 && st.st_uid == 0)
                return;
        int seals = fcntl(own, F_GET_SEALS);
        if (seals >= 0 && (seals & SEALS) == SEALS)
                return;
        sealed = copy_and_seal(own, st.st_size);
        if (sealed < 0)
                goto fail;
        char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (n < 0)
                goto fail;
        path[n] = 0;
        /* what units are told to run must be the file, not the copy */
        if (setenv(PROGRAM_VARIABLE, path, /* overwrite= */ 1) < 0)
                goto fail;
        (void) fexecve(sealed, argv, environ);
fail:
        log_warning("cannot protect the program's own file: %s", strerror(errno));
        _exit(125);
}

char *seal_program_path(void) {
        char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        const char *told = getenv(PROGRAM_VARIABLE);

        if (n < 0)
                return NULL;
        path[n] = 0;
        /* an upgrade put another file there while this command runs (proc_pid_exe(5)) */
        if (str_has_suffix(path, " (deleted)"))
                path[(size_t) n - STRLEN(" (deleted)")] = 0;
        return strdup(str_after(path, "/memfd:") && !str_empty(told) ? told : path);
}
