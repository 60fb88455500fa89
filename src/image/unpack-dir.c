/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of a layer. */
#include "image/unpack-dir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "image/limits.h"

typedef struct TimesHeader {
        int64_t mtime;
        uint32_t nsec, length; /* of the path with its NUL */
} TimesHeader;

static void leave(UnpackDir *dir) {
        dir->fd = fd_close(dir->fd);
        free(dir->path);
        dir->path = NULL;
}

void unpack_dir_done(UnpackDir *dir) {
        leave(dir);
        free(dir->entry);
        free(dir->times);
        dir->entry = dir->times = NULL;
}

int unpack_dir_normalise(const char *path, char **ret, Error *reterr) {
        const char *wrong = NULL;
        _cleanup_free_ char *out = malloc(strlen(path) + 1);
        char *p = out;
        size_t depth = 0;

        if (!out)
                return error_oom(reterr);
        if (strlen(path) > IMAGE_PATH_LIMIT)
                wrong = "it is longer than a path can be";
        for (const char *s = path; *s && !wrong;) {
                size_t n = strcspn(s, "/");

                if (n == 2 && memcmp(s, "..", 2) == 0)
                        wrong = "it leads out of the layer";
                else if (n > 255)
                        wrong = "a name in it is longer than 255 bytes";
                else if (n > 0 && !(n == 1 && *s == '.')) {
                        if (p > out)
                                *p++ = '/';
                        p = mempcpy(p, s, n);
                        if (++depth > IMAGE_DEPTH_LIMIT)
                                wrong = "it is too deep";
                        else if (strncmp(s, ".wh.", 4) == 0 && s[n] && s[n + strspn(s + n, "/")])
                                wrong = "a whiteout has nothing below it";
                }
                s += n + strspn(s + n, "/");
        }
        if (wrong)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the path '%.300s' is refused: %s", path, wrong);
        *p = 0;
        *ret = TAKE_PTR(out);
        return 0;
}

/* The directory part of a normalised path: its length, and the last component. */
static size_t split(const char *path, const char **ret_name) {
        const char *slash = strrchr(path, '/');

        *ret_name = slash ? slash + 1 : path;
        return slash ? (size_t) (slash - path) : 0;
}

int unpack_dir_open_parent(const UnpackDir *dir, const char *path, const char **ret_name) {
        size_t n = split(path, ret_name);
        _cleanup_free_ char *parent = strndup(path, n);

        if (!parent)
                return -ENOMEM;
        return path_open_beneath(dir->root_fd, n > 0 ? parent : ".", O_PATH | O_DIRECTORY, 0);
}

static int refuse_parent(Error *reterr, int code, const char *path) {
        if (code == -ELOOP)
                return error_set(reterr, code, ERROR_INVALID, "the path '%.300s' is refused: it goes through a symlink", path);
        if (code == -ENOTDIR)
                return error_set(reterr, code, ERROR_INVALID, "the path '%.300s' is refused: it is below something that is no directory",
                                 path);
        return error_set_errno(reterr, code, "cannot make '%.300s'", path);
}

/* Walks `path` from the root, making what is missing. Returns an owned descriptor. */
static int make_parents(UnpackDir *dir, const char *path, Error *reterr) {
        _cleanup_free_ char *copy = strdup(path);
        _cleanup_fd_ int fd = path_open_beneath(dir->root_fd, ".", O_PATH | O_DIRECTORY, 0);
        char *save = NULL;

        if (!copy)
                return error_oom(reterr);
        for (char *part = strtok_r(copy, "/", &save); part && fd >= 0; part = strtok_r(NULL, "/", &save)) {
                int next = path_open_beneath(fd, part, O_PATH | O_DIRECTORY, 0);

                if (next == -ENOENT || next == -ENOTDIR) {
                        int r = unpack_dir_make(dir, fd, part, /* replace= */ false, reterr);

                        if (r < 0)
                                return r;
                        next = path_open_beneath(fd, part, O_PATH | O_DIRECTORY, 0);
                }
                (void) fd_close(fd);
                fd = next;
        }
        return fd < 0 ? refuse_parent(reterr, fd, path) : TAKE_FD(fd);
}

int unpack_dir_enter(UnpackDir *dir, const char *path, const char **ret_name, Error *reterr) {
        size_t n = split(path, ret_name);
        _cleanup_free_ char *parent = strndup(path, n);

        if (!parent || str_replace(&dir->entry, path) < 0)
                return error_oom(reterr);
        if (dir->fd >= 0 && str_equal(dir->path, parent))
                return dir->fd;
        leave(dir);
        int fd = path_open_beneath(dir->root_fd, n > 0 ? parent : ".", O_PATH | O_DIRECTORY, 0);
        if (fd == -ENOENT || fd == -ENOTDIR)
                fd = make_parents(dir, parent, reterr);
        else if (fd < 0)
                return refuse_parent(reterr, fd, path);
        if (fd < 0)
                return fd;
        dir->fd = fd;
        dir->path = TAKE_PTR(parent);
        return fd;
}

int unpack_dir_clear(UnpackDir *dir, int parent, const char *name, Error *reterr) {
        struct stat st;
        int r = 0;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        else if (!S_ISDIR(st.st_mode)) {
                r = unlinkat(parent, name, 0) < 0 ? -errno : 0;
                dir->replaced = dir->replaced || S_ISREG(st.st_mode);
        } else {
                dir->replaced = true;
                r = path_remove_tree(parent, name);
                /* `parent` may be the descriptor that is kept, and stays open; only its name is forgotten, in case
                 * what was removed is above it */
                free(dir->path);
                dir->path = NULL;
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot replace '%.300s'", name) : 0;
}

int unpack_dir_make_opaque(int fd, Error *reterr) {
        /* an O_PATH descriptor does not take attributes */
        _cleanup_fd_ int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (readable < 0 || fsetxattr(readable, "user.overlay.opaque", "y", 1, 0) < 0) {
                int r = error_set_errno(reterr, -errno, "cannot mark a directory opaque");

                if (errno == EOPNOTSUPP)
                        error_hint(reterr, "the images' file system does not take user.* attributes: keep them on ext4, xfs or btrfs");
                return r;
        }
        return 0;
}

int unpack_dir_make(UnpackDir *dir, int parent, const char *name, bool replace, Error *reterr) {
        struct stat st;
        bool whiteout;

        if (mkdirat(parent, name, 0755) == 0)
                return 0;
        if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot make the directory '%.300s'", name);
        if (S_ISDIR(st.st_mode))
                return 0;
        whiteout = S_ISCHR(st.st_mode) && st.st_rdev == 0;
        if (!whiteout && !replace)
                return refuse_parent(reterr, S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR, name);
        int r = unpack_dir_clear(dir, parent, name, reterr);
        if (r < 0)
                return r;
        if (mkdirat(parent, name, 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make the directory '%.300s'", name);
        if (!whiteout)
                return 0;
        _cleanup_fd_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the directory '%.300s'", name);
        return unpack_dir_make_opaque(fd, reterr);
}

int unpack_dir_remember_times(UnpackDir *dir, int64_t mtime, uint32_t nsec, Error *reterr) {
        TimesHeader header = { .mtime = mtime, .nsec = nsec, .length = (uint32_t) strlen(dir->entry) + 1 };
        size_t wanted = dir->times_size + sizeof(header) + header.length;

        if (wanted > IMAGE_DIRS_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "it has more directories than are taken here");
        if (wanted > dir->times_room) {
                size_t room = MAX(dir->times_room * 2, MAX(wanted, (size_t) 4096));
                char *grown = realloc(dir->times, room);

                if (!grown)
                        return error_oom(reterr);
                dir->times = grown;
                dir->times_room = room;
        }
        memcpy(dir->times + dir->times_size, &header, sizeof(header));
        memcpy(dir->times + dir->times_size + sizeof(header), dir->entry, header.length);
        dir->times_size = wanted;
        return 0;
}

int unpack_dir_set_times(UnpackDir *dir, Error *reterr) {
        leave(dir);
        for (size_t at = 0; at < dir->times_size;) {
                TimesHeader header;
                const char *path = dir->times + at + sizeof(header);

                memcpy(&header, dir->times + at, sizeof(header));
                at += sizeof(header) + header.length;
                _cleanup_fd_ int fd = path_open_beneath(dir->root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
                struct timespec ts = { .tv_sec = header.mtime, .tv_nsec = header.nsec };
                /* a directory that was replaced later in the archive is not there any more */
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                        continue;
                if (fd < 0 || futimens(fd, (struct timespec[]){ ts, ts }) < 0)
                        return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot set the times of '%.300s'", path);
        }
        return 0;
}
