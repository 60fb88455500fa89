/* SPDX-License-Identifier: Apache-2.0 */
/* Images into files: an OCI layout as an archive or a directory, or what `docker load` reads. Layers are written
 * uncompressed, byte for byte what they were (record.h), so that a saved image that is loaded again is the same image. */
#pragma once

#include "image/stage.h"

typedef enum SaveFormat {
        SAVE_DOCKER_ARCHIVE,
        SAVE_OCI_ARCHIVE,
        SAVE_OCI_DIRECTORY,
        _SAVE_FORMAT_MAX,
        _SAVE_FORMAT_INVALID = -EINVAL,
} SaveFormat;

/* "docker-archive", "oci-archive", "oci-dir" (podman-save(1)). */
SaveFormat save_format_from_string(const char *name);

/* Writes images to `path` (NULL: the standard output, which must not be a terminal). `references` are images; those behind
 * the first are further names for it unless `multiple` is set. A file that cannot be written whole is removed. */
int image_save(Stage *stage, char *const *references, bool multiple, SaveFormat format, const char *path, Error *reterr);
