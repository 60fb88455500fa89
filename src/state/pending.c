/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of containers that a command is just making, removing or holding. */
#include "state/pending.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

#define DIRECTORY "pending"

int pending_take(const Store *store, const char *id, Error *reterr) {
        _cleanup_fd_ int dir_fd = store_open_data(store, DIRECTORY, reterr);

        return dir_fd < 0 ? dir_fd : store_lock(dir_fd, id, /* exclusive= */ true, reterr);
}

void pending_drop(const Store *store, const char *id, int *fd) {
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s", id);

        if (*fd >= 0 && path)
                (void) unlinkat(store->data_fd, path, 0); /* one that stays is collected by the next command */
        *fd = fd_close(*fd);
}

static int open_and_try(const Store *store, const char *id, int flags) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_free_ char *path = str_format(DIRECTORY "/%s", id);

        if (!path)
                return -ENOMEM;
        for (;;) {
                _cleanup_fd_ int fd = openat(store->data_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

                if (fd < 0)
                        return -errno;
                if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
                        return errno == EACCES ? -EAGAIN : -errno;
                if (store_lock_has_name(fd, store->data_fd, path)) /* else its holder removed it before we had its lock */
                        return TAKE_FD(fd);
        }
}

int pending_try(const Store *store, const char *id) {
        return open_and_try(store, id, /* flags= */ 0);
}

int pending_take_now(const Store *store, const char *id) {
        return open_and_try(store, id, O_CREAT);
}

int pending_take_born_locked(const Store *store, const char *id, Error *reterr) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_free_ char *temporary = str_format(".tmp-%s", id); /* one at a time: the caller has the container locked */
        _cleanup_fd_ int dir_fd = store_open_data(store, DIRECTORY, reterr);
        int r = 0;

        if (dir_fd < 0 || !temporary)
                return dir_fd < 0 ? dir_fd : error_oom(reterr);
        (void) unlinkat(dir_fd, temporary, 0);
        _cleanup_fd_ int fd = openat(dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 || linkat(dir_fd, temporary, dir_fd, id, 0) < 0)
                r = -errno;
        (void) unlinkat(dir_fd, temporary, 0);
        if (r >= 0)
                return TAKE_FD(fd);
        if (r == -EEXIST)
                r = pending_take_now(store, id);
        return r < 0 && r != -EAGAIN ? error_set_errno(reterr, r, "cannot mark container %.12s", id) : r;
}

int pending_list(const Store *store, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int fd = openat(store->data_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;

        *ret = NULL;
        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot list what is pending");
        DIR *dir = fdopendir(fd);
        if (!dir) {
                (void) fd_close(fd);
                return error_set_errno(reterr, -errno, "cannot list what is pending");
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (*e->d_name != '.')
                        r = strv_append(&ids, e->d_name);
        (void) closedir(dir);
        if (r < 0)
                return error_oom(reterr);
        *ret = TAKE_PTR(ids);
        return 0;
}
