/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at tasks of the container from outside. */
#include "net/bypass-task.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"

#define PIDFD_THREAD_ O_EXCL /* Linux 6.9 */

enum {
        TEXT_LIMIT = 4096,
        FDINFO_LIMIT = 256 * 1024, /* of an epoll instance: some two thousand descriptors */
        FDS_MAX = 4096,            /* a table with more is not looked through */
};

int bypass_task_read(pid_t tid, uint64_t address, void *to, size_t size) {
        struct iovec local = { .iov_base = to, .iov_len = size },
                     remote = { .iov_base = (void *) (uintptr_t) address, .iov_len = size };
        ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EFAULT;
}

/* Reads a small text of the task's; it is NUL-terminated. */
static int read_text(int proc_fd, const char *path, char *text, size_t room) {
        _cleanup_fd_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        ssize_t n = io_read_full(fd, text, room - 1);
        if (n < 0)
                return (int) n;
        text[n] = 0;
        return (int) n;
}

/* The value behind "Key:" and white space at the begin of a line; NULL. */
static const char *find_value(const char *text, const char *key) {
        for (const char *line = text; *line;) {
                const char *value = str_after(line, key);

                if (value)
                        return value + strspn(value, " \t");
                const char *end = strchr(line, '\n');
                if (!end)
                        break;
                line = end + 1;
        }
        return NULL;
}

int bypass_task_open(int proc_fd, pid_t tid) {
        char path[48], text[TEXT_LIMIT];
        int fd = pidfd_open(tid, PIDFD_THREAD_);

        if (fd >= 0)
                return fd;
        if (errno != EINVAL)
                return -errno;
        fd = pidfd_open(tid, 0); /* older kernels: by the thread group, whose table is nearly always the thread's */
        if (fd >= 0)
                return fd;
        (void) snprintf(path, sizeof(path), "%d/status", tid);
        int r = read_text(proc_fd, path, text, sizeof(text));
        const char *value = r >= 0 ? find_value(text, "Tgid:") : NULL;
        long leader = value ? strtol(value, NULL, 10) : 0;
        if (leader <= 0 || leader > INT32_MAX)
                return r < 0 ? r : -ESRCH;
        fd = pidfd_open((pid_t) leader, 0);
        return fd < 0 ? -errno : fd;
}

int bypass_task_fd_flags(int proc_fd, pid_t tid, int fd) {
        char path[64], text[TEXT_LIMIT];

        (void) snprintf(path, sizeof(path), "%d/fdinfo/%d", tid, fd);
        int r = read_text(proc_fd, path, text, sizeof(text));
        const char *value = r >= 0 ? find_value(text, "flags:") : NULL;
        return value ? (int) strtol(value, NULL, 8) : r < 0 ? r : -EBADMSG;
}

bool bypass_task_may(int proc_fd, pid_t tid, unsigned capability) {
        char path[48], text[TEXT_LIMIT], theirs[64] = {}, ours[64] = {};

        (void) snprintf(path, sizeof(path), "%d/ns/user", tid);
        if (readlinkat(proc_fd, path, theirs, sizeof(theirs) - 1) <= 0 || readlinkat(proc_fd, "self/ns/user", ours, sizeof(ours) - 1) <= 0 ||
            !str_equal(theirs, ours))
                return false;
        (void) snprintf(path, sizeof(path), "%d/status", tid);
        const char *value = read_text(proc_fd, path, text, sizeof(text)) >= 0 ? find_value(text, "CapEff:") : NULL;
        return value && (strtoull(value, NULL, 16) >> capability & 1);
}

static int look_at(int dir_fd, const char *name, const char *socket, int fd, BypassFdUse *use) {
        char target[64];
        uint32_t number;

        if (parse_u32(name, &number) < 0 || (int) number == fd)
                return 0;
        ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        target[n] = 0;
        if (str_equal(target, socket))
                use->duplicated = true;
        else if (str_equal(target, "anon_inode:[eventpoll]")) {
                if (use->n_epolls == ELEMENTSOF(use->epolls))
                        use->unknown = true;
                else
                        use->epolls[use->n_epolls++] = (int) number;
        }
        return 0;
}

int bypass_task_fd_use(int proc_fd, pid_t tid, int fd, ino_t inode, BypassFdUse *ret) {
        BypassFdUse use = {};
        char path[48], socket[64], room[4096] __attribute__((aligned(8)));
        size_t n_fds = 0;

        (void) snprintf(path, sizeof(path), "%d/fd", tid);
        (void) snprintf(socket, sizeof(socket), "socket:[%" PRIuMAX "]", (uintmax_t) inode);
        _cleanup_fd_ int dir_fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        for (;;) {
                ssize_t size = getdents64(dir_fd, room, sizeof(room));

                if (size < 0)
                        return -errno;
                if (size == 0)
                        break;
                for (size_t at = 0; at < (size_t) size; n_fds++) {
                        const struct dirent64 *entry = (const struct dirent64 *) (const void *) (room + at);
                        int r = look_at(dir_fd, entry->d_name, socket, fd, &use);

                        if (r < 0)
                                return r;
                        at += entry->d_reclen;
                }
                if (n_fds > FDS_MAX) {
                        use.unknown = true;
                        break;
                }
        }
        *ret = use;
        return 0;
}

/* One line of an epoll instance: "tfd:  N events:  HEX data:  HEX  pos:N ino:HEX sdev:HEX" (proc(5)). */
static bool parse_watch(const char *line, int fd, ino_t inode, uint32_t *ret_events, uint64_t *ret_data) {
        unsigned long long data, found_inode;
        unsigned events;
        int number;

        if (sscanf(line, "tfd: %d events: %x data: %llx pos:%*d ino:%llx", &number, &events, &data, &found_inode) != 4)
                return false;
        if (number != fd || (ino_t) found_inode != inode)
                return false;
        *ret_events = events;
        *ret_data = data;
        return true;
}

int bypass_task_epoll_watch(int proc_fd, pid_t tid, int epoll, int fd, ino_t inode, uint32_t *ret_events, uint64_t *ret_data) {
        _cleanup_free_ char *text = NULL;
        char path[64];
        size_t size;

        (void) snprintf(path, sizeof(path), "%d/fdinfo/%d", tid, epoll);
        _cleanup_fd_ int info_fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (info_fd < 0)
                return -errno;
        int r = io_read_all(info_fd, FDINFO_LIMIT, &text, &size);
        if (r < 0)
                return r;
        for (const char *line = text; line && *line;) {
                if (parse_watch(line, fd, inode, ret_events, ret_data))
                        return 1;
                line = strchr(line, '\n');
                line = line ? line + 1 : NULL;
        }
        return 0;
}
