/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a layer's tree a tar stream again, byte for byte, so that its diff ID and with it the image's ID stay what they
 * are: all of the stream but the contents of files, which are in the tree.
 *
 * The form: the line "sdpod-tar-1", then segments, the whole as zstd. A segment is 'L', a length of 4 bytes (little-endian)
 * and as many literal bytes; or 'F', a size of 8 bytes, a length of 4 bytes and a path: the contents of that file. */
#pragma once

#include "image/stream.h"

typedef struct RecordWriter RecordWriter;

/* Writes to `fd`, which is borrowed. */
int record_writer_new(int fd, RecordWriter **ret, Error *reterr);
RecordWriter *record_writer_free(RecordWriter *writer);
DEFINE_CLEANUP(RecordWriter, record_writer_free)
#define _cleanup_record_writer_ _cleanup_(record_writer_freep)

/* Bytes of the stream, in order: for stream_set_tap(). */
void record_writer_tap(void *writer, const void *bytes, size_t size);

/* The next `size` bytes of the stream are the contents of the file `path`. */
void record_writer_file(RecordWriter *writer, const char *path, uint64_t size);

/* Ends it. Returns 0, or the first fault that there was. */
int record_writer_finish(RecordWriter *writer, Error *reterr);

/* Takes the next bytes of a stream; 0 or -errno. */
typedef int RecordWrite(void *data, const void *bytes, size_t size);

/* Gives the stream that the record describes to `write`, with files from `root_fd`. */
int record_replay(Stream *record, int root_fd, RecordWrite *write, void *data, Error *reterr);
