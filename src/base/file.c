/* SPDX-License-Identifier: Apache-2.0 */
/* Whole small files, atomically. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { TEMPORARY_NAME_MAX = 64 };

#define TEMPORARY_PREFIX ".tmp-"

/* Temporary names begin so: whoever lists a state directory passes over and may collect them. */
static int make_temporary(int dir_fd, mode_t mode, char *ret_name) {
        for (int tries = 0; tries < 100; tries++) {
                uint64_t random;

                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return -errno;
                (void) snprintf(ret_name, TEMPORARY_NAME_MAX, TEMPORARY_PREFIX "%016llx", (unsigned long long) random);
                int fd = openat(dir_fd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd < 0 && errno == EEXIST)
                        continue;
                if (fd >= 0 && mode != 0600 && fchmod(fd, mode) < 0) {
                        int code = -errno;

                        (void) fd_close(fd);
                        (void) unlinkat(dir_fd, ret_name, 0);
                        return code;
                }
                return fd < 0 ? -errno : fd;
        }
        return -EEXIST;
}

int file_write_atomic(int dir_fd, const char *name, const void *data, size_t size, mode_t mode, FileDurability durability) {
        char temporary[TEMPORARY_NAME_MAX];
        _cleanup_fd_ int fd = make_temporary(dir_fd, mode, temporary);
        int r;

        if (fd < 0)
                return fd;
        r = io_write_full(fd, data, size);
        if (r >= 0 && durability == FILE_DURABLE && fsync(fd) < 0)
                r = -errno;
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, temporary, 0);
        if (r >= 0 && durability == FILE_DURABLE && fsync(dir_fd) < 0)
                r = -errno;
        return r;
}

/* A file that is as long as it says takes one read(2), not a second one to find its end. Returns 1, or 0 where it is not: those of
 * /proc and /sys, and one that is being written. */
static int read_at_once(int fd, size_t expected, char **ret_data, size_t *ret_size) {
        _cleanup_free_ char *data = malloc(expected + 2);

        if (!data)
                return -ENOMEM;
        ssize_t n = RETRY_EINTR(read(fd, data, expected + 1));
        if (n < 0)
                return -errno;
        if ((size_t) n != expected)
                return 0;
        data[n] = 0;
        if (ret_size)
                *ret_size = expected;
        else if (strlen(data) != expected)
                return -EBADMSG;
        *ret_data = TAKE_PTR(data);
        return 1;
}

void file_collect_temporary(int dir_fd) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                (void) fd_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (strncmp(e->d_name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0)
                        (void) unlinkat(dir_fd, e->d_name, 0);
        (void) closedir(dir);
}

int file_read(int dir_fd, const char *name, size_t limit, char **ret_data, size_t *ret_size) {
        struct stat st;
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        if (st.st_size > 0 && (uint64_t) st.st_size <= limit) {
                int r = read_at_once(fd, (size_t) st.st_size, ret_data, ret_size);
                if (r != 0)
                        return MIN(r, 0);
                if (lseek(fd, 0, SEEK_SET) < 0)
                        return -errno;
        }
        return io_read_all(fd, limit, ret_data, ret_size);
}

int file_write_string(int dir_fd, const char *name, const char *text) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return -errno;
        return RETRY_EINTR(write(fd, text, strlen(text))) < 0 ? -errno : 0;
}
