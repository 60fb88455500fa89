/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tar archives: ustar, with pax headers for what does not fit (POSIX.1-2008, pax). The same entries always give the
 * same bytes: names of users, access times and the like are not written. */
#pragma once

#include "image/tar.h"

typedef struct TarWriter {
        int fd;              /* borrowed */
        char *buffer;        /* owned; TAR_WRITE_BUFFER bytes */
        size_t used;
} TarWriter;

enum { TAR_WRITE_BUFFER = 256 * 1024 };

/* Makes the buffer; the descriptor stays the caller's. */
int tar_writer_open(TarWriter *writer, int fd, Error *reterr);
void tar_writer_done(TarWriter *writer);
#define _cleanup_tar_writer_ _cleanup_(tar_writer_done)

/* The header of an entry; entry->size bytes of data follow for a file. Modification times are whole seconds. */
int tar_write_header(TarWriter *writer, const TarEntry *entry, Error *reterr);
int tar_write_data(TarWriter *writer, const void *data, size_t size, Error *reterr);

/* Fills the last block of a file of that size. */
int tar_write_padding(TarWriter *writer, uint64_t size, Error *reterr);

/* The end of the archive. */
int tar_write_end(TarWriter *writer, Error *reterr);
