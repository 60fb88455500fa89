/* SPDX-License-Identifier: Apache-2.0 */
/* Extracting archives into directories in use. */
#include "content/extract.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "image/tar.h"

enum { TEMPORARY_SIZE = 40, DIRECTORIES_LIMIT = 8 * 1024 * 1024, HOLE_UNIT = 512 };

/* A directory whose mode and time are set when all is in it. */
typedef struct Directory {
        char *path;
        uint32_t mode;
        uint64_t uid, gid;
        int64_t mtime;
} Directory;

typedef struct Extractor {
        const ExtractOptions *o;
        TarReader *reader;
        Directory *directories;
        size_t n_directories, room;
        bool names_checked, has_names; /* whether a file without a name can be given one */
        uint64_t skipped;        /* device nodes that could not be made */
} Extractor;

static void extractor_done(Extractor *x) {
        for (size_t i = 0; i < x->n_directories; i++)
                free(x->directories[i].path);
        free(x->directories);
        (void) tar_reader_free(x->reader);
}

/* Without ".", empty components and a leading slash; "" is the root. */
static int normalise(const char *path, char **ret, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(path, "/"), **kept = NULL;
        char *joined;

        if (!parts)
                return error_oom(reterr);
        for (char **part = parts; *part; part++) {
                if (str_equal(*part, ".."))
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the archive's name '%.300s' leads out of it", path);
                if (**part && !str_equal(*part, ".") && strv_append(&kept, *part) < 0)
                        return error_oom(reterr);
        }
        joined = kept ? strv_join(kept, "/") : strdup("");
        if (!joined)
                return error_oom(reterr);
        *ret = joined;
        return 0;
}

static uid_t uid_for(const Extractor *x, uint64_t uid) {
        return x->o->own ? x->o->uid : x->o->keep_owners ? (uid_t) uid : (uid_t) -1;
}

static gid_t gid_for(const Extractor *x, uint64_t gid) {
        return x->o->own ? x->o->gid : x->o->keep_owners ? (gid_t) gid : (gid_t) -1;
}

/* On the host, a container's files do not become programs that run as somebody else. */
static mode_t mode_for(const Extractor *x, uint32_t mode) {
        return x->o->root_fd == AT_FDCWD ? mode & 01777 : mode & 07777;
}

/* The directory `path` below the base, made where missing; a descriptor. */
static int open_directory(Extractor *x, const char *path, Error *reterr) {
        _cleanup_free_ char *full = x->o->root_fd == AT_FDCWD ? NULL : str_format("%s/%s", x->o->base_path, path);
        const char *slash = strrchr(path, '/');
        int fd;

        if (!*path)
                fd = openat(x->o->base_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        else if (x->o->root_fd == AT_FDCWD)
                fd = path_open_beneath(x->o->base_fd, path, O_PATH | O_DIRECTORY, 0);
        else
                fd = full ? path_open_in_root(x->o->root_fd, full, O_PATH | O_DIRECTORY, 0) : -ENOMEM;
        if (fd == -ENOENT && *path) {
                _cleanup_free_ char *above = slash ? strndup(path, (size_t) (slash - path)) : strdup("");
                _cleanup_fd_ int parent = above ? open_directory(x, above, reterr) : -ENOMEM;
                const char *name = slash ? slash + 1 : path;

                if (parent < 0)
                        return parent == -ENOMEM ? error_oom(reterr) : parent;
                if (mkdirat(parent, name, 0755) < 0 || fchownat(parent, name, uid_for(x, 0), gid_for(x, 0), AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set_errno(reterr, -errno, "cannot make the directory '%.300s'", path);
                fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                fd = fd < 0 ? -errno : fd;
        }
        return fd < 0 ? error_set_errno(reterr, fd == -1 ? -errno : fd, "cannot enter the directory '%.300s'", path) : fd;
}

static int remember(Extractor *x, const char *path, const TarEntry *e, Error *reterr) {
        if (x->n_directories == x->room) {
                size_t room = x->room > 0 ? 2 * x->room : 64;
                Directory *grown = room > DIRECTORIES_LIMIT ? NULL : reallocarray(x->directories, room, sizeof(*grown));

                if (!grown)
                        return error_oom(reterr);
                x->directories = grown;
                x->room = room;
        }
        char *copy = strdup(path);
        if (!copy)
                return error_oom(reterr);
        x->directories[x->n_directories++] = (Directory){ copy, e->mode, e->uid, e->gid, e->mtime };
        return 0;
}

/* What has the name goes, if it is what may go. A directory stays where a directory comes. 1: it stays. */
static int make_room(const Extractor *x, int parent, const char *name, const char *path, bool directory, Error *reterr) {
        struct stat st;
        int r;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot look at '%.300s'", path);
        if (directory && S_ISLNK(st.st_mode) && x->o->root_fd != AT_FDCWD) {
                _cleanup_fd_ int fd = open_directory((Extractor *) x, path, /* reterr= */ NULL);

                if (fd >= 0)
                        return 1; /* a link to a directory, such as /bin, is one */
        }
        if (directory && S_ISDIR(st.st_mode))
                return 1;
        if (directory != S_ISDIR(st.st_mode) && !x->o->overwrite)
                return error_set(reterr, -EEXIST, ERROR_STATE, "cannot replace '%.300s': it is %s directory (--overwrite allows it)", path,
                                 directory ? "no" : "a");
        if (S_ISDIR(st.st_mode))
                r = path_remove_tree(parent, name);
        else
                r = directory && unlinkat(parent, name, 0) < 0 ? -errno : 0; /* a file is replaced by rename(2) */
        return r < 0 ? error_set_errno(reterr, r, "cannot replace '%.300s'", path) : 0;
}

static void set_attributes(int fd, const TarEntry *e) {
        for (size_t i = 0; i < e->n_xattrs; i++)
                if ((str_after(e->xattrs[i].name, "user.") && !str_after(e->xattrs[i].name, "user.overlay.")) ||
                    str_equal(e->xattrs[i].name, "security.capability"))
                        (void) fsetxattr(fd, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].size, 0); /* where it can be */
}

/* How many bytes at the beginning are zeros, in units: where none of a block is written, a hole is left. */
static size_t count_hole(const uint8_t *p, size_t n) {
        size_t zeros = 0;

        while (zeros + HOLE_UNIT <= n && p[zeros] == 0 && memcmp(p + zeros, p + zeros + 1, HOLE_UNIT - 1) == 0)
                zeros += HOLE_UNIT;
        return zeros;
}

/* Bytes up to the next unit of zeros. */
static size_t count_data(const uint8_t *p, size_t n) {
        size_t data = MIN(n, (size_t) HOLE_UNIT);

        while (data < n && count_hole(p + data, MIN(n - data, (size_t) HOLE_UNIT)) == 0)
                data += MIN(n - data, (size_t) HOLE_UNIT);
        return data;
}

static int write_contents(Extractor *x, int fd, const TarEntry *e) {
        for (;;) {
                const uint8_t *p;
                uint64_t offset;
                size_t n;
                int r = tar_reader_data(x->reader, &p, &n, &offset, /* reterr= */ NULL);

                if (r < 0)
                        return r;
                if (n == 0)
                        break;
                while (n > 0) {
                        size_t hole = count_hole(p, n);
                        ssize_t k = hole > 0 ? (ssize_t) hole : RETRY_EINTR(pwrite(fd, p, count_data(p, n), (off_t) offset));

                        if (k < 0)
                                return -errno;
                        p += k;
                        n -= (size_t) k;
                        offset += (uint64_t) k;
                }
        }
        return ftruncate(fd, (off_t) e->size) < 0 ? -errno : 0; /* a hole may be at the end */
}

/* Owner first: a change of it takes set-ID bits and capabilities away. */
static int finish_file(Extractor *x, int fd, const TarEntry *e) {
        const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = e->mtime } };

        if (fchown(fd, uid_for(x, e->uid), gid_for(x, e->gid)) < 0 || fchmod(fd, mode_for(x, e->mode)) < 0)
                return -errno;
        if (x->o->root_fd != AT_FDCWD || x->o->keep_owners)
                set_attributes(fd, e);
        return futimens(fd, times) < 0 ? -errno : 0;
}

static int temporary_name(char ret[static TEMPORARY_SIZE]) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        (void) snprintf(ret, TEMPORARY_SIZE, ".sdpod-cp-%016llx", (unsigned long long) random);
        return 0;
}

/* In the place of what is there already, by its own inode: a file that something is mounted on cannot be renamed over. */
static int write_in_place(Extractor *x, int parent, int from, const char *name) {
        _cleanup_fd_ int fd = openat(parent, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        char buffer[65536];
        struct stat st;
        off_t at = 0;

        (void) x;
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBUSY;
        for (ssize_t n; (n = RETRY_EINTR(pread(from, buffer, sizeof(buffer), at))) != 0; at += n) {
                int r = n < 0 ? -errno : io_write_full(fd, buffer, (size_t) n);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* glibc's renameat2(3) makes another call where there are no flags, which the sandbox does not let through. */
static int rename_inside(int parent, const char *from, const char *to) {
        return (int) syscall(SYS_renameat2, parent, from, parent, to, 0);
}

/* Gives a file without a name one. By descriptor: there may be no /proc. */
static int link_file(int fd, int parent, const char *name) {
        return linkat(fd, "", parent, name, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* A file without a name, so that nothing is left of a command that is killed meanwhile. 0: this file system, or this kernel, has
 * no such (overlay before Linux 6.1; names for them before 6.10). */
static int extract_unnamed(Extractor *x, int parent, const char *name, const TarEntry *e) {
        _cleanup_fd_ int fd = openat(parent, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600), probe = -EBADF;
        char temporary[TEMPORARY_SIZE];
        int r = fd < 0 ? 0 : temporary_name(temporary);

        if (fd < 0 || r < 0)
                return r;
        if (!x->names_checked) { /* on an empty one */
                probe = openat(parent, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
                x->has_names = probe >= 0 && link_file(probe, parent, temporary) == 0 && unlinkat(parent, temporary, 0) == 0;
                x->names_checked = true;
        }
        if (!x->has_names)
                return 0;
        r = write_contents(x, fd, e);
        if (r >= 0)
                r = finish_file(x, fd, e);
        if (r >= 0)
                r = link_file(fd, parent, name);
        if (r >= 0)
                return 1;
        if (r != -EEXIST)
                return r;
        r = link_file(fd, parent, temporary);
        if (r < 0 || rename_inside(parent, temporary, name) == 0)
                return r < 0 ? r : 1;
        r = errno == EBUSY ? write_in_place(x, parent, fd, name) : -errno;
        (void) unlinkat(parent, temporary, 0);
        return r < 0 ? r : 1;
}

static int extract_file(Extractor *x, int parent, const char *name, const TarEntry *e) {
        char temporary[TEMPORARY_SIZE];
        int r = extract_unnamed(x, parent, name, e);

        if (r != 0)
                return MIN(r, 0);
        r = temporary_name(temporary);
        if (r < 0)
                return r;
        _cleanup_fd_ int fd = openat(parent, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = write_contents(x, fd, e);
        if (r >= 0)
                r = finish_file(x, fd, e);
        if (r >= 0 && rename_inside(parent, temporary, name) == 0)
                return 0;
        if (r >= 0)
                r = errno == EBUSY ? write_in_place(x, parent, fd, name) : -errno;
        (void) unlinkat(parent, temporary, 0);
        return r;
}

static int link_to(Extractor *x, int parent, const char *name, const TarEntry *e, Error *reterr) {
        _cleanup_free_ char *target = NULL, *above = NULL;
        const char *slash;
        int r = normalise(e->link, &target, reterr);

        if (r < 0)
                return r;
        slash = strrchr(target, '/');
        above = slash ? strndup(target, (size_t) (slash - target)) : strdup("");
        _cleanup_fd_ int from = above ? open_directory(x, above, reterr) : error_oom(reterr);
        if (from < 0)
                return from;
        if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
                return -errno;
        return linkat(from, slash ? slash + 1 : target, parent, name, 0) < 0 ? -errno : 0;
}

/* Symlinks, FIFOs, devices. */
static int extract_special(Extractor *x, int parent, const char *name, const TarEntry *e) {
        const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = e->mtime } };
        mode_t type = e->type == '3' ? S_IFCHR : e->type == '4' ? S_IFBLK : S_IFIFO;
        int r;

        if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
                return -errno;
        if (e->type == '2')
                r = symlinkat(e->link, parent, name);
        else
                r = mknodat(parent, name, type | mode_for(x, e->mode), e->type == '6' ? 0 : makedev(e->major, e->minor));
        if (r < 0 && errno == EPERM && (e->type == '3' || e->type == '4')) {
                x->skipped++;
                return 0;
        }
        if (r < 0 || fchownat(parent, name, uid_for(x, e->uid), gid_for(x, e->gid), AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        (void) utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

static int extract_directory(Extractor *x, const char *path, const TarEntry *e, Error *reterr) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *above = slash ? strndup(path, (size_t) (slash - path)) : strdup("");

        if (!*path)
                return x->o->fresh ? remember(x, path, e, reterr) : 0;
        _cleanup_fd_ int parent = above ? open_directory(x, above, reterr) : error_oom(reterr);
        if (parent < 0)
                return parent;
        int r = make_room(x, parent, name, path, /* directory= */ true, reterr);
        if (r != 0) /* one that was there keeps its mode and owner */
                return r < 0 ? r : 0;
        if (mkdirat(parent, name, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make the directory '%.300s'", path);
        return remember(x, path, e, reterr);
}

static int extract_entry(Extractor *x, const TarEntry *e, Error *reterr) {
        _cleanup_free_ char *path = NULL, *above = NULL;
        const char *slash, *name;
        int r = 0;

        if (x->o->file_name) {
                path = strdup(x->o->file_name);
                if (!path)
                        return error_oom(reterr);
        } else
                r = normalise(e->path, &path, reterr);
        if (r < 0)
                return r;
        if (e->type == '5')
                return extract_directory(x, path, e, reterr);
        if (!*path)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the archive has a file without a name");
        slash = strrchr(path, '/');
        name = slash ? slash + 1 : path;
        above = slash ? strndup(path, (size_t) (slash - path)) : strdup("");
        _cleanup_fd_ int parent = above ? open_directory(x, above, reterr) : error_oom(reterr);
        if (parent < 0)
                return parent;
        r = make_room(x, parent, name, path, /* directory= */ false, reterr);
        if (r < 0)
                return r;
        r = e->type == '0'   ? extract_file(x, parent, name, e)
            : e->type == '1' ? link_to(x, parent, name, e, reterr)
                             : extract_special(x, parent, name, e);
        return r < 0 && !reterr->message ? error_set_errno(reterr, r, "cannot write '%.300s'", path) : r;
}

/* The last ones first: a directory that denies writing is closed when all below it is done. */
static int finish_directories(Extractor *x, Error *reterr) {
        for (size_t i = x->n_directories; i-- > 0;) {
                const Directory *d = x->directories + i;
                const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = d->mtime } };
                _cleanup_fd_ int path_fd = open_directory(x, d->path, reterr), fd = -EBADF;

                if (path_fd < 0)
                        return path_fd;
                fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0 || fchown(fd, uid_for(x, d->uid), gid_for(x, d->gid)) < 0 || fchmod(fd, mode_for(x, d->mode)) < 0 ||
                    futimens(fd, times) < 0)
                        return error_set_errno(reterr, -errno, "cannot set the mode of the directory '%.300s'", d->path);
        }
        return 0;
}

int extract_stream(Stream *stream, const ExtractOptions *options, Error *reterr) {
        _cleanup_(extractor_done) Extractor x = { .o = options, .reader = tar_reader_new(stream) };
        const TarEntry *e;
        int r;

        if (!x.reader)
                return error_oom(reterr);
        while ((r = tar_reader_next(x.reader, &e, reterr)) > 0) {
                r = extract_entry(&x, e, reterr);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = finish_directories(&x, reterr);
        if (r >= 0 && x.skipped > 0)
                log_warning("%llu device nodes cannot be made here, leaving them out", (unsigned long long) x.skipped);
        return r;
}
