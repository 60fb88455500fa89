/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and making places inside a container's root.
 *
 * Theory of operation. What is there is found with one openat2(RESOLVE_IN_ROOT). Where something is missing the path is walked: the
 * part walked so far is kept as text without symlinks, and each step opens it from the root again with no symlink allowed. Who exchanges
 * a component meanwhile makes the step fail (ELOOP); he cannot make it lead elsewhere. */
#include "oci/target.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum { SYMLINKS_MAX = 40 };

typedef struct Walk {
        int root_fd;
        char done[PATH_MAX];    /* "usr/lib": below the root, without symlinks */
        char rest[PATH_MAX];
        unsigned symlinks;
} Walk;

static void go_up(Walk *walk) {
        char *slash = strrchr(walk->done, '/');

        if (slash)
                *slash = 0;
        else
                walk->done[0] = 0;
}

/* Takes the first component off what is left; false at the end. */
static bool next_component(Walk *walk, char part[static NAME_MAX + 1]) {
        size_t skip = strspn(walk->rest, "/"), n = strcspn(walk->rest + skip, "/");

        if (n == 0 || n > NAME_MAX)
                return false;
        memcpy(part, walk->rest + skip, n);
        part[n] = 0;
        memmove(walk->rest, walk->rest + skip + n, strlen(walk->rest + skip + n) + 1);
        return true;
}

static int follow_symlink(Walk *walk, int parent_fd, const char *part) {
        char target[PATH_MAX], joined[PATH_MAX];
        ssize_t n = readlinkat(parent_fd, part, target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = 0;
        if (++walk->symlinks > SYMLINKS_MAX)
                return -ELOOP;
        if ((size_t) n + 1 + strlen(walk->rest) >= sizeof(joined))
                return -ENAMETOOLONG;
        (void) stpcpy(stpcpy(stpcpy(joined, target), "/"), walk->rest);
        (void) strcpy(walk->rest, joined);
        if (target[0] == '/')
                walk->done[0] = 0;
        return 0;
}

static int open_done(const Walk *walk) {
        return path_open_beneath(walk->root_fd, *walk->done ? walk->done : ".", O_PATH, 0);
}

static int make_missing(int parent_fd, const char *part, bool as_file) {
        if (!as_file)
                return mkdirat(parent_fd, part, 0755) < 0 && errno != EEXIST ? -errno : 0;
        int fd = openat(parent_fd, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        (void) fd_close(fd);
        return 0;
}

static int step(Walk *walk, const char *part, bool as_file) {
        _cleanup_fd_ int parent = open_done(walk);
        struct stat st;
        size_t n = strlen(walk->done);

        if (parent < 0)
                return parent;
        if (fstatat(parent, part, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno != ENOENT)
                        return -errno;
                int r = make_missing(parent, part, as_file && walk->rest[strspn(walk->rest, "/")] == 0);
                if (r < 0)
                        return r;
        } else if (S_ISLNK(st.st_mode))
                return follow_symlink(walk, parent, part);
        if (n + 1 + strlen(part) >= sizeof(walk->done))
                return -ENAMETOOLONG;
        (void) stpcpy(stpcpy(walk->done + n, n > 0 ? "/" : ""), part);
        return 0;
}

/* Returns an O_PATH descriptor. */
static int walk_and_make(int root_fd, const char *path, bool as_file) {
        _cleanup_free_ Walk *walk = calloc(1, sizeof(*walk)); /* too much for a small stack */
        char part[NAME_MAX + 1];

        if (!walk)
                return -ENOMEM;
        if (strlen(path) >= sizeof(walk->rest))
                return -ENAMETOOLONG;
        walk->root_fd = root_fd;
        (void) strcpy(walk->rest, path);
        while (next_component(walk, part)) {
                int r = 0;

                if (str_equal(part, ".."))
                        go_up(walk);
                else if (!str_equal(part, "."))
                        r = step(walk, part, as_file);
                if (r < 0)
                        return r;
        }
        return walk->rest[strspn(walk->rest, "/")] ? -ENAMETOOLONG : open_done(walk);
}

int oci_target_open(int root_fd, const char *path, bool as_file, Error *reterr) {
        struct stat st;
        int fd = path_open_in_root(root_fd, path, O_PATH, 0);

        if (fd == -ENOENT)
                fd = walk_and_make(root_fd, path, as_file);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot make '%s' in the container", path);
        if (fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode) == !as_file)
                return fd;
        (void) fd_close(fd);
        return as_file ? error_set(reterr, -EISDIR, ERROR_INVALID, "cannot mount a file on '%s': there is a directory in the container", path)
                       : error_set(reterr, -ENOTDIR, ERROR_INVALID, "cannot mount a directory on '%s': not a directory", path);
}

int oci_target_open_plain(int root_fd, const char *path, Error *reterr) {
        const char *below = path + strspn(path, "/");
        int fd = path_open_beneath(root_fd, *below ? below : ".", O_PATH | O_DIRECTORY, 0);

        if (fd == -ENOENT) {
                (void) fd_close(walk_and_make(root_fd, path, /* as_file= */ false));
                fd = path_open_beneath(root_fd, below, O_PATH | O_DIRECTORY, 0);
        }
        if (fd == -ELOOP || fd == -ENOTDIR)
                return error_set(reterr, fd, ERROR_DENIED, "cannot mount '%s': it must be mounted on ordinary directory, and that is a symlink or a file",
                                 path);
        return fd < 0 ? error_set_errno(reterr, fd, "cannot make '%s' in the container", path) : fd;
}

int oci_target_parent(int root_fd, const char *path, const char **ret_name, Error *reterr) {
        const char *name = path_basename(path);
        _cleanup_free_ char *directory = strndup(path, (size_t) (name - path));

        if (!directory)
                return error_oom(reterr);
        *ret_name = name;
        return oci_target_open(root_fd, *directory ? directory : "/", /* as_file= */ false, reterr);
}
