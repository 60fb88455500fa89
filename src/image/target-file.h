/* SPDX-License-Identifier: Apache-2.0 */
/* Images in files (containers-transports(5)): an OCI layout as a directory or an archive, what `docker load` reads, and the
 * plain directory of dir:. */
#pragma once

#include "image/target.h"

typedef enum FileFormat {
        FILE_DOCKER_ARCHIVE,
        FILE_OCI_ARCHIVE,
        FILE_OCI_DIRECTORY,
        FILE_DIRECTORY,      /* dir: */
        _FILE_FORMAT_MAX,
        _FILE_FORMAT_INVALID = -EINVAL,
} FileFormat;

static inline bool file_format_is_directory(FileFormat format) {
        return format == FILE_OCI_DIRECTORY || format == FILE_DIRECTORY;
}

/* `fd` is the archive or the directory, `temporary_fd` a directory for unnamed files; both borrowed. Images that an OCI layout
 * has already stay in it. */
int target_file_new(FileFormat format, int fd, int temporary_fd, Target **ret, Error *reterr);
