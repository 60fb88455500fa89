/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way out: hashed, compressed, hashed again and written, in the process that calls.
 *
 * gzip is ISA-L's at the levels 1 to 3 (1 unless asked otherwise: the fastest), zlib's above that; zstd is libarchive's. The
 * input is cut into blocks of one size whatever the writes were, so that the same bytes always become the same blob. */
#pragma once

#include "image/stream.h"

enum { COMPRESSION_LEVEL_DEFAULT = 0 };

typedef struct Compressor Compressor;

/* Writes to `fd`, which is borrowed. COMPRESSION_NONE passes the bytes on; xz and bzip2 are not written. */
int compressor_new(Compression compression, int level, int fd, Compressor **ret, Error *reterr);
Compressor *compressor_free(Compressor *compressor);
DEFINE_CLEANUP(Compressor, compressor_free)
#define _cleanup_compressor_ _cleanup_(compressor_freep)

/* 0 or -errno. `compressor` is a Compressor: the form of a RecordWrite. */
int compressor_write(void *compressor, const void *bytes, size_t size);

/* Ends it; the digests and sizes are those of the bytes that were given and those that were written. */
typedef struct Compressed {
        char digest_in[DIGEST_LENGTH + 1], digest_out[DIGEST_LENGTH + 1];
        uint64_t size_in, size_out;
} Compressed;

int compressor_finish(Compressor *compressor, Compressed *ret, Error *reterr);

/* Whether `level` is one of the format's: gzip 1 to 9, zstd 1 to 20. 0 is the default one. */
bool compression_level_is_valid(Compression compression, int level);
