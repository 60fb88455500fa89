/* SPDX-License-Identifier: Apache-2.0 */
/* The unified cgroup hierarchy through its files. */
#include "cgroup/hierarchy.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum { CGROUP_FILE_LIMIT = 4 * 1024 * 1024, CGROUP_DEPTH_MAX = 64, FREEZE_TIMEOUT_MSEC = 10000 };

int cgroup_open_root(void) {
        static const char *const paths[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                struct statfs fs;
                _cleanup_fd_ int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd >= 0 && fstatfs(fd, &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
                        return TAKE_FD(fd);
        }
        return -ENOENT;
}

int cgroup_open(const char *path, Error *reterr) {
        _cleanup_fd_ int root = cgroup_open_root();

        if (root < 0)
                return error_set(reterr, root, ERROR_UNSUPPORTED, "cannot use cgroups: cgroup v2 is not mounted on /sys/fs/cgroup");
        int fd = path_open_beneath(root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot open the cgroup '%s'", path) : fd;
}

int cgroup_make(int dir_fd, const char *name, Error *reterr) {
        int fd = path_open_or_make_dir(dir_fd, name, 0755);

        return fd < 0 ? error_set_errno(reterr, fd, "cannot make the cgroup '%s'", name) : fd;
}

int cgroup_attach(int dir_fd, pid_t pid) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", (int) pid);
        return file_write_string(dir_fd, "cgroup.procs", text);
}

int cgroup_controllers(int dir_fd, char ***ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_strv_ char **words = NULL;
        char *save = NULL;

        int r = file_read(dir_fd, "cgroup.controllers", CGROUP_FILE_LIMIT, &text, /* ret_size= */ NULL);
        for (char *w = r < 0 ? NULL : strtok_r(text, " \n", &save); w && r >= 0; w = strtok_r(NULL, " \n", &save))
                r = strv_append(&words, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(words);
        return 0;
}

int cgroup_enable_controllers(int dir_fd) {
        _cleanup_strv_ char **words = NULL;
        int r = cgroup_controllers(dir_fd, &words);

        for (char **w = words; w && *w && r >= 0; w++) {
                _cleanup_free_ char *text = str_format("+%s", *w);

                r = text ? file_write_string(dir_fd, "cgroup.subtree_control", text) : -ENOMEM;
        }
        return r;
}

/* The value of a key in a flat-keyed file such as cgroup.events: "frozen 0". */
static int read_event(int dir_fd, const char *key) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r = file_read(dir_fd, "cgroup.events", CGROUP_FILE_LIMIT, &text, /* ret_size= */ NULL);

        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *value = str_after(line, key);

                if (value && *value == ' ')
                        return value[1] == '1';
        }
        return -ENODATA;
}

int cgroup_freeze(int dir_fd, bool freeze, Error *reterr) {
        _cleanup_fd_ int events = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        struct pollfd poll_fd = { .fd = events, .events = POLLPRI };

        int r = events < 0 ? -errno : file_write_string(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
        if (r < 0)
                return error_set_errno(reterr, r, freeze ? "cannot freeze its cgroup" : "cannot thaw its cgroup");
        for (;;) {
                char drain[256];
                int frozen = read_event(dir_fd, "frozen");

                if (frozen < 0)
                        return error_set_errno(reterr, frozen, "cannot read 'cgroup.events'");
                if (frozen == freeze)
                        return 0;
                /* poll(2) tells of a change since the last read of this very descriptor */
                if (pread(events, drain, sizeof(drain), 0) < 0)
                        return error_set_errno(reterr, -errno, "cannot read 'cgroup.events'");
                if (RETRY_EINTR(poll(&poll_fd, 1, FREEZE_TIMEOUT_MSEC)) == 0) {
                        if (freeze) /* what is said to run should */
                                (void) file_write_string(dir_fd, "cgroup.freeze", "0");
                        return error_set(reterr, -ETIMEDOUT, ERROR_INTERNAL, "a process does not let itself be frozen");
                }
        }
}

static int add_pids(int dir_fd, pid_t **pids, size_t *n, unsigned depth) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r = file_read(dir_fd, "cgroup.procs", CGROUP_FILE_LIMIT, &text, /* ret_size= */ NULL);

        if (r < 0 && r != -EOPNOTSUPP)
                return r == -ENODEV || r == -ENOENT ? 0 : r;
        for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                pid_t *grown = reallocarray(*pids, *n + 1, sizeof(pid_t));

                if (!grown)
                        return -ENOMEM;
                *pids = grown;
                (*pids)[(*n)++] = (pid_t) atoi(line);
        }
        if (depth >= CGROUP_DEPTH_MAX)
                return 0;
        int own = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = own < 0 ? NULL : fdopendir(own);
        if (!dir) {
                (void) fd_close(own);
                return 0;
        }
        r = 0;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                if (e->d_type != DT_DIR || *e->d_name == '.')
                        continue;
                _cleanup_fd_ int child = openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (child >= 0)
                        r = add_pids(child, pids, n, depth + 1);
        }
        (void) closedir(dir);
        return r;
}

int cgroup_pids(int dir_fd, pid_t **ret, size_t *ret_n) {
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r = add_pids(dir_fd, &pids, &n, 0);

        if (r < 0)
                return r;
        *ret = TAKE_PTR(pids);
        *ret_n = n;
        return 0;
}
