/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a layer: decompressed, read as a tar archive to the end, every name normalised as unpacking does it. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "image/archive-library.h"
#include "image/tar.h"
#include "image/unpack-dir.h"

/* Headers get the checksum that they should have: no engine guesses it. */
static void mend(uint8_t *data, size_t size) {
        for (size_t at = 0; at + 512 <= size; at += 512) {
                uint8_t *block = data + at;
                char text[8];
                unsigned sum = 0;

                if (memcmp(block + 257, "ustar", 5) != 0)
                        continue;
                memset(block + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += block[i];
                (void) snprintf(text, sizeof(text), "%06o", sum);
                memcpy(block + 148, text, 7);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        _cleanup_free_ uint8_t *data = malloc(size + 1);
        _cleanup_fd_ int fd = -EBADF;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_tar_reader_ TarReader *reader = NULL;
        const TarEntry *entry;

        if (!data || archive_library_load(NULL) < 0)
                return 0;
        memcpy(data, bytes, size);
        mend(data, size);
        fd = io_memfd("fuzz", data, size);
        if (fd < 0 || stream_open(fd, 0, size, 1 << 26, STREAM_HASH, &stream, NULL) < 0 || !(reader = tar_reader_new(stream)))
                return 0;
        while (tar_reader_next(reader, &entry, NULL) > 0) {
                _cleanup_free_ char *path = NULL;
                uint64_t end = 0;

                (void) unpack_dir_normalise(entry->path, &path, NULL);
                for (;;) {
                        const uint8_t *p;
                        uint64_t offset;
                        size_t n;

                        if (tar_reader_data(reader, &p, &n, &offset, NULL) < 0 || n == 0)
                                break;
                        /* pieces come in order, and none reaches beyond the file */
                        if (offset < end || n > entry->size || offset > entry->size - n)
                                __builtin_trap();
                        end = offset + n;
                }
        }
        (void) stream_finish(stream, NULL);
        return 0;
}
