/* SPDX-License-Identifier: Apache-2.0 */
/* gzip by ISA-L, the rest by libarchive's filters. */
#include "image/compress.h"

#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "image/archive-library.h"

enum { BLOCK_SIZE = 256 * 1024, OUT_SIZE = 256 * 1024, ISAL_LEVEL_MAX = 3 };

struct Compressor {
        int fd;
        Sha256 *hash_in, *hash_out; /* one of them where nothing is compressed */
        uint64_t n_in, n_out;
        uint8_t *block, *out;       /* NULL where nothing is compressed */
        size_t n_block;
        struct isal_zstream *deflate;
        uint8_t *deflate_memory;
        struct archive *archive;
        int fault;                  /* of a write: -errno */
};

bool compression_level_is_valid(Compression compression, int level) {
        return level >= 0 && level <= (compression == COMPRESSION_GZIP ? 9 : compression == COMPRESSION_ZSTD ? 20 : 0);
}

static int put(Compressor *c, const void *bytes, size_t size) {
        if (c->fault < 0)
                return c->fault;
        if (c->hash_out)
                sha256_update(c->hash_out, bytes, size);
        c->n_out += size;
        c->fault = io_write_full(c->fd, bytes, size);
        return c->fault;
}

static la_ssize_t archive_put(_unused_ struct archive *archive, void *data, const void *bytes, size_t size) {
        Compressor *c = data;

        return put(c, bytes, size) < 0 ? -1 : (la_ssize_t) size;
}

static int open_deflate(Compressor *c, int level, Error *reterr) {
        static const struct {
                uint32_t level, memory;
        } rows[] = { { 1, ISAL_DEF_LVL1_EXTRA_LARGE }, { 2, ISAL_DEF_LVL2_EXTRA_LARGE }, { 3, ISAL_DEF_LVL3_EXTRA_LARGE } };
        size_t i = level == COMPRESSION_LEVEL_DEFAULT ? 0 : (size_t) level - 1;

        c->deflate = calloc(1, sizeof(*c->deflate));
        c->deflate_memory = malloc(rows[i].memory);
        if (!c->deflate || !c->deflate_memory)
                return error_oom(reterr);
        isal_deflate_init(c->deflate);
        c->deflate->level = rows[i].level;
        c->deflate->level_buf = c->deflate_memory;
        c->deflate->level_buf_size = rows[i].memory;
        c->deflate->gzip_flag = IGZIP_GZIP; /* its header names no time and no file */
        return 0;
}

static int open_archive(Compressor *c, Compression compression, int level, Error *reterr) {
        const char *filter = compression == COMPRESSION_ZSTD ? "zstd" : "gzip";
        char number[16];
        bool opened;

        int r = archive_library_check(reterr);
        if (r < 0)
                return r;
        struct archive_entry *entry = archive_entry_new();
        c->archive = archive_write_new();
        if (!entry || !c->archive) {
                archive_entry_free(entry);
                return error_oom(reterr);
        }
        (void) snprintf(number, sizeof(number), "%d", level);
        archive_entry_set_filetype(entry, AE_IFREG);
        opened = archive_write_set_format_raw(c->archive) == ARCHIVE_OK &&
                 archive_write_add_filter_by_name(c->archive, filter) == ARCHIVE_OK &&
                 (compression != COMPRESSION_GZIP ||
                  archive_write_set_filter_option(c->archive, filter, "timestamp", NULL) == ARCHIVE_OK) &&
                 (level == COMPRESSION_LEVEL_DEFAULT ||
                  archive_write_set_filter_option(c->archive, filter, "compression-level", number) == ARCHIVE_OK) &&
                 archive_write_set_bytes_per_block(c->archive, OUT_SIZE) == ARCHIVE_OK &&
                 archive_write_set_bytes_in_last_block(c->archive, 1) == ARCHIVE_OK &&
                 archive_write_open(c->archive, c, NULL, archive_put, NULL) == ARCHIVE_OK &&
                 archive_write_header(c->archive, entry) == ARCHIVE_OK;
        archive_entry_free(entry);
        return opened ? 0 : error_set(reterr, -EIO, ERROR_INTERNAL, "cannot compress: %s", archive_error_string(c->archive) ?: "unknown");
}

int compressor_new(Compression compression, int level, int fd, Compressor **ret, Error *reterr) {
        _cleanup_compressor_ Compressor *c = calloc(1, sizeof(*c));
        int r;

        if (!c || !(c->hash_in = sha256_new()))
                return error_oom(reterr);
        c->fd = fd;
        if (compression == COMPRESSION_NONE) {
                *ret = TAKE_PTR(c);
                return 0;
        }
        if (compression != COMPRESSION_GZIP && compression != COMPRESSION_ZSTD)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot compress as %s", compression_to_string(compression));
        if (!(c->hash_out = sha256_new()) || !(c->block = malloc(BLOCK_SIZE)) || !(c->out = malloc(OUT_SIZE)))
                return error_oom(reterr);
        r = compression == COMPRESSION_GZIP && level <= ISAL_LEVEL_MAX ? open_deflate(c, level, reterr)
                                                                       : open_archive(c, compression, level, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

Compressor *compressor_free(Compressor *c) {
        if (c) {
                if (c->archive)
                        (void) archive_write_free(c->archive);
                (void) sha256_free(c->hash_in);
                (void) sha256_free(c->hash_out);
                free(c->deflate);
                free(c->deflate_memory);
                free(c->block);
                free(c->out);
        }
        free(c);
        return NULL;
}

static int deflate_block(Compressor *c, bool last) {
        struct isal_zstream *z = c->deflate;

        z->next_in = c->block;
        z->avail_in = (uint32_t) c->n_block;
        z->end_of_stream = last;
        z->flush = NO_FLUSH;
        do {
                z->next_out = c->out;
                z->avail_out = OUT_SIZE;
                if (isal_deflate(z) != COMP_OK)
                        return -EIO;
                int r = put(c, c->out, OUT_SIZE - z->avail_out);
                if (r < 0)
                        return r;
        } while (z->avail_out == 0 || z->avail_in > 0 || (last && z->internal_state.state != ZSTATE_END));
        return 0;
}

static int flush_block(Compressor *c, bool last) {
        int r = 0;

        sha256_update(c->hash_in, c->block, c->n_block);
        if (c->deflate)
                r = deflate_block(c, last);
        else if (c->n_block > 0 && archive_write_data(c->archive, c->block, c->n_block) != (la_ssize_t) c->n_block)
                r = c->fault < 0 ? c->fault : -EIO;
        c->n_block = 0;
        return r;
}

int compressor_write(void *compressor, const void *bytes, size_t size) {
        Compressor *c = compressor;
        const uint8_t *p = bytes;

        c->n_in += size;
        if (!c->block) {
                sha256_update(c->hash_in, bytes, size);
                return put(c, bytes, size);
        }
        while (size > 0) {
                size_t n = MIN(size, (size_t) BLOCK_SIZE - c->n_block);

                memcpy(c->block + c->n_block, p, n);
                c->n_block += n;
                p += n;
                size -= n;
                if (c->n_block == BLOCK_SIZE) {
                        int r = flush_block(c, /* last= */ false);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int compressor_finish(Compressor *c, Compressed *ret, Error *reterr) {
        int r = c->block ? flush_block(c, /* last= */ true) : c->fault;

        if (r >= 0 && c->archive && archive_write_close(c->archive) != ARCHIVE_OK)
                r = c->fault < 0 ? c->fault : -EIO;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write");
        *ret = (Compressed){ .size_in = c->n_in, .size_out = c->n_out };
        sha256_finish(c->hash_in, ret->digest_in);
        if (c->hash_out)
                sha256_finish(c->hash_out, ret->digest_out);
        else
                (void) stpcpy(ret->digest_out, ret->digest_in);
        return 0;
}
