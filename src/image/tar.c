/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tar archives. */
#include "image/tar.h"

#include <string.h>

#include "base/str.h"
#include "image/limits.h"
#include "image/tar-pax.h"

enum { BLOCK = 512 };

/* Offsets and lengths in a header block (tar(5)). */
typedef struct Field {
        unsigned short offset, size;
} Field;

static const Field field_name = { 0, 100 }, field_mode = { 100, 8 }, field_uid = { 108, 8 }, field_gid = { 116, 8 },
                   field_size = { 124, 12 }, field_mtime = { 136, 12 }, field_checksum = { 148, 8 }, field_link = { 157, 100 },
                   field_major = { 329, 8 }, field_minor = { 337, 8 }, field_prefix = { 345, 155 }, field_sparse = { 386, 96 },
                   field_real_size = { 483, 12 };
enum { AT_TYPE = 156, AT_MAGIC = 257, AT_EXTENDED = 482, AT_EXTENDED_AGAIN = 504, SPARSE_PER_BLOCK = 21 };

struct TarReader {
        Stream *stream;
        TarEntry entry;
        TarPax pax;               /* of the entry that comes */
        uint8_t block[BLOCK];
        uint64_t left, padding;   /* of the entry's data in the stream */
        size_t extent;            /* the sparse piece that is read */
        uint64_t extent_done;
        uint64_t n_entries;
};

static int bad(Error *reterr, const char *reason) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the tar archive is damaged: %s", reason);
}

static void entry_done(TarEntry *entry) {
        free(entry->path);
        free(entry->link);
        for (size_t i = 0; i < entry->n_xattrs; i++) {
                free(entry->xattrs[i].name);
                free(entry->xattrs[i].value);
        }
        free(entry->xattrs);
        free(entry->extents);
        *entry = (TarEntry){};
}

TarReader *tar_reader_new(Stream *stream) {
        TarReader *reader = calloc(1, sizeof(*reader));

        if (reader)
                reader->stream = stream;
        return reader;
}

TarReader *tar_reader_free(TarReader *reader) {
        if (reader) {
                entry_done(&reader->entry);
                tar_pax_done(&reader->pax);
        }
        free(reader);
        return NULL;
}

/* A number: octal digits between blanks and NULs, or big-endian binary behind a set top bit (GNU's extension). */
static int number(const uint8_t *block, Field field, int64_t *ret) {
        const uint8_t *p = block + field.offset, *end = p + field.size;
        uint64_t value = 0;

        if (*p & 0x80) {
                bool negative = *p & 0x40;

                value = negative ? UINT64_MAX : 0;
                for (const uint8_t *q = p; q < end; q++) {
                        uint8_t byte = q == p ? (negative ? *q : *q & 0x7f) : *q;

                        if ((value >> 55) != 0 && (value >> 55) != 0x1ff)
                                return -ERANGE;
                        value = value << 8 | byte;
                }
                *ret = (int64_t) value;
                return (*ret < 0) == negative ? 0 : -ERANGE;
        }
        while (p < end && *p == ' ')
                p++;
        for (; p < end && *p >= '0' && *p <= '7'; p++) {
                if (value >> 60)
                        return -ERANGE;
                value = value << 3 | (uint64_t) (*p - '0');
        }
        for (; p < end; p++)
                if (*p && *p != ' ')
                        return -EINVAL;
        *ret = (int64_t) value;
        return 0;
}

static int unsigned_number(const uint8_t *block, Field field, uint64_t *ret) {
        int64_t value;
        int r = number(block, field, &value);

        if (r >= 0 && value < 0)
                r = -ERANGE;
        if (r >= 0)
                *ret = (uint64_t) value;
        return r;
}

static char *text(const uint8_t *block, Field field) {
        return strndup((const char *) block + field.offset, field.size);
}

/* Sums of bytes as unsigned, and as signed, which old programs wrote. */
static bool checksum_fits(const uint8_t *block) {
        int64_t wanted, sum = 0, signed_sum = 0;

        if (number(block, field_checksum, &wanted) < 0)
                return false;
        for (unsigned i = 0; i < BLOCK; i++) {
                bool blank = i >= field_checksum.offset && i < field_checksum.offset + field_checksum.size;
                uint8_t byte = blank ? ' ' : block[i];

                sum += byte;
                signed_sum += (int8_t) byte;
        }
        return wanted == sum || wanted == signed_sum;
}

static bool all_zero(const uint8_t *block) {
        return *block == 0 && memcmp(block, block + 1, BLOCK - 1) == 0;
}

/* The next block: 1, or 0 at the end of the archive (two blocks of zeros, or the end of the bytes). */
static int next_block(TarReader *r, Error *reterr) {
        size_t n;
        int code = stream_read(r->stream, r->block, BLOCK, &n, reterr);

        if (code < 0)
                return code;
        if (n == 0)
                return 0;
        if (n < BLOCK)
                return bad(reterr, "it ends too early");
        if (!all_zero(r->block)) {
                if (checksum_fits(r->block))
                        return 1;
                if (r->n_entries == 0 && memcmp(r->block + AT_MAGIC, "ustar", 5) != 0)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it is no tar archive");
                return bad(reterr, "a header has a wrong checksum");
        }
        code = stream_read(r->stream, r->block, BLOCK, &n, reterr);
        if (code < 0)
                return code;
        return n == 0 || (n == BLOCK && all_zero(r->block)) ? 0 : bad(reterr, "something follows its end");
}

/* The body of a header that describes the next entry ('x', 'L', 'K'), with a NUL behind it. Owned. */
static int read_body(TarReader *r, uint64_t size, char **ret, Error *reterr) {
        _cleanup_free_ char *body = NULL;
        size_t n;

        if (size > IMAGE_HEADER_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "the tar archive has a header of %llu bytes, at most %d are taken",
                                 (unsigned long long) size, IMAGE_HEADER_LIMIT);
        body = malloc(size + 1);
        if (!body)
                return error_oom(reterr);
        int code = stream_read(r->stream, body, size, &n, reterr);
        if (code < 0)
                return code;
        if (n < size)
                return bad(reterr, "it ends too early");
        body[size] = 0;
        code = stream_skip(r->stream, (BLOCK - size % BLOCK) % BLOCK, reterr);
        if (code < 0)
                return code;
        *ret = TAKE_PTR(body);
        return 0;
}

/* Takes in one of the headers that describe the next entry. Returns 1, or 0 if the block is an entry of its own. */
static int read_extension(TarReader *r, Error *reterr) {
        _cleanup_free_ char *body = NULL;
        char type = (char) r->block[AT_TYPE];
        uint64_t size;
        int code;

        if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K')
                return 0;
        if (unsigned_number(r->block, field_size, &size) < 0)
                return bad(reterr, "a header has a size that is no number");
        code = read_body(r, size, &body, reterr);
        if (code < 0)
                return code;
        if (type == 'L' || type == 'K') {
                char **to = type == 'L' ? &r->pax.path : &r->pax.link;

                /* a pax header before it has the last word, as in GNU tar */
                if (!*to)
                        *to = TAKE_PTR(body);
        } else if (type != 'g') { /* global headers carry comments (git archive); nobody keeps names in them */
                code = tar_pax_parse(&r->pax, body, size, reterr);
                if (code < 0)
                        return code;
        }
        return 1;
}

static int read_ustar(TarReader *r, TarEntry *e, Error *reterr) {
        const uint8_t *b = r->block;
        uint64_t mode = 0, major = 0, minor = 0;
        bool ustar = memcmp(b + AT_MAGIC, "ustar\0", 6) == 0;

        e->type = b[AT_TYPE] == 0 || b[AT_TYPE] == '7' ? '0' : (char) b[AT_TYPE];
        if (unsigned_number(b, field_mode, &mode) < 0 || unsigned_number(b, field_size, &e->stored) < 0 ||
            number(b, field_mtime, &e->mtime) < 0 || unsigned_number(b, field_uid, &e->uid) < 0 ||
            unsigned_number(b, field_gid, &e->gid) < 0)
                return bad(reterr, "a header holds something that is no number");
        if ((e->type == '3' || e->type == '4') &&
            (unsigned_number(b, field_major, &major) < 0 || unsigned_number(b, field_minor, &minor) < 0))
                return bad(reterr, "a header holds something that is no number");
        e->mode = (uint32_t) mode & 07777;
        e->major = (uint32_t) MIN(major, (uint64_t) UINT32_MAX);
        e->minor = (uint32_t) MIN(minor, (uint64_t) UINT32_MAX);
        e->path = text(b, field_name);
        if (e->path && ustar && b[field_prefix.offset]) {
                _cleanup_free_ char *prefix = text(b, field_prefix), *name = TAKE_PTR(e->path);

                e->path = prefix ? str_format("%s/%s", prefix, name) : NULL;
        }
        e->link = text(b, field_link);
        return e->path && e->link ? 0 : error_oom(reterr);
}

static int add_extent(TarEntry *e, uint64_t offset, uint64_t size, Error *reterr) {
        TarExtent *grown;

        if (e->n_extents >= IMAGE_SPARSE_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "'%s' is a sparse file of more than %d pieces", e->path,
                                 IMAGE_SPARSE_LIMIT);
        if ((e->n_extents & (e->n_extents - 1)) == 0) {
                grown = realloc(e->extents, MAX(e->n_extents * 2, (size_t) 1) * sizeof(*grown));
                if (!grown)
                        return error_oom(reterr);
                e->extents = grown;
        }
        e->extents[e->n_extents++] = (TarExtent){ offset, size };
        return 0;
}

static int read_old_extents(TarEntry *e, const uint8_t *at, size_t n, Error *reterr) {
        for (size_t i = 0; i < n; i++, at += 24) {
                uint64_t offset, size;

                if (!*at)
                        return 0;
                if (unsigned_number(at, (Field){ 0, 12 }, &offset) < 0 || unsigned_number(at, (Field){ 12, 12 }, &size) < 0)
                        return bad(reterr, "a sparse file's map is no map");
                int code = add_extent(e, offset, size, reterr);
                if (code < 0)
                        return code;
        }
        return 0;
}

/* GNU's old form: four pieces in the header, 21 in each block that follows it. */
static int read_old_sparse(TarReader *r, TarEntry *e, Error *reterr) {
        bool more = r->block[AT_EXTENDED];
        size_t n;

        if (unsigned_number(r->block, field_real_size, &e->size) < 0)
                return bad(reterr, "a sparse file's size is no number");
        e->type = '0';
        int code = read_old_extents(e, r->block + field_sparse.offset, 4, reterr);
        while (code >= 0 && more) {
                code = stream_read(r->stream, r->block, BLOCK, &n, reterr);
                if (code >= 0 && n < BLOCK)
                        code = bad(reterr, "it ends too early");
                if (code < 0)
                        return code;
                more = r->block[AT_EXTENDED_AGAIN];
                code = read_old_extents(e, r->block, SPARSE_PER_BLOCK, reterr);
        }
        return code;
}

/* One decimal line of the map that stands before the data (GNU.sparse 1.0). */
static int read_map_number(TarReader *r, uint64_t *used, uint64_t *ret, Error *reterr) {
        uint64_t value = 0;

        for (unsigned digits = 0;; digits++) {
                char c;
                size_t n;
                int code = stream_read(r->stream, &c, 1, &n, reterr);

                if (code < 0)
                        return code;
                if (n == 0 || ++*used > r->entry.stored || digits > 19 || (c != '\n' && (c < '0' || c > '9')))
                        return bad(reterr, "a sparse file's map is no map");
                if (c == '\n') {
                        *ret = value;
                        return digits > 0 ? 0 : bad(reterr, "a sparse file's map is no map");
                }
                if (value > (UINT64_MAX - 9) / 10)
                        return bad(reterr, "a sparse file's map is no map");
                value = value * 10 + (uint64_t) (c - '0');
        }
}

static int read_map_before_data(TarReader *r, TarEntry *e, Error *reterr) {
        uint64_t used = 0, n = 0, offset, size;
        int code = read_map_number(r, &used, &n, reterr);

        for (uint64_t i = 0; i < n && code >= 0; i++) {
                code = read_map_number(r, &used, &offset, reterr);
                if (code >= 0)
                        code = read_map_number(r, &used, &size, reterr);
                if (code >= 0)
                        code = add_extent(e, offset, size, reterr);
        }
        if (code < 0)
                return code;
        uint64_t fill = (BLOCK - used % BLOCK) % BLOCK;
        if (used + fill > e->stored)
                return bad(reterr, "a sparse file's map is no map");
        r->left -= used + fill;
        e->stored -= used + fill;
        return stream_skip(r->stream, fill, reterr);
}

/* The pieces must lie in the file, in order, and their data be all that is stored. */
static int check_extents(const TarEntry *e, Error *reterr) {
        uint64_t at = 0, sum = 0;

        for (size_t i = 0; i < e->n_extents; i++) {
                const TarExtent *x = e->extents + i;

                if (x->offset < at || x->size > e->size || x->offset > e->size - x->size)
                        return bad(reterr, "a sparse file's map is no map");
                at = x->offset + x->size;
                sum += x->size;
        }
        return sum == e->stored ? 0 : bad(reterr, "a sparse file's map does not fit its data");
}

static int apply_sparse(TarReader *r, TarEntry *e, Error *reterr) {
        TarPax *pax = &r->pax;
        int code = 0;

        if (pax->sparse_major == 1) {
                e->size = pax->sparse_size;
                code = read_map_before_data(r, e, reterr);
        } else if (pax->sparse) {
                e->size = pax->sparse_size;
                for (size_t i = 0; i + 1 < pax->n_sparse_map && code >= 0; i += 2)
                        code = add_extent(e, pax->sparse_map[i], pax->sparse_map[i + 1], reterr);
                if (pax->n_sparse_map % 2)
                        return bad(reterr, "a sparse file's map is no map");
        }
        if (code >= 0 && !e->extents)
                code = add_extent(e, 0, 0, reterr); /* all hole */
        return code < 0 ? code : check_extents(e, reterr);
}

/* What a pax or GNU header said before wins over the block. */
static void apply_pax(TarPax *pax, TarEntry *e) {
        char **path = pax->sparse_name ? &pax->sparse_name : &pax->path;

        if (*path) {
                free(e->path);
                e->path = TAKE_PTR(*path);
        }
        if (pax->link) {
                free(e->link);
                e->link = TAKE_PTR(pax->link);
        }
        if (pax->given & TAR_PAX_SIZE)
                e->stored = pax->size;
        if (pax->given & TAR_PAX_UID)
                e->uid = pax->uid;
        if (pax->given & TAR_PAX_GID)
                e->gid = pax->gid;
        if (pax->given & TAR_PAX_MTIME) {
                e->mtime = pax->mtime;
                e->mtime_nsec = pax->mtime_nsec;
        }
        e->xattrs = TAKE_PTR(pax->xattrs);
        e->n_xattrs = pax->n_xattrs;
        pax->n_xattrs = 0;
}

static int finish_entry(TarReader *r, TarEntry *e, Error *reterr) {
        bool old_sparse = e->type == 'S';
        int code = old_sparse ? read_old_sparse(r, e, reterr) : 0;

        if (code < 0)
                return code;
        apply_pax(&r->pax, e);
        /* before ustar, a directory was a file whose name ends in a slash */
        if (e->type == '0' && str_has_suffix(e->path, "/"))
                e->type = '5';
        if (!strchr("0123456", e->type))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "'%s' in the tar archive is of the unknown type 0x%02x", e->path,
                                 (unsigned char) e->type);
        if (e->type != '1' && e->type != '2') {
                free(e->link);
                e->link = NULL;
        }
        if (e->type != '0')
                e->stored = 0; /* links and directories have no data, whatever their size says */
        if (e->stored > INT64_MAX - BLOCK)
                return bad(reterr, "a file's size is beyond any file");
        r->left = e->stored;
        r->padding = (BLOCK - e->stored % BLOCK) % BLOCK;
        r->extent = 0;
        r->extent_done = 0;
        if (e->type == '0' && (old_sparse || r->pax.sparse))
                return apply_sparse(r, e, reterr);
        e->size = e->stored;
        return 0;
}

int tar_reader_next(TarReader *r, const TarEntry **ret, Error *reterr) {
        int code = stream_skip(r->stream, r->left + r->padding, reterr);

        if (code < 0)
                return code;
        r->left = r->padding = 0;
        entry_done(&r->entry);
        tar_pax_done(&r->pax);
        do {
                code = next_block(r, reterr);
                if (code <= 0)
                        return code;
                code = read_extension(r, reterr);
                if (code < 0)
                        return code;
        } while (code > 0);

        if (++r->n_entries > IMAGE_ENTRIES_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "the tar archive has more than %d entries", IMAGE_ENTRIES_LIMIT);
        code = read_ustar(r, &r->entry, reterr);
        if (code >= 0)
                code = finish_entry(r, &r->entry, reterr);
        if (code < 0)
                return code;
        *ret = &r->entry;
        return 1;
}

int tar_reader_data(TarReader *r, const uint8_t **ret, size_t *ret_size, uint64_t *ret_offset, Error *reterr) {
        const TarEntry *e = &r->entry;
        uint64_t room = r->left;
        size_t n;

        *ret_size = 0;
        *ret_offset = e->stored - r->left;
        if (r->left == 0)
                return 0;
        if (e->extents) {
                while (r->extent_done == e->extents[r->extent].size) {
                        r->extent++;
                        r->extent_done = 0;
                }
                room = e->extents[r->extent].size - r->extent_done;
                *ret_offset = e->extents[r->extent].offset + r->extent_done;
        }
        int code = stream_peek(r->stream, ret, &n, reterr);
        if (code < 0)
                return code;
        if (n == 0)
                return bad(reterr, "it ends too early");
        n = (size_t) MIN((uint64_t) n, room);
        stream_consume(r->stream, n);
        r->left -= n;
        r->extent_done += n;
        *ret_size = n;
        return 0;
}
