/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a layer become files. */
#include "image/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/record.h"
#include "image/share.h"
#include "image/tar.h"
#include "image/unpack-dir.h"

/* From so many bytes of a file on, the disk begins to write it at once, and not only when the layer is complete. */
enum { EARLY_WRITE_SIZE = 1024 * 1024 };

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META_PREFIX ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

typedef struct Unpacker {
        UnpackDir dir;
        TarReader *reader;
        RecordWriter *record;      /* NULL: none is wanted */
        const UnpackOptions *options;
        UnpackResult result;
        uint64_t size;             /* of all files so far */
} Unpacker;

static int fault(Error *reterr, int code, const char *verb, const char *path) {
        int r = error_set_errno(reterr, code, "cannot %s '%.300s'", verb, path);

        if (code == -ENOSPC || code == -EDQUOT)
                error_hint(reterr, "free some space, for example by removing images that are not needed any more");
        return r;
}

static int check_owner(const Unpacker *u, const TarEntry *e, Error *reterr) {
        bool group = e->uid < u->options->n_uids;

        if (group && e->gid < u->options->n_gids)
                return 0;
        int r = error_set(reterr, -EOVERFLOW, ERROR_UNSUPPORTED, "'%.300s' belongs to the %s ID %llu, and this user can only use 0 to %llu",
                          e->path, group ? "group" : "user", (unsigned long long) (group ? e->gid : e->uid),
                          (unsigned long long) (group ? u->options->n_gids : u->options->n_uids) - 1);
        error_hint(reterr, "root can add more to /etc/sub%cid; where there are none, 'sdpod doctor' gives the command", group ? 'g' : 'u');
        return r;
}

static bool xattr_is_kept(const char *name) {
        if (str_equal(name, "security.capability"))
                return true;
        return str_after(name, "user.") && !str_after(name, "user.overlay.") && !str_after(name, "user.fuseoverlayfs.");
}

static int set_xattrs(Unpacker *u, int fd, const TarEntry *e, Error *reterr) {
        for (size_t i = 0; i < e->n_xattrs; i++) {
                const TarXattr *x = e->xattrs + i;

                if (!xattr_is_kept(x->name)) {
                        u->result.n_xattrs_skipped++;
                        continue;
                }
                if (fsetxattr(fd, x->name, x->value, x->size, 0) >= 0)
                        continue;
                /* a file system without user attributes (tmpfs before Linux 6.6) does not make an image unusable */
                if (errno != EOPNOTSUPP)
                        return error_set_errno(reterr, -errno, "cannot set the attribute '%.100s' of '%.300s'", x->name, e->path);
                u->result.n_xattrs_skipped++;
        }
        return 0;
}

static void times(const TarEntry *e, struct timespec ret[static 2]) {
        ret[0] = ret[1] = (struct timespec){ .tv_sec = e->mtime, .tv_nsec = e->mtime_nsec };
}

/* Owner, then mode (a change of owner takes setuid bits away), then attributes (and capabilities), then times. What is right
 * already, and mostly it is, is not set: looking costs a tenth of a change of the inode. */
static int finish_file(Unpacker *u, int fd, const TarEntry *e, Error *reterr) {
        struct timespec ts[2];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return fault(reterr, -errno, "look at", e->path);
        bool owner = st.st_uid != e->uid || st.st_gid != e->gid;
        if (owner && fchown(fd, (uid_t) e->uid, (gid_t) e->gid) < 0)
                return fault(reterr, -errno, "set the owner of", e->path);
        if (((st.st_mode & 07777) != e->mode || (owner && (e->mode & 06000))) && fchmod(fd, e->mode) < 0)
                return fault(reterr, -errno, "set the mode of", e->path);
        int r = set_xattrs(u, fd, e, reterr);
        if (r < 0)
                return r;
        times(e, ts);
        if (futimens(fd, ts) < 0)
                return fault(reterr, -errno, "set the times of", e->path);
        return 0;
}

static int write_data(Unpacker *u, int fd, const TarEntry *e, Error *reterr) {
        for (;;) {
                const uint8_t *p;
                uint64_t offset;
                size_t n;
                int r = tar_reader_data(u->reader, &p, &n, &offset, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "cannot read '%.300s'", e->path);
                if (n == 0)
                        break;
                while (n > 0) {
                        ssize_t k = RETRY_EINTR(pwrite(fd, p, n, (off_t) offset));

                        if (k < 0)
                                return fault(reterr, -errno, "write", e->path);
                        p += k;
                        offset += (uint64_t) k;
                        n -= (size_t) k;
                }
        }
        if (e->extents && ftruncate(fd, (off_t) e->size) < 0)
                return fault(reterr, -errno, "write", e->path);
        if (e->size >= EARLY_WRITE_SIZE)
                (void) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        return 0;
}

static int unpack_file(Unpacker *u, int parent, const char *name, const TarEntry *e, Error *reterr) {
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        mode_t mode = e->mode & 01777; /* nobody else reaches it yet */
        _cleanup_fd_ int fd = -EBADF;

        if (e->size > u->options->size_limit || u->size > u->options->size_limit - e->size)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "its files need more than the %llu bytes that are taken here",
                                 (unsigned long long) u->options->size_limit);
        u->size += e->size;
        u->result.n_shareable += e->size >= SHARE_SIZE_MIN;
        fd = openat(parent, name, flags, mode);
        if (fd < 0 && errno == EEXIST) {
                int r = unpack_dir_clear(&u->dir, parent, name, reterr);

                if (r < 0)
                        return r;
                fd = openat(parent, name, flags, mode);
        }
        if (fd < 0)
                return fault(reterr, -errno, "make", e->path);
        /* the pieces of a sparse file stand in the record themselves */
        if (u->record && e->size > 0 && !e->extents)
                record_writer_file(u->record, u->dir.entry, e->size);
        int r = write_data(u, fd, e, reterr);
        return r < 0 ? r : finish_file(u, fd, e, reterr);
}

static int unpack_directory(Unpacker *u, int parent, const char *name, const TarEntry *e, Error *reterr) {
        _cleanup_fd_ int fd = -EBADF;

        if (name) {
                int r = unpack_dir_make(&u->dir, parent, name, /* replace= */ true, reterr);

                if (r < 0)
                        return r;
        }
        fd = openat(parent, name ?: ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return fault(reterr, -errno, "open", e->path);
        int r = finish_file(u, fd, e, reterr);
        return r < 0 ? r : unpack_dir_remember_times(&u->dir, e->mtime, e->mtime_nsec, reterr);
}

/* The owner and times of what is not opened: symlinks, FIFOs, devices. */
static int finish_node(int parent, const char *name, const TarEntry *e, Error *reterr) {
        struct timespec ts[2];

        if (fchownat(parent, name, (uid_t) e->uid, (gid_t) e->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return fault(reterr, -errno, "set the owner of", e->path);
        times(e, ts);
        if (utimensat(parent, name, ts, AT_SYMLINK_NOFOLLOW) < 0)
                return fault(reterr, -errno, "set the times of", e->path);
        return 0;
}

static int unpack_symlink(Unpacker *u, int parent, const char *name, const TarEntry *e, Error *reterr) {
        if (!*e->link || strlen(e->link) > IMAGE_LINK_LIMIT)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the symlink '%.300s' is %s", e->path,
                                 *e->link ? "longer than a path can be" : "empty");
        if (symlinkat(e->link, parent, name) < 0) {
                int r = errno == EEXIST ? unpack_dir_clear(&u->dir, parent, name, reterr) : fault(reterr, -errno, "make", e->path);

                if (r < 0)
                        return r;
                if (symlinkat(e->link, parent, name) < 0)
                        return fault(reterr, -errno, "make", e->path);
        }
        return finish_node(parent, name, e, reterr);
}

static int unpack_hard_link(Unpacker *u, int parent, const char *name, const TarEntry *e, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fd_ int target_parent = -EBADF;
        const char *target;
        struct stat st, there;

        int r = unpack_dir_normalise(e->link, &path, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "'%.300s' is a hard link", e->path);
        target_parent = unpack_dir_open_parent(&u->dir, path, &target);
        if (target_parent < 0 || !*target || fstatat(target_parent, target, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%.300s' is a hard link to '%.300s', which is not in the layer", e->path,
                                 e->link);
        /* a second name of a whiteout would hide a file that the archive does not name */
        if (S_ISDIR(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == 0))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%.300s' is a hard link to '%.300s', which cannot have one", e->path,
                                 e->link);
        if (fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
                if (there.st_ino == st.st_ino && there.st_dev == st.st_dev)
                        return 0;
                r = unpack_dir_clear(&u->dir, parent, name, reterr);
                if (r < 0)
                        return r;
        }
        if (linkat(target_parent, target, parent, name, 0) < 0)
                return fault(reterr, -errno, "make the hard link", e->path);
        return 0;
}

static int unpack_node(Unpacker *u, int parent, const char *name, const TarEntry *e, Error *reterr) {
        mode_t type = e->type == '6' ? S_IFIFO : e->type == '3' ? S_IFCHR : S_IFBLK;
        dev_t device = e->type == '6' ? 0 : makedev(e->major, e->minor);

        if (e->type != '6' && (!u->options->devices || (e->type == '3' && device == 0))) {
                u->result.n_devices_skipped++;
                return 0;
        }
        if (mknodat(parent, name, type | e->mode, device) < 0) {
                int r = errno == EEXIST ? unpack_dir_clear(&u->dir, parent, name, reterr) : fault(reterr, -errno, "make", e->path);

                if (r < 0)
                        return r;
                if (mknodat(parent, name, type | e->mode, device) < 0)
                        return fault(reterr, -errno, "make", e->path);
        }
        return finish_node(parent, name, e, reterr);
}

/* A whiteout hides what lower layers have; what this layer has of that name stays, whatever the order. */
static int unpack_whiteout(int parent, const char *name, const TarEntry *e, Error *reterr) {
        const char *hidden = name + STRLEN(WHITEOUT_PREFIX);
        struct stat st;

        if (str_equal(name, WHITEOUT_OPAQUE))
                return unpack_dir_make_opaque(parent, reterr);
        if (str_after(name, WHITEOUT_META_PREFIX))
                return 0; /* other marks of aufs, which mean nothing to anybody else */
        if (!*hidden || str_equal(hidden, ".") || str_equal(hidden, ".."))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "the whiteout '%.300s' hides no name", e->path);
        if (fstatat(parent, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                if (!S_ISDIR(st.st_mode))
                        return 0;
                _cleanup_fd_ int fd = openat(parent, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return fault(reterr, -errno, "open", e->path);
                return unpack_dir_make_opaque(fd, reterr);
        }
        if (mknodat(parent, hidden, S_IFCHR, makedev(0, 0)) < 0)
                return fault(reterr, -errno, "make the whiteout", e->path);
        return 0;
}

static int unpack_entry(Unpacker *u, const TarEntry *e, Error *reterr) {
        static int (*const by_type[])(Unpacker *, int, const char *, const TarEntry *, Error *) = {
                unpack_file, unpack_hard_link, unpack_symlink, unpack_node, unpack_node, unpack_directory, unpack_node,
        };
        _cleanup_free_ char *path = NULL;
        const char *name;
        int parent;

        int r = unpack_dir_normalise(e->path, &path, reterr);
        if (r < 0)
                return r;
        if (!*path && e->type != '5')
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%.300s' is not a name for a file", e->path);
        r = check_owner(u, e, reterr);
        if (r < 0)
                return r;
        r = parent = unpack_dir_enter(&u->dir, path, &name, reterr);
        if (r < 0)
                return r;
        if (!*path)
                return unpack_directory(u, parent, /* name= */ NULL, e, reterr);
        if (str_after(name, WHITEOUT_PREFIX))
                return unpack_whiteout(parent, name, e, reterr);
        return by_type[e->type - '0'](u, parent, name, e, reterr);
}

int unpack_layer(int root_fd, Stream *stream, const UnpackOptions *options, UnpackResult *ret, Error *reterr) {
        _cleanup_tar_reader_ TarReader *reader = tar_reader_new(stream);
        _cleanup_record_writer_ RecordWriter *record = NULL;
        Unpacker u = { .dir = UNPACK_DIR_NULL(root_fd), .reader = reader, .options = options };
        const TarEntry *e;
        int r = 0;

        if (!reader)
                return error_oom(reterr);
        if (options->record_fd >= 0)
                r = record_writer_new(options->record_fd, &record, reterr);
        if (r < 0)
                return r;
        u.record = record;
        if (record)
                stream_set_tap(stream, record_writer_tap, record);
        while ((r = tar_reader_next(reader, &e, reterr)) > 0) {
                u.result.n_entries++;
                r = unpack_entry(&u, e, reterr);
                if (r < 0)
                        break;
        }
        if (r >= 0)
                r = unpack_dir_set_times(&u.dir, reterr);
        u.result.exact = record && !u.dir.replaced;
        unpack_dir_done(&u.dir);
        if (r >= 0)
                r = stream_finish(stream, reterr);
        if (r >= 0 && record)
                r = record_writer_finish(record, reterr);
        if (r < 0)
                return r;
        stream_digests(stream, u.result.digest, u.result.diff_id);
        u.result.size_in = stream_size_in(stream);
        u.result.size_out = stream_position(stream);
        *ret = u.result;
        return 0;
}
