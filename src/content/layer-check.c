/* SPDX-License-Identifier: Apache-2.0 */
/* Checking one layer. A worker makes the tar stream again from the record and the files; a second one hashes it, which vouches
 * for the contents of all files and for the record, and compares what the stream says of each name with the tree. */
#include "content/layer-check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "image/commit.h"
#include "image/limits.h"
#include "image/tar.h"
#include "image/unpack-dir.h"
#include "spec/digest.h"

enum { TEXT_SIZE = IMAGE_PATH_LIMIT + 200 };

typedef struct Comparison {
        char diff_id[DIGEST_LENGTH + 1];
        uint64_t size;           /* UINT64_MAX: not known */
        bool devices_skipped;
        uint64_t *found_size;    /* in memory that the worker shares */

} Comparison;

typedef struct CheckTree {
        const Comparison *c;
        int root_fd;
        json_t *wanted;          /* path to what it must be */
        json_t *implied;         /* directories that names go through */
} CheckTree;

static int damaged(Error *reterr, const char *path, const char *what) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'/%.300s' %s", path, what);
}

static int set_text(json_t *object, const char *key, const char *text) {
        return json_object_set_new_nocheck(object, key, json_stringn_nocheck(text, strlen(text)));
}

/* What an entry of the archive must look like on disk; as short as it can be compared. */
static void describe_entry(const TarEntry *e, char text[static TEXT_SIZE]) {
        if (e->type == '2')
                (void) snprintf(text, TEXT_SIZE, "l %llu:%llu %s", (unsigned long long) e->uid, (unsigned long long) e->gid, e->link);
        else if (e->type == '1')
                (void) snprintf(text, TEXT_SIZE, "= %s", e->link);
        else
                (void) snprintf(text, TEXT_SIZE, "%c %04o %llu:%llu %lld %llu %u:%u", e->type, e->mode & 07777, (unsigned long long) e->uid,
                                (unsigned long long) e->gid, (long long) e->mtime,
                                (unsigned long long) (e->type == '0' ? e->size : 0), e->major, e->minor);
}

static char type_of(mode_t mode) {
        return S_ISREG(mode) ? '0' : S_ISLNK(mode) ? '2' : S_ISCHR(mode) ? '3' : S_ISBLK(mode) ? '4' : S_ISDIR(mode) ? '5' : '6';
}

static void describe_file(const struct stat *st, const char *link, char text[static TEXT_SIZE]) {
        bool device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);

        if (link)
                (void) snprintf(text, TEXT_SIZE, "l %u:%u %s", st->st_uid, st->st_gid, link);
        else
                (void) snprintf(text, TEXT_SIZE, "%c %04o %u:%u %lld %llu %u:%u", type_of(st->st_mode), st->st_mode & 07777, st->st_uid, st->st_gid,
                                (long long) st->st_mtim.tv_sec, (unsigned long long) (S_ISREG(st->st_mode) ? st->st_size : 0),
                                device ? major(st->st_rdev) : 0, device ? minor(st->st_rdev) : 0);
}

/* All directories above a name are there, whether the archive names them or not. */
static int imply(CheckTree *t, const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        for (char *slash; copy && (slash = strrchr(copy, '/'));) {
                *slash = 0;
                if (json_object_get(t->implied, copy))
                        return 0;
                if (json_object_set_new_nocheck(t->implied, copy, json_true()) < 0)
                        return -ENOMEM;
        }
        return copy ? 0 : -ENOMEM;
}

static int want(CheckTree *t, const TarEntry *e, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        char text[TEXT_SIZE];
        char *base, *hidden;

        int r = unpack_dir_normalise(e->path, &path, reterr);
        if (r < 0)
                return r;
        base = strrchr(path, '/');
        base = base ? base + 1 : path;
        hidden = (char *) str_after(base, ".wh.");
        if (imply(t, path) < 0)
                return error_oom(reterr);
        if (hidden && str_equal(base, ".wh..wh..opq")) {
                *(base > path ? base - 1 : base) = 0;
                _cleanup_free_ char *key = str_format("%s//opaque", path); /* no path has two slashes */
                return !key || set_text(t->wanted, key, "opaque") < 0 ? error_oom(reterr) : 0;
        }
        if (hidden) {
                memmove(base, hidden, strlen(hidden) + 1);
                (void) snprintf(text, sizeof(text), "whiteout");
        } else
                describe_entry(e, text);
        return set_text(t->wanted, path, text) < 0 ? error_oom(reterr) : 0;
}

static int check_link(CheckTree *t, const char *path, const struct stat *st, const char *target, Error *reterr) {
        _cleanup_free_ char *other = NULL;
        struct stat other_st;
        int r = unpack_dir_normalise(target, &other, reterr);

        if (r < 0)
                return r;
        _cleanup_fd_ int fd = path_open_beneath(t->root_fd, other, O_PATH | O_NOFOLLOW, 0);
        if (fd < 0 || fstat(fd, &other_st) < 0 || other_st.st_ino != st->st_ino)
                return damaged(reterr, path, "is not the link that it was");
        return 0;
}

static int check_name(CheckTree *t, const char *path, const char *text, Error *reterr) {
        _cleanup_fd_ int fd = -EBADF;
        char found[TEXT_SIZE], link[IMAGE_PATH_LIMIT + 1];
        const char *target = NULL;
        char *opaque = strstr(path, "//opaque"), value;
        struct stat st;

        if (opaque) {
                _cleanup_free_ char *directory = strndup(path, (size_t) (opaque - path));

                if (!directory)
                        return error_oom(reterr);
                fd = path_open_beneath(t->root_fd, *directory ? directory : ".", O_RDONLY | O_DIRECTORY, 0);
                return fd < 0 || fgetxattr(fd, "user.overlay.opaque", &value, 1) != 1 ? damaged(reterr, directory, "is not opaque any more") : 0;
        }
        fd = path_open_beneath(t->root_fd, *path ? path : ".", O_PATH | O_NOFOLLOW, 0);
        if (fd < 0 && t->c->devices_skipped && (*text == '3' || *text == '4'))
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return damaged(reterr, path, "is missing");
        if (str_equal(text, "whiteout"))
                return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0) ? 0 : damaged(reterr, path, "is no whiteout any more");
        if (*text == '=')
                return check_link(t, path, &st, text + 2, reterr);
        if (S_ISLNK(st.st_mode)) {
                ssize_t n = readlinkat(fd, "", link, sizeof(link) - 1);

                if (n < 0)
                        return error_set_errno(reterr, -errno, "cannot read the symlink '/%.300s'", path);
                link[n] = 0;
                target = link;
        }
        describe_file(&st, target, found);
        if (str_equal(text, found))
                return 0;
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'/%.300s' has another mode, owner, time, size or target", path);
}

/* Names that no entry made. */
static int check_extra(CheckTree *t, const char *path, unsigned depth, Error *reterr) {
        _cleanup_fd_ int fd = path_open_beneath(t->root_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
        DIR *dir = fd < 0 || depth > IMAGE_DEPTH_LIMIT ? NULL : fdopendir(fd);
        int r = 0;

        if (!dir)
                return damaged(reterr, path, "cannot be read");
        (void) TAKE_FD(fd);
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                _cleanup_free_ char *child = NULL;
                struct stat st;

                if (str_equal(e->d_name, ".") || str_equal(e->d_name, ".."))
                        continue;
                child = str_format("%s%s%s", path, *path ? "/" : "", e->d_name);
                if (!child)
                        r = error_oom(reterr);
                else if (!json_object_get(t->wanted, child) && !json_object_get(t->implied, child))
                        r = damaged(reterr, child, "does not belong there");
                else if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                        r = check_extra(t, child, depth + 1, reterr);
        }
        (void) closedir(dir);
        return r;
}

static int read_entries(CheckTree *t, Stream *stream, Error *reterr) {
        TarReader *reader = tar_reader_new(stream);
        const TarEntry *e;
        int r = reader ? 0 : error_oom(reterr);

        while (r >= 0 && (r = tar_reader_next(reader, &e, reterr)) > 0)
                r = want(t, e, reterr);
        (void) tar_reader_free(reader);
        return r;
}

static int check_digest(const Comparison *c, Stream *stream, Error *reterr) {
        char in[DIGEST_LENGTH + 1], out[DIGEST_LENGTH + 1];
        int r = stream_finish(stream, reterr);

        if (r < 0)
                return r;
        stream_digests(stream, in, out);
        *c->found_size = stream_position(stream);
        if (!str_equal(out, c->diff_id))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its contents have changed");
        if (c->size != UINT64_MAX && stream_position(stream) != c->size)
                return error_set(reterr, -ESTALE, ERROR_CORRUPT, "layer.json has the size %llu, it is %llu", (unsigned long long) c->size,
                                 (unsigned long long) stream_position(stream));
        return 0;
}

/* In the worker: the descriptor is where the tar stream comes from. */
static int compare_inside(void *data, int root_fd, int stream_fd, Error *reterr) {
        _cleanup_json_ json_t *wanted = json_object(), *implied = json_object();
        CheckTree t = { .c = data, .root_fd = root_fd, .wanted = wanted, .implied = implied };
        _cleanup_stream_ Stream *stream = NULL;
        const char *path;
        json_t *text;

        if (!wanted || !implied)
                return error_oom(reterr);
        int r = stream_open(stream_fd, 0, UINT64_MAX, UINT64_MAX, STREAM_PLAIN | STREAM_HASH, &stream, reterr);
        if (r >= 0)
                r = read_entries(&t, stream, reterr);
        if (r >= 0)
                r = check_digest(t.c, stream, reterr);
        if (r < 0)
                return r;
        json_object_foreach(wanted, path, text) {
                r = check_name(&t, path, json_string_value(text), reterr);
                if (r < 0)
                        return r;
        }
        return check_extra(&t, "", 0, reterr);
}

static int compare(const UserMap *map, int layer_fd, Comparison *c, Error *reterr) {
        _cleanup_fd_ int record = -EBADF, diff = -EBADF, reader = -EBADF, writer = -EBADF;
        _cleanup_worker_ Worker replayer = WORKER_NULL, comparer = WORKER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result;
        int pipe_fds[2];

        record = openat(layer_fd, IMAGE_LAYER_RECORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        diff = openat(layer_fd, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (record < 0 || diff < 0)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s is missing", diff < 0 ? "its tree" : "its record");
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        reader = pipe_fds[0];
        writer = pipe_fds[1];
        WorkerJob job = { .task = WORKER_REPLAY, .in_fd = record, .size = UINT64_MAX, .dir_fd = diff, .out_fd = writer, .size_limit = UINT64_MAX };
        int r = worker_start(&job, map, &replayer, reterr);
        writer = fd_close(writer);
        if (r < 0)
                return r;
        job = (WorkerJob){ .task = WORKER_FUNCTION, .in_fd = -EBADF, .dir_fd = diff, .out_fd = reader, .size_limit = UINT64_MAX,
                           .function = compare_inside, .data = c };
        r = worker_start(&job, map, &comparer, reterr);
        reader = fd_close(reader);
        if (r < 0)
                return r;
        int compared = worker_finish(&comparer, &result, &error), replayed = worker_finish(&replayer, &result, reterr);
        if (replayed == -EBADMSG) /* nearer to the cause than a stream that ends too early */
                return replayed;
        error_done(reterr);
        return compared < 0 ? error_move(reterr, &error) : 0;
}

/* layer.json: what it says, and that nothing in it has changed. */
static int check_record(int layer_fd, const char *hex, json_t **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL, *again = NULL;
        size_t size;
        int r = file_read(layer_fd, "layer.json", JSON_RECORD_LIMIT, &text, &size);

        if (r < 0)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "layer.json cannot be read: %s", strerror(-r));
        r = json_parse(text, size, "layer.json", ret, reterr);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        again = json_dumps(*ret, JSON_COMPACT);
        if (!again)
                return error_oom(reterr);
        const char *diff_id = json_get_string(*ret, "diffID");
        bool same = strlen(again) + 1 == size && memcmp(again, text, size - 1) == 0 && text[size - 1] == '\n';
        if (!same || json_seal_check(*ret) < 0 || !digest_is_valid(diff_id) || !str_equal(digest_hex(diff_id), hex))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "layer.json has changed");
        return 0;
}

int layer_check(const Store *store, const UserMap *map, const char *hex, LayerCheckFlags flags, LayerState *state, Error *reterr) {
        _cleanup_free_ char *path = str_format("layers/%s", hex);
        _cleanup_json_ json_t *record = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        Comparison c = { .size = UINT64_MAX };
        struct stat st;

        *state = (LayerState){};
        if (!path)
                return error_oom(reterr);
        _cleanup_fd_ int fd = openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ENOENT : error_set_errno(reterr, -errno, "cannot open '%s'", path);
        int recorded = check_record(fd, hex, &record, &error);
        if (recorded < 0 && recorded != -EBADMSG)
                return error_move(reterr, &error);
        bool has_file = fstatat(fd, IMAGE_LAYER_RECORD, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (recorded >= 0 && !json_get_bool(record, "exact", false) && !has_file) {
                state->unknown = true;
                return fstatat(fd, "diff", &st, AT_SYMLINK_NOFOLLOW) < 0 ? error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its tree is missing") : 0;
        }
        if (flags & LAYER_CHECK_QUICK) {
                bool whole = has_file && fstatat(fd, "diff", &st, AT_SYMLINK_NOFOLLOW) == 0;

                return recorded < 0 ? error_move(reterr, &error)
                       : whole     ? 0
                                   : error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its %s is missing", has_file ? "tree" : "record");
        }
        (void) snprintf(c.diff_id, sizeof(c.diff_id), "sha256:%s", hex);
        c.devices_skipped = !record || json_get_integer(record, "devicesSkipped", 0) > 0;
        if (recorded >= 0)
                c.size = (uint64_t) json_get_integer(record, "size", -1);
        c.found_size = mmap(NULL, sizeof(*c.found_size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (c.found_size == MAP_FAILED)
                return error_oom(reterr);
        int r = compare(map, fd, &c, reterr);
        state->size = *c.found_size;
        (void) munmap(c.found_size, sizeof(*c.found_size));
        if (r == -ESTALE)
                r = -EBADMSG;
        if (r < 0 && r != -EBADMSG)
                return r;
        state->contents = r >= 0;
        return r < 0 ? r : recorded < 0 ? error_move(reterr, &error) : 0;
}
