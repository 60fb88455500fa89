/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a directory's content, by descriptors all the way down. */
#include "base/copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"

enum { DEPTH_MAX = 512 };

typedef struct HardLink {
        ino_t inode;
        char *path; /* below the target's root; NULL: a free place */
} HardLink;

typedef struct Copy {
        int to_root;
        dev_t device;
        bool layer;
        HardLink *links;  /* a hash table of `room` places, a power of two, at most half full */
        size_t n_links, room;
        char path[4096]; /* of the entry at hand, below the root */
} Copy;

/* Opens a directory for reading its entries; the descriptor stays the caller's. */
static DIR *open_entries(int fd) {
        int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = own < 0 ? NULL : fdopendir(own);

        if (!dir)
                (void) fd_close(own);
        return dir;
}

static struct dirent *next_entry(DIR *dir) {
        struct dirent *e;

        do
                e = readdir(dir);
        while (e && (str_equal(e->d_name, ".") || str_equal(e->d_name, "..")));
        return e;
}

int copy_directory_is_empty(int fd) {
        DIR *dir = open_entries(fd);

        if (!dir)
                return -errno;
        bool empty = !next_entry(dir);
        (void) closedir(dir);
        return empty;
}

static int copy_xattrs(int from, int to) {
        char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
        ssize_t size = flistxattr(from, names, sizeof(names));

        for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
                ssize_t n = fgetxattr(from, name, value, sizeof(value));

                /* overlay's own marks stay behind; what the kernel does not let us set, it does not let us have */
                if (n < 0 || str_after(name, "user.overlay.") || str_after(name, "trusted."))
                        continue;
                if (fsetxattr(to, name, value, (size_t) n, 0) < 0 && (errno == ENOSPC || errno == EDQUOT))
                        return -errno;
        }
        return 0;
}

static int finish(int from, int to, const struct stat *st) {
        const struct timespec times[] = { st->st_atim, st->st_mtim };

        if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
                return -errno;
        int r = copy_xattrs(from, to);
        return r < 0 ? r : futimens(to, times) < 0 ? -errno : 0;
}

/* Copies a piece that is no hole. The position of `from` is kept elsewhere. */
static int copy_piece(int from, int to, off_t at, off_t end) {
        off_t in = at, out = at;

        while (in < end) {
                ssize_t n = copy_file_range(from, &in, to, &out, (size_t) (end - in), 0);

                if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
                        if (lseek(to, in, SEEK_SET) < 0)
                                return -errno;
                        n = sendfile(to, from, &in, (size_t) (end - in));
                        out = in;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break; /* it became shorter */
        }
        return 0;
}

static int copy_regular(int from_dir, int to_dir, const char *name, const struct stat *st) {
        _cleanup_fd_ int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), to = -EBADF;
        off_t at = 0;

        if (from < 0)
                return -errno;
        to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        while (at < st->st_size) {
                off_t data = lseek(from, at, SEEK_DATA), end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);

                if (data < 0 && errno == ENXIO)
                        break; /* nothing but a hole up to the end */
                if (data < 0 || end < 0) { /* a file system that does not know */
                        data = at;
                        end = st->st_size;
                }
                int r = copy_piece(from, to, data, end);
                if (r < 0)
                        return r;
                at = end;
        }
        if (ftruncate(to, st->st_size) < 0)
                return -errno;
        return finish(from, to, st);
}

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st) {
        if (S_ISLNK(st->st_mode)) {
                char target[4097];
                ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

                if (n < 0)
                        return -errno;
                target[n] = 0;
                if (symlinkat(target, to_dir, name) < 0)
                        return -errno;
        } else if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0)
                return errno == EPERM && (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) ? 0 : -errno;
        const struct timespec times[] = { st->st_atim, st->st_mtim };
        if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The place of an inode in the table, or the free one where it would go. */
static HardLink *find_link(HardLink *links, size_t room, ino_t inode) {
        size_t i = (size_t) (inode * 0x9e3779b97f4a7c15) & (room - 1);

        while (links[i].path && links[i].inode != inode)
                i = (i + 1) & (room - 1);
        return links + i;
}

static int grow_links(Copy *copy) {
        size_t room = MAX(copy->room * 2, (size_t) 64);
        HardLink *grown = calloc(room, sizeof(HardLink));

        if (!grown)
                return -ENOMEM;
        for (size_t i = 0; i < copy->room; i++)
                if (copy->links[i].path)
                        *find_link(grown, room, copy->links[i].inode) = copy->links[i];
        free(copy->links);
        copy->links = grown;
        copy->room = room;
        return 0;
}

/* The second and later names of a file are linked to the first. 1: done; 0: this is the first, and it is noted. */
static int link_known(Copy *copy, int to_dir, const char *name, ino_t inode) {
        int r = copy->n_links * 2 >= copy->room ? grow_links(copy) : 0;

        if (r < 0)
                return r;
        HardLink *link = find_link(copy->links, copy->room, inode);
        if (link->path)
                return linkat(copy->to_root, link->path, to_dir, name, 0) < 0 ? -errno : 1;
        *link = (HardLink){ inode, strdup(copy->path + 1) };
        copy->n_links++;
        return link->path ? 0 : -ENOMEM;
}

/* Makes room for an entry of a layer. 1: it was a whiteout, and all is done. */
static int replace_entry(int from_dir, int to_dir, const char *name, const struct stat *st) {
        bool keep = false;

        if (S_ISDIR(st->st_mode)) {
                _cleanup_fd_ int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                struct stat there;
                char value;

                if (from < 0)
                        return -errno;
                keep = !(fgetxattr(from, "user.overlay.opaque", &value, 1) == 1 && value == 'y') &&
                       fstatat(to_dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode);
        }
        int r = keep ? 0 : path_remove_tree(to_dir, name);
        return r < 0 ? r : S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int copy_entries(Copy *copy, int from_dir, int to_dir, unsigned depth);

static int copy_entry(Copy *copy, int from_dir, int to_dir, const char *name, unsigned depth) {
        struct stat st;
        int r;

        if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (copy->layer) {
                r = replace_entry(from_dir, to_dir, name, &st);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        if (S_ISDIR(st.st_mode)) {
                _cleanup_fd_ int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), to = -EBADF;

                if (from < 0)
                        return -errno;
                if (mkdirat(to_dir, name, 0700) < 0 && !(copy->layer && errno == EEXIST))
                        return -errno;
                to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (to < 0)
                        return -errno;
                r = st.st_dev == copy->device ? copy_entries(copy, from, to, depth + 1) : 0;
                return r < 0 ? r : finish(from, to, &st);
        }
        if (st.st_nlink > 1) {
                r = link_known(copy, to_dir, name, st.st_ino);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return S_ISREG(st.st_mode) ? copy_regular(from_dir, to_dir, name, &st) : copy_special(from_dir, to_dir, name, &st);
}

static int copy_entries(Copy *copy, int from_dir, int to_dir, unsigned depth) {
        size_t length = strlen(copy->path);
        int r = 0;

        if (depth > DEPTH_MAX)
                return -ELOOP;
        DIR *dir = open_entries(from_dir);
        if (!dir)
                return -errno;
        for (struct dirent *e; r >= 0 && (e = next_entry(dir));) {
                int n = snprintf(copy->path + length, sizeof(copy->path) - length, "/%s", e->d_name);

                r = (size_t) n >= sizeof(copy->path) - length ? -ENAMETOOLONG
                                                              : copy_entry(copy, from_dir, to_dir, e->d_name, depth);
                if (r >= 0)
                        copy->path[length] = 0;
        }
        (void) closedir(dir);
        return r;
}

static int copy_all(int from_fd, int to_fd, bool layer, Error *reterr) {
        _cleanup_fd_ int from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Copy copy = { .to_root = to, .layer = layer };
        struct stat st;
        int r = from < 0 || to < 0 || fstat(from, &st) < 0 ? -errno : 0;

        if (r >= 0) {
                copy.device = st.st_dev;
                r = copy_entries(&copy, from, to, 0);
        }
        if (r >= 0)
                r = finish(from, to, &st);
        for (size_t i = 0; i < copy.room; i++)
                free(copy.links[i].path);
        free(copy.links);
        return r < 0 ? error_set_errno(reterr, r, "cannot copy '%s'", *copy.path ? copy.path : "/") : 0;
}

int copy_directory(int from_fd, int to_fd, Error *reterr) {
        return copy_all(from_fd, to_fd, /* layer= */ false, reterr);
}

int copy_layer(int from_fd, int to_fd, Error *reterr) {
        return copy_all(from_fd, to_fd, /* layer= */ true, reterr);
}

static int change_owner(int fd, uid_t uid, gid_t gid, unsigned depth) {
        int r = 0;

        if (depth > DEPTH_MAX)
                return -ELOOP;
        if (fchown(fd, uid, gid) < 0)
                return -errno;
        DIR *dir = open_entries(fd);
        if (!dir)
                return -errno;
        for (struct dirent *e; r >= 0 && (e = next_entry(dir));) {
                _cleanup_fd_ int child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (child >= 0)
                        r = change_owner(child, uid, gid, depth + 1);
                else if (fchownat(fd, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        r = -errno;
        }
        (void) closedir(dir);
        return r;
}

int copy_change_owner(int fd, uid_t uid, gid_t gid, Error *reterr) {
        _cleanup_fd_ int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = own < 0 ? -errno : change_owner(own, uid, gid, 0);

        return r < 0 ? error_set_errno(reterr, r, "cannot change the owner of a volume's files") : 0;
}
