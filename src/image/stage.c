/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary directories with an owner. */
#include "image/stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "image/layout.h"
#include "image/limits.h"
#include "image/share.h"
#include "ns/userns.h"
#include "spec/digest.h"

#define STAGE_PREFIX ".tmp-image-"

typedef struct RemoveArguments {
        int dir_fd;
        const char *name;
} RemoveArguments;

static int remove_mapped(void *data, Error *reterr) {
        const RemoveArguments *a = data;
        int r = path_remove_tree(a->dir_fd, a->name);

        return r < 0 ? error_set_errno(reterr, r, "cannot remove '%s'", a->name) : 0;
}

int stage_remove_tree(const UserMap *map, int dir_fd, const char *name, Error *reterr) {
        RemoveArguments arguments = { dir_fd, name };
        int r = path_remove_tree(dir_fd, name);

        if (r >= 0)
                return 0;
        if (map->host || (r != -EACCES && r != -EPERM))
                return error_set_errno(reterr, r, "cannot remove '%s'", name);
        return userns_run(map, /* flags= */ 0, remove_mapped, &arguments, reterr);
}

/* Whether the directory's owner lives: it holds the lock. A directory without a lock file died in its first moment. */
static bool is_owned(int data_fd, const char *name) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        char path[300];

        (void) snprintf(path, sizeof(path), "%s/lock", name);
        _cleanup_fd_ int fd = openat(data_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0;
}

/* Temporary files of writes that were interrupted. We hold the writers' lock. */
static void collect_files(int data_fd, const char *path) {
        _cleanup_fd_ int fd = openat(data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0)
                file_collect_temporary(fd);
}

static void remove_leftover(const Stage *stage, int dir_fd, const char *name) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (stage_remove_tree(&stage->map, dir_fd, name, &error) < 0)
                log_warning("%s, leaving it", error.message);
}

/* Takes what dead owners left into our own stage: it may be large, and is removed without the lock. Where there is no stage, it is
 * removed where it is. Called under images.lock, in which new ones are made: none is seen half made. */
static int collect(Stage *stage, Error *reterr) {
        int data_fd = stage->store->data_fd;
        _cleanup_fd_ int fd = openat(data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read the directory '%s'", stage->store->data_path);
        (void) TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir));) {
                if (!str_after(e->d_name, STAGE_PREFIX) || str_equal(e->d_name, stage->name) || is_owned(data_fd, e->d_name))
                        continue;
                log_debug("removing what an interrupted command left: %s/%s", stage->store->data_path, e->d_name);
                if (stage->fd < 0)
                        remove_leftover(stage, data_fd, e->d_name);
                else if (renameat(data_fd, e->d_name, stage->fd, e->d_name) >= 0)
                        stage->has_leftovers = true;
                else if (errno != ENOENT) /* its owner has just done so */
                        log_warning("cannot remove '%s/%s': %m, leaving it", stage->store->data_path, e->d_name);
        }
        (void) closedir(dir);
        collect_files(data_fd, "images");
        collect_files(data_fd, "images/blobs/sha256");
        return 0;
}

static void remove_leftovers(Stage *stage) {
        _cleanup_fd_ int fd = openat(stage->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                return; /* it goes with the stage */
        (void) TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir));)
                if (str_after(e->d_name, STAGE_PREFIX))
                        remove_leftover(stage, stage->fd, e->d_name);
        (void) closedir(dir);
        share_collect(stage->store);
        stage->has_leftovers = false;
}

static int make(Stage *stage, Error *reterr) {
        int data_fd = stage->store->data_fd, r;
        uint64_t random;

        do {
                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return error_set_errno(reterr, -errno, "cannot make a temporary directory");
                (void) snprintf(stage->name, sizeof(stage->name), STAGE_PREFIX "%016llx", (unsigned long long) random);
                r = mkdirat(data_fd, stage->name, 0700) < 0 ? -errno : 0;
        } while (r == -EEXIST);
        if (r >= 0 && (stage->fd = openat(data_fd, stage->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
                r = -errno;
        if (r < 0)
                (void) error_set_errno(reterr, r, "cannot make a temporary directory in '%s'", stage->store->data_path);
        else
                r = stage->lock_fd = store_lock(stage->fd, "lock", /* exclusive= */ true, reterr);
        if (r >= 0)
                return 0;
        stage->fd = fd_close(stage->fd);
        (void) unlinkat(data_fd, stage->name, AT_REMOVEDIR);
        *stage->name = 0;
        return r;
}

/* What was put by for this moment: removing images takes a directory, too. */
static void use_reserve(const Store *store) {
        _cleanup_fd_ int fd = openat(store->data_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                (void) layout_use_reserve(fd);
}

int stage_open(const Store *store, Stage *ret, Error *reterr) {
        _cleanup_stage_ Stage stage = STAGE_NULL;
        _cleanup_fd_ int lock = -EBADF;

        stage.store = store;
        int r = user_map_default(&stage.map, reterr);
        if (r >= 0)
                r = lock = layout_lock(store, reterr);
        if (r >= 0)
                r = make(&stage, reterr);
        if (r == -ENOSPC || r == -EDQUOT) {
                /* it may be the leftovers that fill the disk */
                error_done(reterr);
                use_reserve(store);
                r = collect(&stage, reterr);
                if (r >= 0)
                        r = make(&stage, reterr);
        }
        if (r >= 0)
                r = collect(&stage, reterr);
        if (r < 0)
                return r;
        lock = fd_close(lock);
        if (stage.has_leftovers)
                remove_leftovers(&stage);
        user_map_warn_single(&stage.map, store->runtime_fd);
        *ret = stage;
        stage = STAGE_NULL;
        return 0;
}

/* Whether layers go with it. */
static bool has_layers(const Stage *stage) {
        _cleanup_fd_ int fd = openat(stage->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        bool found = false;

        if (!dir)
                return false;
        (void) TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir)) && !found;)
                found = digest_hex_is_valid(e->d_name) || str_after(e->d_name, "layer-") ||
                        str_after(e->d_name, STAGE_PREFIX);
        (void) closedir(dir);
        return found;
}

void stage_done(Stage *stage) {
        _cleanup_error_ Error error = ERROR_NULL;
        bool layers = *stage->name && has_layers(stage);

        /* who collects leftovers may find it when its lock file has gone, and then does the rest of this */
        if (*stage->name && stage_remove_tree(&stage->map, stage->store->data_fd, stage->name, &error) < 0)
                log_warning("%s, leaving it", error.message);
        if (layers)
                share_collect(stage->store);
        (void) fd_close(stage->fd);
        (void) fd_close(stage->lock_fd);
        user_map_done(&stage->map);
        *stage = STAGE_NULL;
}

int stage_free_space(const Stage *stage, uint64_t *ret, Error *reterr) {
        struct statvfs st;
        uint64_t available;

        if (fstatvfs(stage->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot find out the free space of '%s'", stage->store->data_path);
        available = (uint64_t) st.f_bavail * st.f_frsize;
        *ret = available - MIN(IMAGE_FREE_RESERVE, available / 16);
        return 0;
}
