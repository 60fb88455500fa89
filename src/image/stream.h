/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's bytes in order: read from a descriptor, decompressed, and hashed on both sides. */
#pragma once

#include <stdint.h>

#include "image/ring.h"
#include "image/sha256.h"

typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_GZIP,
        COMPRESSION_ZSTD,
        COMPRESSION_XZ,
        COMPRESSION_BZIP2,
} Compression;

/* By the first bytes; what is none of these is COMPRESSION_NONE. */
Compression compression_detect(const void *head, size_t size) _pure_;

/* "gzip", "zstd", "xz", "bzip2"; "none". */
const char *compression_to_string(Compression compression) _pure_;

typedef struct Stream Stream;

typedef enum StreamFlags {
        STREAM_HASH = 1 << 0,  /* digests of what comes in and what goes out */
        STREAM_PLAIN = 1 << 1, /* take the bytes as they are, whatever they begin with */
} StreamFlags;

/* Reads `size` bytes of `fd` from `offset` on (pread: several streams may share a descriptor), or from where it stands to
 * its end where `size` is UINT64_MAX. The descriptor is borrowed. More than `limit` bytes coming out are refused. */
int stream_open(int fd, uint64_t offset, uint64_t size, uint64_t limit, StreamFlags flags, Stream **ret, Error *reterr);
Stream *stream_free(Stream *stream);
DEFINE_CLEANUP(Stream, stream_free)
#define _cleanup_stream_ _cleanup_(stream_freep)

/* The bytes that are there: at least one, or *ret_size is 0 at the end. They stay until the next call. */
int stream_peek(Stream *stream, const uint8_t **ret, size_t *ret_size, Error *reterr);
void stream_consume(Stream *stream, size_t size);

/* Copies `size` bytes; fewer come only at the end. Returns 0, the number in *ret_size. */
int stream_read(Stream *stream, void *data, size_t size, size_t *ret_size, Error *reterr);

/* Passes over `size` bytes, without reading them where the input can be positioned and is not hashed. A stream that ends
 * before is -EBADMSG. */
int stream_skip(Stream *stream, uint64_t size, Error *reterr);

/* Reads and hashes what is left, so that the digests are of the whole. */
int stream_finish(Stream *stream, Error *reterr);

/* The position in the decompressed bytes. */
uint64_t stream_position(const Stream *stream) _pure_;

/* After stream_finish() of a stream with STREAM_HASH. */
void stream_digests(Stream *stream, char ret_in[static DIGEST_LENGTH + 1], char ret_out[static DIGEST_LENGTH + 1]);
uint64_t stream_size_in(const Stream *stream) _pure_;
Compression stream_compression(const Stream *stream) _pure_;

/* Whether there is so much to decompress that a process of its own is worth it. */
bool stream_is_heavy(const Stream *stream) _pure_;

/* The two halves of a stream after a fork(2), before anything was taken from it. One process decompresses all of it into the
 * ring, and puts what comes in there, too; the other one's stream then has its bytes from there (borrowed), and hashes both. */
int stream_fill_ring(Stream *stream, Ring *ring, Error *reterr);
void stream_take_ring(Stream *stream, Ring *ring);

/* After that: what comes out is hashed by another process (hasher.h), whose ring is borrowed. */
void stream_hash_apart(Stream *stream, Ring *ring);

/* `tap` sees all bytes that are consumed, in order (NULL: nobody). */
void stream_set_tap(Stream *stream, void (*tap)(void *data, const void *bytes, size_t size), void *data);
