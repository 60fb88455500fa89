/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a tar stream. */
#include "image/record.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "image/archive-library.h"
#include "image/limits.h"

enum { LITERAL_SIZE = 64 * 1024, COPY_SIZE = 256 * 1024 };

static const char magic[] = "sdpod-tar-1\n";

struct RecordWriter {
        struct archive *archive;
        uint8_t *literal;
        size_t n_literal;
        uint64_t file_left;     /* bytes of a file that pass by */
        int fault;              /* the first one: -errno */
};

static void put(RecordWriter *w, const void *data, size_t size) {
        if (w->fault >= 0 && archive_write_data(w->archive, data, size) != (la_ssize_t) size)
                w->fault = archive_errno(w->archive) > 0 ? -archive_errno(w->archive) : -EIO;
}

static void put_literal(RecordWriter *w) {
        uint32_t n = htole32((uint32_t) w->n_literal);

        if (w->n_literal == 0)
                return;
        put(w, "L", 1);
        put(w, &n, sizeof(n));
        put(w, w->literal, w->n_literal);
        w->n_literal = 0;
}

RecordWriter *record_writer_free(RecordWriter *w) {
        if (w) {
                if (w->archive)
                        (void) archive_write_free(w->archive);
                free(w->literal);
        }
        free(w);
        return NULL;
}

int record_writer_new(int fd, RecordWriter **ret, Error *reterr) {
        _cleanup_record_writer_ RecordWriter *w = calloc(1, sizeof(*w));
        bool opened;

        int r = archive_library_check(reterr);
        if (r < 0)
                return r;
        struct archive_entry *entry = archive_entry_new();
        if (!w || !entry || !(w->archive = archive_write_new()) || !(w->literal = malloc(LITERAL_SIZE))) {
                archive_entry_free(entry);
                return error_oom(reterr);
        }
        archive_entry_set_filetype(entry, AE_IFREG);
        opened = archive_write_set_format_raw(w->archive) == ARCHIVE_OK && archive_write_add_filter_zstd(w->archive) == ARCHIVE_OK &&
                 /* the tables of higher levels take longer to clear than a small layer to unpack */
                 archive_write_set_filter_option(w->archive, "zstd", "compression-level", "1") == ARCHIVE_OK &&
                 archive_write_set_bytes_in_last_block(w->archive, 1) == ARCHIVE_OK &&
                 archive_write_open_fd(w->archive, fd) == ARCHIVE_OK && archive_write_header(w->archive, entry) == ARCHIVE_OK;
        archive_entry_free(entry);
        if (!opened)
                return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot write the record of a layer: %s",
                                 archive_error_string(w->archive) ?: "unknown");
        put(w, magic, sizeof(magic) - 1);
        *ret = TAKE_PTR(w);
        return 0;
}

void record_writer_tap(void *data, const void *bytes, size_t size) {
        RecordWriter *w = data;
        const uint8_t *p = bytes;

        while (size > 0) {
                size_t n;

                if (w->file_left > 0) {
                        n = (size_t) MIN((uint64_t) size, w->file_left);
                        w->file_left -= n;
                } else {
                        n = MIN(size, LITERAL_SIZE - w->n_literal);
                        memcpy(w->literal + w->n_literal, p, n);
                        w->n_literal += n;
                        if (w->n_literal == LITERAL_SIZE)
                                put_literal(w);
                }
                p += n;
                size -= n;
        }
}

void record_writer_file(RecordWriter *w, const char *path, uint64_t size) {
        uint64_t size_le = htole64(size);
        uint32_t length = htole32((uint32_t) strlen(path));

        put_literal(w);
        put(w, "F", 1);
        put(w, &size_le, sizeof(size_le));
        put(w, &length, sizeof(length));
        put(w, path, strlen(path));
        w->file_left = size;
}

int record_writer_finish(RecordWriter *w, Error *reterr) {
        put_literal(w);
        if (w->fault >= 0 && archive_write_close(w->archive) != ARCHIVE_OK)
                w->fault = archive_errno(w->archive) > 0 ? -archive_errno(w->archive) : -EIO;
        /* the worker's limit for files is the free space (image/stage.h), and no record comes near to any other */
        if (w->fault == -EFBIG)
                w->fault = -ENOSPC;
        return w->fault < 0 ? error_set_errno(reterr, w->fault, "cannot write the record of a layer") : 0;
}

static int damaged(Error *reterr) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its record is damaged");
}

/* Reads exactly so many bytes of the record. */
static int read_exact(Stream *record, void *data, size_t size, Error *reterr) {
        size_t n;
        int r = stream_read(record, data, size, &n, reterr);

        return r < 0 ? r : n == size ? 0 : damaged(reterr);
}

/* Where the replayed stream goes. */
typedef struct Replay {
        RecordWrite *write;
        void *data;
        char *buffer;
} Replay;

static int replay_literal(Stream *record, const Replay *out, Error *reterr) {
        uint32_t left;
        int r = read_exact(record, &left, sizeof(left), reterr);

        for (left = le32toh(left); r >= 0 && left > 0;) {
                const uint8_t *p;
                size_t n;

                r = stream_peek(record, &p, &n, reterr);
                if (r >= 0 && n == 0)
                        r = damaged(reterr);
                if (r < 0)
                        break;
                n = MIN(n, (size_t) left);
                r = out->write(out->data, p, n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write");
                stream_consume(record, n);
                left -= (uint32_t) n;
        }
        return r;
}

static int copy_file(int fd, uint64_t size, const Replay *out, const char *path, Error *reterr) {
        while (size > 0) {
                ssize_t n = RETRY_EINTR(read(fd, out->buffer, MIN(size, (uint64_t) COPY_SIZE)));

                if (n <= 0)
                        return n < 0 ? error_set_errno(reterr, -errno, "cannot read '%.300s'", path)
                                     : error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'%.300s' in it is not what it was", path);
                int r = out->write(out->data, out->buffer, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write");
                size -= (uint64_t) n;
        }
        return 0;
}

static int replay_file(Stream *record, int root_fd, const Replay *out, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        struct stat st;
        uint64_t size;
        uint32_t length;

        int r = read_exact(record, &size, sizeof(size), reterr);
        if (r >= 0)
                r = read_exact(record, &length, sizeof(length), reterr);
        if (r < 0)
                return r;
        size = le64toh(size);
        length = le32toh(length);
        if (length > IMAGE_PATH_LIMIT)
                return damaged(reterr);
        path = calloc(1, (size_t) length + 1);
        if (!path)
                return error_oom(reterr);
        r = read_exact(record, path, length, reterr);
        if (r < 0)
                return r;
        _cleanup_fd_ int fd = path_open_beneath(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t) st.st_size != size)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "'%.300s' in it is not what it was", path);
        return copy_file(fd, size, out, path, reterr);
}

int record_replay(Stream *record, int root_fd, RecordWrite *write, void *data, Error *reterr) {
        _cleanup_free_ char *buffer = malloc(COPY_SIZE);
        const Replay out = { write, data, buffer };
        char head[sizeof(magic) - 1], kind;
        size_t n;

        if (!buffer)
                return error_oom(reterr);
        int r = read_exact(record, head, sizeof(head), reterr);
        if (r >= 0 && memcmp(head, magic, sizeof(head)) != 0)
                r = damaged(reterr);
        while (r >= 0) {
                r = stream_read(record, &kind, 1, &n, reterr);
                if (r < 0 || n == 0)
                        break;
                r = kind == 'L'   ? replay_literal(record, &out, reterr)
                    : kind == 'F' ? replay_file(record, root_fd, &out, reterr)
                                  : damaged(reterr);
        }
        return r;
}
