/* SPDX-License-Identifier: Apache-2.0 */
/* Paths resolved by the kernel below a directory's descriptor. */
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { REMOVE_TRIES_MAX = 1000 }; /* against others that remove the same tree, or fill it */

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
                .resolve = resolve,
        };
        long fd;

        /* EAGAIN: a rename or mount raced with ".." during the walk; openat2(2) asks for a retry */
        do
                fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EINTR || errno == EAGAIN));
        return fd < 0 ? -errno : (int) fd;
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode) {
        return open_resolved(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode) {
        return open_resolved(dir_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int path_mkdirs_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid) {
        _cleanup_free_ char *copy = strdup(path);
        _cleanup_fd_ int fd = path_open_in_root(root_fd, ".", O_PATH | O_DIRECTORY, 0);
        char *save = NULL, *walked;

        if (!copy)
                return -ENOMEM;
        if (fd < 0)
                return fd;

        /* Each step resolves the path so far from the root again, so that symlinks inside keep their meaning. */
        walked = calloc(1, strlen(path) + 3);
        _cleanup_free_ char *owner = walked;
        if (!walked)
                return -ENOMEM;
        for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
                if (str_equal(part, "."))
                        continue;
                (void) strcat(strcat(walked, "/"), part);
                int next = path_open_in_root(root_fd, walked, O_PATH | O_DIRECTORY, 0);
                if (next == -ENOENT && !str_equal(part, "..")) {
                        if (mkdirat(fd, part, mode) < 0 && errno != EEXIST)
                                return -errno;
                        next = path_open_in_root(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
                        if (next >= 0 && uid != (uid_t) -1 && fchownat(next, "", uid, gid, AT_EMPTY_PATH) < 0) {
                                (void) fd_close(next);
                                return -errno;
                        }
                }
                if (next < 0)
                        return next;
                (void) fd_close(fd);
                fd = next;
        }
        return TAKE_FD(fd);
}

int path_mkdirs(const char *path, mode_t mode) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        if (!*copy)
                return -ENOENT; /* as mkdir(2) has it */
        for (char *p = copy + 1;; p++) {
                char c = *p;

                if (c && c != '/')
                        continue;
                *p = 0;
                if (mkdir(copy, mode) < 0 && errno != EEXIST) {
                        int code = -errno;
                        struct stat st;

                        /* a read-only or foreign parent is fine as long as it is there */
                        if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode))
                                return code;
                }
                *p = c;
                if (!c)
                        return 0;
        }
}

int path_open_or_make_dir(int dir_fd, const char *name, mode_t mode) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0)
                return fd;
        if (errno != ENOENT)
                return -errno;
        if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_tree_dir(int dir_fd, const char *name) {
        int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd = openat(dir_fd, name, flags);

        if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
                fd = openat(dir_fd, name, flags);
        return fd < 0 ? -errno : fd;
}

/* What another command has removed meanwhile is no failure. */
static void note_failure(int *code) {
        if (errno != ENOENT)
                *code = -errno;
}

/* Removes what is directly in `fd`; the first directory that is not empty is moved up into `top_fd` under a fresh name
 * instead of being entered, so depth costs neither stack nor descriptors. Returns 1 if a directory was moved. */
static int remove_children(int top_fd, int fd, dev_t device, unsigned *serial) {
        _cleanup_fd_ int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        DIR *dir = own < 0 ? NULL : fdopendir(own);
        bool moved = false;
        int code = 0;

        if (!dir)
                return -errno;
        (void) TAKE_FD(own);
        rewinddir(dir);
        for (struct dirent *e; (e = readdir(dir));) {
                struct stat st;
                char fresh[32];
                int r;

                if (str_equal(e->d_name, ".") || str_equal(e->d_name, ".."))
                        continue;
                r = unlinkat(fd, e->d_name, 0);
                if (r < 0 && errno == EACCES && fchmod(fd, 0700) == 0)
                        r = unlinkat(fd, e->d_name, 0);
                if (r == 0 || errno == ENOENT)
                        continue;
                if ((errno != EISDIR && errno != EPERM) || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        note_failure(&code);
                        continue;
                }
                if (st.st_dev != device) {
                        code = -EBUSY;
                        continue;
                }
                if (unlinkat(fd, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        continue;
                if (errno == EBUSY) { /* a mount of the same file system: it is neither entered nor moved */
                        code = -errno;
                        continue;
                }
                if (top_fd == fd) {
                        moved = true;
                        continue;
                }
                /* moving a directory changes its "..", so it takes write permission on the directory itself */
                if ((st.st_mode & S_IRWXU) != S_IRWXU && fchmodat(fd, e->d_name, 0700, 0) < 0) {
                        note_failure(&code);
                        continue;
                }
                do {
                        (void) snprintf(fresh, sizeof(fresh), ".rm-%u", (*serial)++);
                        r = renameat2(fd, e->d_name, top_fd, fresh, /* RENAME_NOREPLACE */ 1);
                } while (r < 0 && errno == EEXIST);
                if (r < 0)
                        note_failure(&code);
                moved = true;
        }
        (void) closedir(dir);
        return code < 0 ? code : moved;
}

bool path_leads_to(int dir_fd, const char *name, const struct stat *st) {
        struct stat named;

        return fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == st->st_ino && named.st_dev == st->st_dev;
}

int path_remove_tree(int dir_fd, const char *name) {
        _cleanup_fd_ int top = -EBADF;
        struct stat st;
        unsigned serial = 0, tries = 0;

        if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        top = open_tree_dir(dir_fd, name);
        if (top < 0)
                return top == -ENOENT ? 0 : top;
        if (fstat(top, &st) < 0)
                return -errno;

        /* Rounds: empty each directory that stands in the top one; what is deeper comes up and is met next round. */
        for (;;) {
                int left = remove_children(top, top, st.st_dev, &serial);
                if (left < 0)
                        return left;
                if (left == 0) {
                        if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                                return 0;
                        if (errno != ENOTEMPTY && errno != EEXIST)
                                return -errno;
                        /* another command that removes it, too, has moved something up; or the name is that of a new one */
                        if (!path_leads_to(dir_fd, name, &st))
                                return 0;
                        if (++tries >= REMOVE_TRIES_MAX)
                                return -ENOTEMPTY;
                        continue;
                }

                _cleanup_fd_ int own = fcntl(top, F_DUPFD_CLOEXEC, 3);
                DIR *dir = own < 0 ? NULL : fdopendir(own);
                if (!dir)
                        return -errno;
                (void) TAKE_FD(own);
                rewinddir(dir);
                int code = 0;
                for (struct dirent *e; (e = readdir(dir)) && code >= 0;) {
                        if (str_equal(e->d_name, ".") || str_equal(e->d_name, ".."))
                                continue;
                        _cleanup_fd_ int child = open_tree_dir(top, e->d_name);
                        if (child == -ENOENT || child == -ENOTDIR)
                                continue;
                        code = child < 0 ? child : remove_children(top, child, st.st_dev, &serial);
                }
                (void) closedir(dir);
                if (code < 0)
                        return code;
        }
}

char *path_simplify(const char *path) {
        char *out, *p;

        if (*path != '/') {
                errno = EINVAL;
                return NULL;
        }
        out = p = malloc(strlen(path) + 2);
        if (!out)
                return NULL;
        while (*path) {
                size_t n;

                path += strspn(path, "/");
                n = strcspn(path, "/");
                if (n == 2 && memcmp(path, "..", 2) == 0)
                        while (p > out && *--p != '/')
                                ;
                else if (n > 0 && !(n == 1 && *path == '.')) {
                        *p++ = '/';
                        p = mempcpy(p, path, n);
                }
                path += n;
        }
        if (p == out)
                *p++ = '/';
        *p = 0;
        return out;
}

const char *path_basename(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

char *path_user_runtime(void) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        if (geteuid() == 0)
                return strdup("/run");
        return str_empty(runtime) ? str_format("/run/user/%u", geteuid()) : strdup(runtime);
}
