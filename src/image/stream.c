/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression is ISA-L's for gzip, which most layers are (measured at three times zlib's speed), and libarchive's for
 * the rest. Both are bounded: ISA-L has a fixed window of 32 KiB, libarchive takes at most zstd's default of 128 MiB, and
 * the process has a limit on its memory. */
#include "image/stream.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/wire.h"
#include "image/archive-library.h"
#include "image/hasher.h"

enum { IN_SIZE = 256 * 1024, OUT_SIZE = RING_BUFFER_SIZE, HEAVY_SIZE = 64 * 1024 };

struct Stream {
        int fd;
        bool positioned;           /* pread() at `offset`, up to `left` bytes */
        uint64_t offset, left;
        uint64_t n_in, n_out, limit;
        Sha256 *hash_in, *hash_out; /* NULL: not wanted; what is not compressed is hashed once */
        uint8_t *in, *out;          /* `out` is NULL where nothing is decompressed */
        size_t in_start, in_end, out_start, out_end;
        bool in_eof, ended;
        Compression compression;
        struct inflate_state *inflate;
        bool member_open;           /* inside a gzip member */
        struct archive *archive;
        Error *archive_error;       /* where a read fault inside a libarchive callback goes */
        Ring *ring;                 /* where the bytes come from that another process decompresses */
        Ring *filled;               /* in that process: where they go, and what comes in, to be hashed there */
        Ring *apart;                /* where what comes out is hashed, which then has its buffers here */
        char digest_out[DIGEST_LENGTH + 1]; /* of that, at the end */
        void (*tap)(void *data, const void *bytes, size_t size);
        void *tap_data;
};

Compression compression_detect(const void *head, size_t size) {
        static const struct {
                Compression compression;
                size_t size;
                const char *magic;
        } rows[] = {
                { COMPRESSION_GZIP, 3, "\x1f\x8b\x08" },
                { COMPRESSION_ZSTD, 4, "\x28\xb5\x2f\xfd" },
                { COMPRESSION_XZ, 6, "\xfd" "7zXZ\0" },
                { COMPRESSION_BZIP2, 3, "BZh" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (size >= rows[i].size && memcmp(head, rows[i].magic, rows[i].size) == 0)
                        return rows[i].compression;
        /* zstd:chunked may begin with a skippable frame (zstd's format, "Skippable Frames") */
        if (size >= 4 && (((const uint8_t *) head)[0] & 0xf0) == 0x50 && memcmp((const uint8_t *) head + 1, "\x2a\x4d\x18", 3) == 0)
                return COMPRESSION_ZSTD;
        return COMPRESSION_NONE;
}

const char *compression_to_string(Compression compression) {
        static const char *const names[] = { "none", "gzip", "zstd", "xz", "bzip2" };

        return names[compression];
}

static int corrupt(const Stream *s, Error *reterr, const char *reason) {
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the %s data is damaged: %s", compression_to_string(s->compression), reason);
}

static int ring_fault(Error *reterr) {
        return error_set(reterr, -EPIPE, ERROR_INTERNAL, "the unpacking process was killed");
}

static int hasher_fault(Error *reterr) {
        return error_set(reterr, -EPIPE, ERROR_INTERNAL, "the process that hashes was killed");
}

/* Refills the empty input buffer. */
static int fill_in(Stream *s, Error *reterr) {
        uint8_t *to = s->in;
        size_t size = s->filled ? RING_INPUT_SIZE : IN_SIZE;
        ssize_t n = 0;

        s->in_start = s->in_end = 0;
        if (s->in_eof)
                return 0;
        if (s->filled && ring_buffer(s->filled, RING_INPUT, &to) < 0)
                return ring_fault(reterr);
        if (s->positioned && s->left > 0)
                n = RETRY_EINTR(pread(s->fd, to, MIN(s->left, (uint64_t) size), (off_t) s->offset));
        else if (!s->positioned)
                n = RETRY_EINTR(read(s->fd, to, size));
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot read");
        if (n == 0) {
                if (s->positioned && s->left > 0)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the file ends before it should");
                s->in_eof = true;
                return 0;
        }
        s->in_end = (size_t) n;
        s->n_in += (uint64_t) n;
        if (s->positioned) {
                s->offset += (uint64_t) n;
                s->left -= (uint64_t) n;
        }
        if (s->filled && ring_put(s->filled, RING_INPUT, (size_t) n) < 0)
                return ring_fault(reterr);
        s->in = to;
        if (s->hash_in)
                sha256_update(s->hash_in, s->in, (size_t) n);
        return 0;
}

/* Several members one after the other are one stream (RFC 1952, 2.2). */
static int decode_gzip(Stream *s, Error *reterr) {
        while (s->out_end == 0) {
                if (s->in_start == s->in_end) {
                        int r = fill_in(s, reterr);

                        if (r < 0)
                                return r;
                        if (s->in_start == s->in_end) {
                                if (s->member_open)
                                        return corrupt(s, reterr, "it ends too early");
                                s->ended = true;
                                return 0;
                        }
                }
                if (!s->member_open) {
                        isal_inflate_reset(s->inflate);
                        s->inflate->crc_flag = ISAL_GZIP;
                        s->member_open = true;
                }
                s->inflate->next_in = s->in + s->in_start;
                s->inflate->avail_in = (uint32_t) (s->in_end - s->in_start);
                s->inflate->next_out = s->out;
                s->inflate->avail_out = OUT_SIZE;
                int r = isal_inflate(s->inflate);
                if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT)
                        return corrupt(s, reterr, r == ISAL_INCORRECT_CHECKSUM ? "wrong checksum" : "not a valid stream");
                size_t taken = s->in_end - s->in_start - s->inflate->avail_in;
                s->in_start += taken;
                s->out_end = OUT_SIZE - s->inflate->avail_out;
                if (taken == 0 && s->out_end == 0)
                        return corrupt(s, reterr, "it makes no progress");
                if (s->inflate->block_state == ISAL_BLOCK_FINISH)
                        s->member_open = false;
        }
        return 0;
}

static ssize_t archive_input(struct archive *archive, void *data, const void **ret) {
        Stream *s = data;

        if (s->in_start == s->in_end && fill_in(s, s->archive_error) < 0) {
                archive_set_error(archive, EIO, "cannot read");
                return -1;
        }
        *ret = s->in + s->in_start;
        ssize_t n = (ssize_t) (s->in_end - s->in_start);
        s->in_start = s->in_end;
        return n;
}

static int archive_fault(Stream *s, Error *reterr) {
        if (reterr && reterr->message)
                return reterr->code;
        if (archive_errno(s->archive) == ENOMEM)
                return error_oom(reterr);
        return corrupt(s, reterr, archive_error_string(s->archive) ?: "not a valid stream");
}

static int open_archive(Stream *s, Error *reterr) {
        struct archive_entry *entry;

        int r = archive_library_check(reterr);
        if (r < 0)
                return r;
        s->archive = archive_read_new();
        if (!s->archive)
                return error_oom(reterr);
        s->archive_error = reterr;
        (void) archive_read_support_filter_zstd(s->archive);
        (void) archive_read_support_filter_xz(s->archive);
        (void) archive_read_support_filter_bzip2(s->archive);
        (void) archive_read_support_format_raw(s->archive);
        if (archive_read_open(s->archive, s, /* open= */ NULL, archive_input, /* close= */ NULL) != ARCHIVE_OK ||
            archive_read_next_header(s->archive, &entry) != ARCHIVE_OK)
                return archive_fault(s, reterr);
        return 0;
}

static int decode_archive(Stream *s, Error *reterr) {
        if (!s->archive) {
                int r = open_archive(s, reterr);

                if (r < 0)
                        return r;
        }
        s->archive_error = reterr;
        la_ssize_t n = archive_read_data(s->archive, s->out, OUT_SIZE);
        if (n < 0)
                return archive_fault(s, reterr);
        s->out_end = (size_t) n;
        s->ended = n == 0;
        return 0;
}

/* Up to the next buffer of what was decompressed, hashing what came in meanwhile. */
static int take_from_ring(Stream *s, Error *reterr) {
        const uint8_t *buffer;
        RingLane lane;
        size_t size;
        int r, fault;

        while ((r = ring_take(s->ring, &lane, &buffer, &size, &fault)) > 0) {
                if (lane == RING_INPUT) {
                        s->n_in += size;
                        if (s->hash_in)
                                sha256_update(s->hash_in, buffer, size);
                } else {
                        if (s->apart && ring_buffer(s->apart, RING_OUTPUT, &s->out) < 0)
                                return hasher_fault(reterr);
                        memcpy(s->out, buffer, size);
                        s->out_end = size;
                }
                ring_give_back(s->ring, lane);
                if (lane == RING_OUTPUT)
                        return 0;
        }
        if (r < 0)
                return error_set(reterr, -EPIPE, ERROR_INTERNAL, "the process that decompresses was killed");
        if (fault < 0)
                return wire_receive_result(s->ring->socket, reterr) < 0 ? fault : -EPIPE;
        s->ended = true;
        return 0;
}

/* Refills the empty output buffer; nothing in it afterwards means the end. */
static int fill_out(Stream *s, Error *reterr) {
        int r = 0;

        s->out_start = s->out_end = 0;
        if (s->ended)
                return 0;
        if (s->ring)
                r = take_from_ring(s, reterr);
        else if (s->compression == COMPRESSION_NONE) {
                if (s->in_start == s->in_end)
                        r = fill_in(s, reterr);
                s->ended = s->in_start == s->in_end;
                s->out_start = s->in_start; /* the input buffer is the output buffer */
                s->out_end = s->in_end;
                s->in_start = s->in_end;
        } else if (s->compression == COMPRESSION_GZIP)
                r = decode_gzip(s, reterr);
        else
                r = decode_archive(s, reterr);
        if (r < 0)
                return r;
        s->n_out += s->out_end - s->out_start;
        if (s->n_out > s->limit)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "it is larger than the %llu bytes that are taken here",
                                 (unsigned long long) s->limit);
        if (s->hash_out)
                sha256_update(s->hash_out, (s->out ?: s->in) + s->out_start, s->out_end - s->out_start);
        if (s->apart && s->out_end > 0 && ring_put(s->apart, RING_OUTPUT, s->out_end) < 0)
                return hasher_fault(reterr);
        return 0;
}

Stream *stream_free(Stream *s) {
        if (!s)
                return NULL;
        (void) sha256_free(s->hash_in);
        (void) sha256_free(s->hash_out);
        if (s->archive)
                (void) archive_read_free(s->archive);
        free(s->inflate);
        free(s->in);
        if (!s->apart)
                free(s->out);
        free(s);
        return NULL;
}

int stream_open(int fd, uint64_t offset, uint64_t size, uint64_t limit, StreamFlags flags, Stream **ret, Error *reterr) {
        _cleanup_stream_ Stream *s = calloc(1, sizeof(*s));

        if (!s || !(s->in = malloc(IN_SIZE)))
                return error_oom(reterr);
        s->fd = fd;
        s->positioned = size != UINT64_MAX;
        s->offset = offset;
        s->left = size;
        s->limit = limit;
        /* a pipe may hand out less than the magic at first: gather it, and so much that stream_is_heavy() can tell */
        while (s->in_end <= HEAVY_SIZE && !s->in_eof && !s->positioned) {
                ssize_t n = RETRY_EINTR(read(fd, s->in + s->in_end, IN_SIZE - s->in_end));

                if (n < 0)
                        return error_set_errno(reterr, -errno, "cannot read");
                s->in_eof = n == 0;
                s->in_end += (size_t) n;
                s->n_in += (uint64_t) n;
        }
        if (s->positioned) {
                int r = fill_in(s, reterr);

                if (r < 0)
                        return r;
        }
        s->compression = flags & STREAM_PLAIN ? COMPRESSION_NONE : compression_detect(s->in, s->in_end);
        if ((flags & STREAM_HASH) && (!(s->hash_out = sha256_new()) || (s->compression != COMPRESSION_NONE && !(s->hash_in = sha256_new()))))
                return error_oom(reterr);
        if (s->hash_in)
                sha256_update(s->hash_in, s->in, s->in_end);
        if (s->compression != COMPRESSION_NONE && !(s->out = malloc(OUT_SIZE)))
                return error_oom(reterr);
        if (s->compression == COMPRESSION_GZIP) {
                s->inflate = malloc(sizeof(*s->inflate));
                if (!s->inflate)
                        return error_oom(reterr);
                isal_inflate_init(s->inflate);
        }
        *ret = TAKE_PTR(s);
        return 0;
}

int stream_peek(Stream *s, const uint8_t **ret, size_t *ret_size, Error *reterr) {
        if (s->out_start == s->out_end) {
                int r = fill_out(s, reterr);

                if (r < 0)
                        return r;
        }
        *ret = (s->out ?: s->in) + s->out_start;
        *ret_size = s->out_end - s->out_start;
        return 0;
}

void stream_consume(Stream *s, size_t size) {
        assert(size <= s->out_end - s->out_start);
        if (s->tap && size > 0)
                s->tap(s->tap_data, (s->out ?: s->in) + s->out_start, size);
        s->out_start += size;
}

int stream_read(Stream *s, void *data, size_t size, size_t *ret_size, Error *reterr) {
        size_t done = 0;

        while (done < size) {
                const uint8_t *p;
                size_t n;
                int r = stream_peek(s, &p, &n, reterr);

                if (r < 0)
                        return r;
                if (n == 0)
                        break;
                n = MIN(n, size - done);
                memcpy((uint8_t *) data + done, p, n);
                stream_consume(s, n);
                done += n;
        }
        *ret_size = done;
        return 0;
}

int stream_skip(Stream *s, uint64_t size, Error *reterr) {
        while (size > 0) {
                const uint8_t *p;
                size_t n;

                if (s->out_start == s->out_end && s->positioned && !s->hash_out && s->compression == COMPRESSION_NONE &&
                    s->in_start == s->in_end && !s->tap && size <= s->left) {
                        s->offset += size;
                        s->left -= size;
                        s->n_in += size;
                        s->n_out += size;
                        return 0;
                }
                int r = stream_peek(s, &p, &n, reterr);
                if (r < 0)
                        return r;
                if (n == 0)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it ends too early");
                n = (size_t) MIN((uint64_t) n, size);
                stream_consume(s, n);
                size -= n;
        }
        return 0;
}

int stream_finish(Stream *s, Error *reterr) {
        for (;;) {
                const uint8_t *p;
                size_t n;
                int r = stream_peek(s, &p, &n, reterr);

                if (r < 0)
                        return r;
                if (n == 0)
                        break;
                stream_consume(s, n);
        }
        /* what stands behind the compressed data belongs to the blob's digest all the same */
        while (!s->in_eof && !s->ring) {
                int r = fill_in(s, reterr);

                if (r < 0)
                        return r;
        }
        return s->apart && !*s->digest_out ? hasher_finish(s->apart, s->digest_out, reterr) : 0;
}

uint64_t stream_position(const Stream *s) {
        return s->n_out - (s->out_end - s->out_start);
}

void stream_digests(Stream *s, char ret_in[static DIGEST_LENGTH + 1], char ret_out[static DIGEST_LENGTH + 1]) {
        assert(s->hash_out || s->apart);
        if (s->apart)
                (void) stpcpy(ret_out, s->digest_out);
        else
                sha256_finish(s->hash_out, ret_out);
        if (s->hash_in)
                sha256_finish(s->hash_in, ret_in);
        else
                (void) stpcpy(ret_in, ret_out);
}

bool stream_is_heavy(const Stream *s) {
        return s->compression != COMPRESSION_NONE && s->in_end > HEAVY_SIZE;
}

static int fill_ring(Stream *s, Error *reterr) {
        size_t n = 1;
        int r = 0;

        while (r >= 0 && n > 0) {
                const uint8_t *p;

                if (ring_buffer(s->filled, RING_OUTPUT, &s->out) < 0)
                        return ring_fault(reterr);
                r = stream_peek(s, &p, &n, reterr);
                if (r >= 0 && n > 0) {
                        stream_consume(s, n);
                        if (ring_put(s->filled, RING_OUTPUT, n) < 0)
                                return ring_fault(reterr);
                }
        }
        return r < 0 ? r : stream_finish(s, reterr);
}

int stream_fill_ring(Stream *s, Ring *ring, Error *reterr) {
        uint8_t *in = s->in, *out = s->out;

        s->hash_in = sha256_free(s->hash_in); /* both are the other side's work */
        s->hash_out = sha256_free(s->hash_out);
        s->filled = ring;
        int r = fill_ring(s, reterr);
        s->filled = NULL;
        s->in = in;
        s->out = out;
        if (ring_end(ring, MIN(r, 0)) >= 0 && r < 0)
                (void) wire_send_result(ring->socket, r, reterr);
        return r;
}

void stream_take_ring(Stream *s, Ring *ring) {
        s->ring = ring;
        free(TAKE_PTR(s->inflate));
        free(TAKE_PTR(s->in));
}

void stream_hash_apart(Stream *s, Ring *ring) {
        assert(s->ring && s->hash_out);
        s->hash_out = sha256_free(s->hash_out);
        s->apart = ring;
        free(TAKE_PTR(s->out));
}

uint64_t stream_size_in(const Stream *s) {
        return s->n_in;
}

Compression stream_compression(const Stream *s) {
        return s->compression;
}

void stream_set_tap(Stream *s, void (*tap)(void *data, const void *bytes, size_t size), void *data) {
        s->tap = tap;
        s->tap_data = data;
}
