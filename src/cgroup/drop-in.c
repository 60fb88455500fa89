/* SPDX-License-Identifier: Apache-2.0 */
/* Drop-ins of units that run: the directory for changes at run time, which systemd reads last (systemd.unit(5)). */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "cgroup/manager.h"

static int open_control(void) {
        _cleanup_free_ char *runtime = path_user_runtime(), *path = runtime ? str_format("%s/systemd", runtime) : NULL;

        if (!path)
                return -ENOMEM;
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : path_open_or_make_dir(fd, geteuid() == 0 ? "system.control" : "user.control", 0755);
}

int manager_write_drop_in(const char *unit, const char *name, const char *text, Error *reterr) {
        _cleanup_free_ char *directory = str_format("%s.d", unit);
        _cleanup_fd_ int control = open_control(), fd = -EBADF;
        int r = !directory ? -ENOMEM : control;

        if (r >= 0)
                r = fd = path_open_or_make_dir(control, directory, 0755);
        if (r >= 0)
                r = file_write_atomic(fd, name, text, strlen(text), 0644, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write a drop-in of '%s'", unit) : 0;
}

void manager_remove_drop_ins(const char *unit) {
        _cleanup_free_ char *directory = str_format("%s.d", unit);
        _cleanup_fd_ int control = directory ? open_control() : -ENOMEM;

        if (control >= 0)
                (void) path_remove_tree(control, directory); /* mostly there is none */
}
