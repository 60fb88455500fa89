/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "image/archive-library.h"
#include "image/compress.h"

enum { SIZE = 1024 * 1024 + 12345 };

/* Text that compresses, and noise that does not. */
static void fill(uint8_t *data) {
        uint32_t x = 1;

        for (size_t i = 0; i < SIZE; i++) {
                x = x * 1664525 + 1013904223;
                data[i] = i % 1000 < 700 ? (uint8_t) "abcdefghij"[i % 10] : (uint8_t) (x >> 24);
        }
}

/* Compresses in writes of `step` bytes into a file; the stream that reads it back must give the same. */
static void check(const uint8_t *data, size_t size, Compression compression, int level, size_t step, char ret_digest[static DIGEST_LENGTH + 1]) {
        _cleanup_fd_ int fd = io_memfd("test", "", 0);
        _cleanup_compressor_ Compressor *c = NULL;
        _cleanup_stream_ Stream *stream = NULL;
        char in[DIGEST_LENGTH + 1], out[DIGEST_LENGTH + 1], wanted[DIGEST_LENGTH + 1];
        Compressed done;

        CHECK(fd >= 0);
        CHECK_INT(archive_library_load(NULL), 0);
        CHECK_INT(compressor_new(compression, level, fd, &c, NULL), 0);
        for (size_t i = 0; i < size; i += step)
                CHECK_INT(compressor_write(c, data + i, MIN(step, size - i)), 0);
        CHECK_INT(compressor_finish(c, &done, NULL), 0);
        CHECK_INT(sha256_buffer(data, size, wanted), 0);
        CHECK_STR(done.digest_in, wanted);
        CHECK(done.size_in == size && (off_t) done.size_out == lseek(fd, 0, SEEK_END));
        CHECK(compression == COMPRESSION_NONE || size < 1000 || done.size_out < size);
        CHECK_INT(stream_open(fd, 0, done.size_out, UINT64_MAX, STREAM_HASH, &stream, NULL), 0);
        CHECK_INT(stream_compression(stream), compression);
        CHECK_INT(stream_finish(stream, NULL), 0);
        stream_digests(stream, in, out);
        CHECK_STR(out, wanted);
        CHECK_STR(in, done.digest_out);
        (void) stpcpy(ret_digest, done.digest_out);
}

TEST(what_is_compressed_comes_back_and_is_always_the_same) {
        static const struct {
                Compression compression;
                int level;
        } rows[] = { { COMPRESSION_NONE, 0 }, { COMPRESSION_GZIP, 0 }, { COMPRESSION_GZIP, 1 }, { COMPRESSION_GZIP, 2 }, { COMPRESSION_GZIP, 3 },
                     { COMPRESSION_GZIP, 6 }, { COMPRESSION_GZIP, 9 }, { COMPRESSION_ZSTD, 0 }, { COMPRESSION_ZSTD, 3 }, { COMPRESSION_ZSTD, 10 } };
        _cleanup_free_ uint8_t *data = malloc(SIZE);

        CHECK(data);
        fill(data);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char one[DIGEST_LENGTH + 1], other[DIGEST_LENGTH + 1];

                check(data, SIZE, rows[i].compression, rows[i].level, SIZE, one);
                check(data, SIZE, rows[i].compression, rows[i].level, 4099, other);
                CHECK_STR(one, other); /* whatever the writes were */
                check(data, 512, rows[i].compression, rows[i].level, 512, one);
        }
}

TEST(levels) {
        CHECK(compression_level_is_valid(COMPRESSION_GZIP, 0) && compression_level_is_valid(COMPRESSION_GZIP, 9));
        CHECK(!compression_level_is_valid(COMPRESSION_GZIP, 10) && !compression_level_is_valid(COMPRESSION_GZIP, -1));
        CHECK(compression_level_is_valid(COMPRESSION_ZSTD, 20) && !compression_level_is_valid(COMPRESSION_ZSTD, 21));
}

TEST(a_reader_that_is_gone_is_an_error) {
        _cleanup_fd_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        _cleanup_compressor_ Compressor *c = NULL;
        Compressed done;

        CHECK(fd >= 0);
        CHECK_INT(archive_library_load(NULL), 0);
        CHECK_INT(compressor_new(COMPRESSION_ZSTD, 0, fd, &c, NULL), 0);
        CHECK_INT(compressor_write(c, "x", 1), 0);
        CHECK(compressor_finish(c, &done, NULL) == -ENOSPC);
        CHECK(compressor_new(COMPRESSION_XZ, 0, fd, &(Compressor *){ NULL }, NULL) == -EOPNOTSUPP);
}
