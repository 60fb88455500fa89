/* SPDX-License-Identifier: Apache-2.0 */
/* Equal files of several layers become one. */
#include "image/share.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"

#define SHARE_DIRECTORY "files"
#define SHARE_TEMPORARY ".sdpod-share"

enum { DEPTH_MAX = 64, BUFFER_SIZE = 128 * 1024, XATTRS_MAX = 4096, NAME_SIZE = 128, HOLES_FACTOR = 16, BLOCK_SIZE = 512 };

typedef struct Sharing {
        int index_fd;
        uint8_t *buffers;   /* two */
        uint64_t saved;
        char path[PATH_MAX]; /* of the entry at hand, in the layer */
} Sharing;

/* FNV-1a: who makes two paths meet on purpose only keeps a file of his own from being shared. */
static uint64_t hash(const char *text) {
        uint64_t h = 0xcbf29ce484222325;

        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * 0x100000001b3;
        return h;
}

static void entry_name(const char *path, const struct stat *st, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, "%016llx-%llx-%llx.%lx-%o-%x", (unsigned long long) hash(path), (unsigned long long) st->st_size,
                        (unsigned long long) st->st_mtim.tv_sec, (unsigned long) st->st_mtim.tv_nsec, st->st_mode & 07777, st->st_gid);
}

static bool same_attributes(int a, int b) {
        char names[2][XATTRS_MAX], values[2][XATTRS_MAX];
        ssize_t n = flistxattr(a, names[0], XATTRS_MAX);

        if (n < 0 || flistxattr(b, names[1], XATTRS_MAX) != n || memcmp(names[0], names[1], (size_t) n) != 0)
                return false;
        for (const char *name = names[0]; name < names[0] + n; name += strlen(name) + 1) {
                ssize_t size = fgetxattr(a, name, values[0], XATTRS_MAX);

                if (size < 0 || fgetxattr(b, name, values[1], XATTRS_MAX) != size || memcmp(values[0], values[1], (size_t) size) != 0)
                        return false;
        }
        return true;
}

static bool same_content(const Sharing *s, int a, int b) {
        uint8_t *one = s->buffers, *other = s->buffers + BUFFER_SIZE;

        for (;;) {
                ssize_t n = io_read_full(a, one, BUFFER_SIZE);

                if (n < 0 || io_read_full(b, other, BUFFER_SIZE) != n || memcmp(one, other, (size_t) n) != 0)
                        return false;
                if (n < BUFFER_SIZE)
                        return true;
        }
}

/* Whether the file of the index is the same in all that a link shares. */
static bool is_same(const Sharing *s, int parent, const char *name, const char *entry, const struct stat *st, nlink_t *ret_links) {
        int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
        _cleanup_fd_ int there = openat(s->index_fd, entry, flags), here = -EBADF;
        struct stat other;

        *ret_links = 0;
        if (there < 0 || fstat(there, &other) < 0)
                return false;
        *ret_links = other.st_nlink;
        if (!S_ISREG(other.st_mode) || other.st_mode != st->st_mode || other.st_uid != st->st_uid || other.st_gid != st->st_gid ||
            other.st_size != st->st_size || other.st_mtim.tv_sec != st->st_mtim.tv_sec || other.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
                return false;
        here = openat(parent, name, flags);
        return here >= 0 && same_attributes(here, there) && same_content(s, here, there);
}

/* In the place of an entry that is of no use. */
static void replace_entry(const Sharing *s, const char *entry, int parent, const char *name) {
        if (unlinkat(s->index_fd, entry, 0) == 0 && linkat(parent, name, s->index_fd, entry, 0) < 0)
                log_debug("cannot note the file '%s' to be shared: %m", name);
}

static bool share_file(Sharing *s, int parent, const char *name, const struct stat *st) {
        char entry[NAME_SIZE];
        nlink_t links;

        entry_name(s->path, st, entry);
        if (linkat(parent, name, s->index_fd, entry, 0) == 0 || errno != EEXIST)
                return false;
        if (!is_same(s, parent, name, entry, st, &links)) {
                /* what a crash has left of a layer that never was */
                if (links == 1)
                        replace_entry(s, entry, parent, name);
                return false;
        }
        if (linkat(s->index_fd, entry, parent, SHARE_TEMPORARY, 0) < 0) {
                if (errno == EMLINK)
                        replace_entry(s, entry, parent, name);
                return false;
        }
        if (renameat(parent, SHARE_TEMPORARY, parent, name) < 0) {
                (void) unlinkat(parent, SHARE_TEMPORARY, 0);
                return false;
        }
        s->saved += (uint64_t) st->st_size;
        return true;
}

/* Only the owner may make a link (proc(5), protected_hardlinks), or root. */
static bool is_ours(const struct stat *st) {
        uid_t self = geteuid();

        return self == 0 || st->st_uid == self;
}

/* Files that are nearly all holes save nothing, and an image could have terabytes of them compared. */
static bool is_worth_it(const struct stat *st) {
        return st->st_size >= SHARE_SIZE_MIN && st->st_size / HOLES_FACTOR / BLOCK_SIZE <= st->st_blocks;
}

/* Takes over the descriptor. */
static void share_directory(Sharing *s, int fd, unsigned depth) {
        DIR *dir = fdopendir(fd);
        size_t length = strlen(s->path);
        bool changed = false;
        struct stat own, st;

        if (!dir) {
                (void) fd_close(fd);
                return;
        }
        bool writable = fstat(fd, &own) == 0 && is_ours(&own);
        for (struct dirent *e; (e = readdir(dir));) {
                if (str_equal(e->d_name, ".") || str_equal(e->d_name, "..") || (e->d_type != DT_DIR && e->d_type != DT_REG) ||
                    (size_t) snprintf(s->path + length, sizeof(s->path) - length, "/%s", e->d_name) >= sizeof(s->path) - length)
                        continue;
                if (e->d_type == DT_DIR) {
                        int child = depth < DEPTH_MAX ? openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

                        if (child >= 0)
                                share_directory(s, child, depth + 1);
                } else if (writable && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                           is_worth_it(&st) && st.st_nlink == 1 && is_ours(&st))
                        changed = share_file(s, fd, e->d_name, &st) || changed;
        }
        s->path[length] = 0;
        if (changed)
                (void) futimens(fd, (struct timespec[]){ { .tv_nsec = UTIME_OMIT }, own.st_mtim });
        (void) closedir(dir);
}

uint64_t share_layer(const Store *store, int diff_fd) {
        _cleanup_fd_ int index = path_open_or_make_dir(store->data_fd, SHARE_DIRECTORY, 0700);
        _cleanup_free_ uint8_t *buffers = malloc((size_t) 2 * BUFFER_SIZE);
        Sharing s = { .index_fd = index, .buffers = buffers };
        int top = openat(diff_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (index < 0 || !buffers || top < 0)
                (void) fd_close(top);
        else
                share_directory(&s, top, 0);
        return s.saved;
}

void share_collect(const Store *store) {
        _cleanup_fd_ int fd = openat(store->data_fd, SHARE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct stat st;

        if (!dir)
                return;
        int own = TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir));)
                if (*e->d_name != '.' && fstatat(own, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1)
                        (void) unlinkat(own, e->d_name, 0);
        (void) closedir(dir);
}
