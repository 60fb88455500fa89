/* SPDX-License-Identifier: Apache-2.0 */
/* Files that tell others a container's process. */
#include "engine/pid-file.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"

static int write_one(const char *option, const char *path, const char *text, Error *reterr) {
        const char *slash = path ? strrchr(path, '/') : NULL;

        if (!slash) /* records have absolute paths */
                return 0;
        _cleanup_free_ char *parent = strndup(path, slash == path ? 1 : (size_t) (slash - path));
        if (!parent)
                return error_oom(reterr);
        _cleanup_fd_ int dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = dir < 0 ? -errno : file_write_atomic(dir, slash + 1, text, strlen(text), 0644, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write %s '%s'", option, path) : 0;
}

int pid_files_write(const ContainerConfig *config, pid_t pid, Error *reterr) {
        _cleanup_free_ char *text = str_format("%d", pid); /* without a newline, as Podman's */

        if (!text)
                return error_oom(reterr);
        int r = write_one("--pidfile", config->pid_file, text, reterr);
        return r < 0 ? r : write_one("--conmon-pidfile", config->conmon_pid_file, text, reterr);
}
