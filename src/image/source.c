/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and archives of images. */
#include "image/source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/tar.h"
#include "image/worker.h"

void source_file_done(SourceFile *file) {
        if (!file->borrowed)
                (void) fd_close(file->fd);
        *file = SOURCE_FILE_NULL;
}

void source_done(Source *source) {
        for (size_t i = 0; i < source->n_members; i++) {
                free(source->members[i].name);
                free(source->members[i].link);
        }
        free(source->members);
        (void) fd_close(source->fd);
        *source = SOURCE_NULL;
}

/* A name without "./" before it and without "//"; owned. */
static char *clean_name(const char *name) {
        char *out = malloc(strlen(name) + 1), *p = out;

        if (!out)
                return NULL;
        for (;;) {
                size_t n;

                name += strspn(name, "/");
                n = strcspn(name, "/");
                if (n == 0)
                        break;
                if (!(n == 1 && *name == '.')) {
                        if (p > out)
                                *p++ = '/';
                        p = mempcpy(p, name, n);
                }
                name += n;
        }
        *p = 0;
        return out;
}

static int by_name(const void *a, const void *b) {
        return strcmp(((const SourceMember *) a)->name, ((const SourceMember *) b)->name);
}

static int add_member(Source *source, const TarEntry *e, uint64_t offset, size_t *names, Error *reterr) {
        *names += strlen(e->path) + (e->link ? strlen(e->link) : 0);
        if (source->n_members >= IMAGE_MEMBERS_LIMIT || *names > IMAGE_MEMBER_NAMES_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "it has more files than an archive of images");
        if ((source->n_members & (source->n_members - 1)) == 0) {
                SourceMember *grown = realloc(source->members, MAX(source->n_members * 2, (size_t) 1) * sizeof(*grown));

                if (!grown)
                        return error_oom(reterr);
                source->members = grown;
        }
        SourceMember *m = source->members + source->n_members++;
        *m = (SourceMember){ .name = clean_name(e->path), .offset = offset, .size = e->stored };
        if (!m->name)
                return error_oom(reterr);
        if (!e->link)
                return 0;
        /* a symlink's text counts from its own directory, a hard link's from the root */
        const char *slash = strrchr(m->name, '/');
        _cleanup_free_ char *joined = NULL, *absolute = NULL, *plain = NULL;
        if (e->type == '2' && *e->link != '/' && slash)
                joined = str_format("/%.*s/%s", (int) (slash - m->name), m->name, e->link);
        else
                joined = str_format("/%s", e->link);
        absolute = joined ? path_simplify(joined) : NULL;
        m->link = absolute ? clean_name(absolute) : NULL;
        return m->link ? 0 : error_oom(reterr);
}

/* Lists the members of an uncompressed archive, without reading them. */
static int list_members(Source *source, Error *reterr) {
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_tar_reader_ TarReader *reader = NULL;
        const TarEntry *e;
        struct stat st;
        size_t names = 0, kept = 0;

        if (fstat(source->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read");
        int r = stream_open(source->fd, 0, (uint64_t) st.st_size, UINT64_MAX, STREAM_PLAIN, &stream, reterr);
        if (r < 0)
                return r;
        reader = tar_reader_new(stream);
        if (!reader)
                return error_oom(reterr);
        while ((r = tar_reader_next(reader, &e, reterr)) > 0)
                if ((e->type == '0' && !e->extents) || e->type == '1' || e->type == '2') {
                        r = add_member(source, e, stream_position(stream), &names, reterr);
                        if (r < 0)
                                return r;
                }
        if (r < 0)
                return r;
        /* of two members of one name the last counts, as for whoever unpacks it: qsort() is told by the offset */
        if (source->n_members > 0)
                qsort(source->members, source->n_members, sizeof(*source->members), by_name);
        for (size_t i = 0; i < source->n_members; i++) {
                SourceMember *m = source->members + i, *last = kept > 0 ? source->members + kept - 1 : NULL;

                if (last && str_equal(last->name, m->name)) {
                        SourceMember *drop = last->offset > m->offset ? m : last;

                        free(drop->name);
                        free(drop->link);
                        if (drop == last)
                                *last = *m;
                        continue;
                }
                source->members[kept++] = *m;
        }
        source->n_members = kept;
        return 0;
}

static int temporary_file(const Stage *stage, Error *reterr) {
        int fd = openat(stage->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        return fd < 0 ? error_set_errno(reterr, -errno, "cannot make a temporary file in '%s'", stage->store->data_path) : fd;
}

/* Writes what comes out of `fd`, decompressed, to a temporary file. Returns its descriptor. */
static int decompress(int fd, const Stage *stage, Error *reterr) {
        _cleanup_fd_ int out = temporary_file(stage, reterr), empty = -EBADF;
        _cleanup_worker_ Worker worker = WORKER_NULL;
        UnpackResult result;
        uint64_t limit;

        if (out < 0)
                return out;
        int r = stage_free_space(stage, &limit, reterr);
        if (r < 0)
                return r;
        if (mkdirat(stage->fd, "empty", 0700) < 0 && errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        empty = openat(stage->fd, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (empty < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary directory");
        WorkerJob job = { .task = WORKER_DECOMPRESS, .in_fd = fd, .size = UINT64_MAX, .dir_fd = empty, .out_fd = out, .size_limit = limit };
        r = worker_start(&job, &stage->map, &worker, reterr);
        if (r >= 0)
                r = worker_finish(&worker, &result, reterr);
        return r < 0 ? r : TAKE_FD(out);
}

static int copy_to_temporary(int fd, const Stage *stage, Error *reterr) {
        _cleanup_fd_ int out = temporary_file(stage, reterr);
        _cleanup_stream_ Stream *stream = NULL;
        uint64_t limit;

        if (out < 0)
                return out;
        int r = stage_free_space(stage, &limit, reterr);
        if (r >= 0)
                r = stream_open(fd, 0, UINT64_MAX, limit, STREAM_PLAIN, &stream, reterr);
        while (r >= 0) {
                const uint8_t *p;
                size_t n;

                r = stream_peek(stream, &p, &n, reterr);
                if (r < 0 || n == 0)
                        break;
                r = io_write_full(out, p, n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write a temporary file");
                stream_consume(stream, n);
        }
        return r < 0 ? r : TAKE_FD(out);
}

/* A descriptor of the input; devices are no archives. */
static int open_input(const char *path, struct stat *st, Error *reterr) {
        _cleanup_fd_ int fd = path ? open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

        if (fd < 0 || fstat(fd, st) < 0) {
                int code = -errno;

                return error_set(reterr, code, error_kind_from_errno(code), "%s", strerror(-code));
        }
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
                int r = error_set(reterr, -EINVAL, ERROR_INVALID, "%s",
                                  path ? "it is a device" : isatty(fd) ? "the standard input is a terminal" : "the standard input is a device");

                error_hint(reterr, "name a file with --input, or send one to the standard input");
                return r;
        }
        return TAKE_FD(fd);
}

int source_open(const char *path, const Stage *stage, Source *ret, Error *reterr) {
        _cleanup_source_ Source source = SOURCE_NULL;
        struct stat st;
        char head[8];
        ssize_t n;
        int r;

        r = source.fd = open_input(path, &st, reterr);
        if (r < 0)
                return r;
        source.directory = S_ISDIR(st.st_mode);
        if (!source.directory) {
                n = S_ISREG(st.st_mode) ? pread(source.fd, head, sizeof(head), 0) : -1;
                if (n < 0 || compression_detect(head, (size_t) n) != COMPRESSION_NONE) {
                        r = decompress(source.fd, stage, reterr);
                        if (r < 0)
                                return r;
                        (void) fd_close(source.fd);
                        source.fd = r;
                }
                r = list_members(&source, reterr);
                if (r < 0)
                        return r;
        }
        *ret = source;
        source = SOURCE_NULL;
        return 0;
}

int source_open_file(const char *path, const Stage *stage, SourceFile *ret, Error *reterr) {
        _cleanup_fd_ int fd = -EBADF;
        struct stat st;

        int r = fd = open_input(path, &st, reterr);
        if (r < 0)
                return r;
        if (S_ISDIR(st.st_mode))
                return error_set(reterr, -EISDIR, ERROR_INVALID, "it is a directory");
        if (!S_ISREG(st.st_mode)) {
                r = copy_to_temporary(fd, stage, reterr);
                if (r < 0)
                        return r;
                (void) fd_close(fd);
                fd = r;
                if (fstat(fd, &st) < 0)
                        return error_set_errno(reterr, -errno, "cannot read");
        }
        *ret = (SourceFile){ .fd = TAKE_FD(fd), .size = (uint64_t) st.st_size };
        return 0;
}

int source_take_stream(int fd, const Stage *stage, SourceFile *ret, Error *reterr) {
        _cleanup_fd_ int file = copy_to_temporary(fd, stage, reterr);
        struct stat st;

        if (file < 0)
                return file;
        if (fstat(file, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read");
        *ret = (SourceFile){ .fd = TAKE_FD(file), .size = (uint64_t) st.st_size };
        return 0;
}

static int find_in_directory(const Source *source, const char *name, SourceFile *ret, Error *reterr) {
        struct stat st;
        _cleanup_fd_ int fd = path_open_beneath(source->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

        if (fd == -ENOENT)
                return fd;
        if (fd == -ELOOP || fd == -EXDEV)
                return error_set(reterr, fd, ERROR_INVALID, "'%.200s' in it is reached by a symlink", name);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot open '%.200s' in it", name);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "'%.200s' in it is not a regular file", name);
        *ret = (SourceFile){ .fd = TAKE_FD(fd), .size = (uint64_t) st.st_size };
        return 0;
}

int source_find(const Source *source, const char *name, SourceFile *ret, Error *reterr) {
        _cleanup_free_ char *clean = NULL;
        SourceMember key;

        if (source->directory)
                return find_in_directory(source, name, ret, reterr);
        clean = clean_name(name);
        if (!clean)
                return error_oom(reterr);
        key.name = clean;
        for (int links = 0; links < 8; links++) {
                const SourceMember *m = source->n_members == 0 ? NULL
                                                               : bsearch(&key, source->members, source->n_members, sizeof(key), by_name);
                if (!m)
                        return -ENOENT;
                if (!m->link) {
                        *ret = (SourceFile){ .fd = source->fd, .borrowed = true, .offset = m->offset, .size = m->size };
                        return 0;
                }
                key.name = m->link;
        }
        return error_set(reterr, -ELOOP, ERROR_INVALID, "'%.200s' in it is a chain of links", name);
}

int source_read(const Source *source, const char *name, size_t limit, const char *digest, int64_t size, char **ret,
                size_t *ret_size, Error *reterr) {
        _cleanup_source_file_ SourceFile file = SOURCE_FILE_NULL;
        _cleanup_free_ char *data = NULL;
        char found[DIGEST_LENGTH + 1];

        int r = source_find(source, name, &file, reterr);
        if (r < 0)
                return r;
        if (file.size > limit)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "'%.200s' in it is %llu bytes long, at most %zu are taken", name,
                                 (unsigned long long) file.size, limit);
        if (size >= 0 && file.size != (uint64_t) size)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'%.200s' in it is damaged: %llu bytes, expected %lld", name,
                                 (unsigned long long) file.size, (long long) size);
        data = malloc(file.size + 1);
        if (!data)
                return error_oom(reterr);
        for (size_t done = 0; done < file.size;) {
                ssize_t n = RETRY_EINTR(pread(file.fd, data + done, file.size - done, (off_t) (file.offset + done)));

                if (n <= 0)
                        return error_set_errno(reterr, n < 0 ? -errno : -EIO, "cannot read '%.200s' in it", name);
                done += (size_t) n;
        }
        data[file.size] = 0;
        if (digest) {
                if (sha256_buffer(data, file.size, found) < 0)
                        return error_oom(reterr);
                if (!str_equal(found, digest))
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'%.200s' in it is damaged: its digest is %s", name, found);
        }
        *ret_size = file.size;
        *ret = TAKE_PTR(data);
        return 0;
}
