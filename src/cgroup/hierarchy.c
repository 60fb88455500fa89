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

enum { CGROUP_FILE_LIMIT = 4 * 1024 * 1024, CGROUP_DEPTH_MAX = 64, EVENT_TIMEOUT_MSEC = 10000 };

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

bool cgroup_is_unified(void) {
        struct statfs fs;

        return statfs("/sys/fs/cgroup", &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
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

bool cgroup_is_populated(int dir_fd, const char *name) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd >= 0 && read_event(fd, "populated") > 0;
}

/* Waits until the key has the value. 0: it has; -ETIMEDOUT. */
static int wait_event(int dir_fd, int events, const char *key, bool value) {
        struct pollfd poll_fd = { .fd = events, .events = POLLPRI };

        for (;;) {
                char drain[256];

                /* poll(2) tells of a change since the last read of this very descriptor: so that comes before the look */
                if (pread(events, drain, sizeof(drain), 0) < 0)
                        return -errno;
                int now = read_event(dir_fd, key);
                if (now < 0 || now == value)
                        return MIN(now, 0);
                if (RETRY_EINTR(poll(&poll_fd, 1, EVENT_TIMEOUT_MSEC)) == 0)
                        return -ETIMEDOUT;
        }
}

int cgroup_freeze(int dir_fd, bool freeze, Error *reterr) {
        _cleanup_fd_ int events = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

        int r = events < 0 ? -errno : file_write_string(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
        if (r < 0)
                return error_set_errno(reterr, r, freeze ? "cannot freeze its cgroup" : "cannot thaw its cgroup");
        r = wait_event(dir_fd, events, "frozen", freeze);
        if (r == -ETIMEDOUT) {
                if (freeze) /* what is said to run should */
                        (void) file_write_string(dir_fd, "cgroup.freeze", "0");
                return error_set(reterr, r, ERROR_INTERNAL, "a process does not let itself be frozen");
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot read 'cgroup.events'") : 0;
}

/* ---- removing ---- */

static int end_processes(int dir_fd) {
        _cleanup_fd_ int events = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

        if (events < 0)
                return -errno;
        (void) file_write_string(dir_fd, "cgroup.kill", "1"); /* Linux 5.14; before that they have to end by themselves */
        return wait_event(dir_fd, events, "populated", false);
}

/* Removes all children that let themselves be removed. 1: goes on in the one at *cgroup, which has children; 0: none is left. */
static int remove_children(int *cgroup) {
        int own = openat(*cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = own < 0 ? NULL : fdopendir(own);
        int r = 0;

        if (!dir)
                return fd_close(own), -errno;
        for (struct dirent *e; r == 0 && (e = readdir(dir));) {
                if (e->d_type != DT_DIR || *e->d_name == '.' || unlinkat(*cgroup, e->d_name, AT_REMOVEDIR) >= 0)
                        continue;
                int child = errno == EBUSY ? openat(*cgroup, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
                r = child < 0 ? -errno : 1;
                if (child >= 0) {
                        (void) fd_close(*cgroup);
                        *cgroup = child;
                }
        }
        (void) closedir(dir);
        return r;
}

/* In bounded memory and descriptors: a container may have made any depth of them. */
int cgroup_remove_children(int dir_fd) {
        _cleanup_fd_ int cgroup = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        size_t depth = 0;

        for (;;) {
                int r = cgroup < 0 ? -errno : remove_children(&cgroup);

                if (r < 0 || (r == 0 && depth == 0))
                        return r;
                if (r > 0) {
                        depth++;
                        continue;
                }
                int above = openat(cgroup, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                (void) fd_close(cgroup);
                cgroup = above;
                depth--;
        }
}

int cgroup_remove(int dir_fd, const char *name) {
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) >= 0)
                return 0;
        if (errno != EBUSY)
                return errno == ENOENT ? 1 : -errno;
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = fd < 0 ? -errno : end_processes(fd);
        if (r >= 0)
                r = cgroup_remove_children(fd);
        if (r >= 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
                r = -errno;
        return r == -ENOENT || r == -ENODEV ? 1 : r;
}

int cgroup_open_memory_events(const char *path) {
        _cleanup_fd_ int dir = str_empty(path) ? -ENOENT : cgroup_open(path, /* reterr= */ NULL);

        if (dir < 0)
                return dir;
        int fd = openat(dir, "memory.events", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int64_t cgroup_oom_kills(int memory_events_fd) {
        char text[512], *count;
        ssize_t n = pread(memory_events_fd, text, sizeof(text) - 1, 0);

        if (n <= 0)
                return n == 0 ? -ENODATA : -errno;
        text[n] = '\0';
        count = strstr(text, "\noom_kill ");
        return count ? strtoll(count + strlen("\noom_kill "), NULL, 10) : 0;
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
