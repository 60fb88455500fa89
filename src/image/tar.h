/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: ustar and pax (POSIX.1-2008, pax), GNU long names, base-256 numbers and sparse files.
 *
 * Theory of operation. The reader is our own, over a Stream, because names must stay the bytes that they are: libarchive
 * 3.6 puts the names of pax headers through the locale (a decomposed e and acute came out as one letter, and in the C
 * locale a name was refused), and because the exact position of every byte is known, which finding a member in an
 * archive of images and writing the same archive again both need. Nothing in a header is trusted: every length has a
 * limit of limits.h, numbers must be whole, and the checksum must fit. */
#pragma once

#include "image/stream.h"

typedef struct TarXattr {
        char *name;
        uint8_t *value;
        size_t size;
} TarXattr;

typedef struct TarExtent {
        uint64_t offset, size;
} TarExtent;

typedef struct TarEntry {
        char type;             /* '0' file, '1' hard link, '2' symlink, '3' character, '4' block device, '5' directory, '6' FIFO */
        char *path, *link;     /* as they stand there; the link is NULL unless '1' or '2' */
        uint32_t mode;         /* 07777 */
        uint64_t uid, gid;
        uint64_t size;         /* of the file; the bytes in the archive are fewer in a sparse one */
        uint64_t stored;       /* bytes of data in the archive */
        int64_t mtime;
        uint32_t mtime_nsec;
        uint32_t major, minor;
        TarXattr *xattrs;
        size_t n_xattrs;
        TarExtent *extents;    /* NULL: not sparse */
        size_t n_extents;
} TarEntry;

typedef struct TarReader TarReader;

/* The stream is borrowed. */
TarReader *tar_reader_new(Stream *stream); /* NULL: out of memory */
TarReader *tar_reader_free(TarReader *reader);
DEFINE_CLEANUP(TarReader, tar_reader_free)
#define _cleanup_tar_reader_ _cleanup_(tar_reader_freep)

/* Goes to the next entry, passing over what is left of this one: 1 and *ret (borrowed until the next call), or 0 at the
 * end of the archive. */
int tar_reader_next(TarReader *reader, const TarEntry **ret, Error *reterr);

/* The next piece of the entry's data and its place in the file; *ret_size is 0 at the end. It stays until the next call. */
int tar_reader_data(TarReader *reader, const uint8_t **ret, size_t *ret_size, uint64_t *ret_offset, Error *reterr);
