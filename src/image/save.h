/* SPDX-License-Identifier: Apache-2.0 */
/* Images into files: an OCI layout as an archive or a directory, what `docker load` reads, or a directory of dir:. Layers are
 * written byte for byte what they were (record.h), so that a saved image that is loaded again is the same image. */
#pragma once

#include "image/copy.h"
#include "image/target-file.h"

/* "docker-archive", "oci-archive", "oci-dir", "docker-dir" (podman-save(1)). */
FileFormat save_format_from_string(const char *name);

typedef struct SaveOptions {
        FileFormat format;
        const char *path;    /* NULL: the standard output, which must not be a terminal */
        bool multiple;       /* the words behind the first are images; else names for it */
        CopyOptions copy;
} SaveOptions;

/* Writes images. A file that cannot be written whole is removed. */
int image_save(Stage *stage, char *const *references, const SaveOptions *options, Error *reterr);

/* Opens where an image in this format goes; a descriptor. A directory is made where there is none. */
int save_open(const char *path, FileFormat format, Error *reterr);

/* After a fault: half an archive is none. What is no regular file (/dev/stdout, a FIFO) stays. */
void save_discard(int fd, const char *path, FileFormat format);
