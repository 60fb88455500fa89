/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of a layer that is being unpacked: entering the one an entry belongs to, replacing what is in the way,
 * and their times, which can only be set when nothing more is put into them. */
#pragma once

#include <stdint.h>

#include "base/error.h"

typedef struct UnpackDir {
        int root_fd;          /* borrowed */
        int fd;               /* the directory entered last; -EBADF: none */
        char *path;           /* its path */
        char *entry;          /* the whole path of the last entry, for its times */
        char *times;          /* packed: a TimesHeader and the path, one after the other */
        size_t times_size, times_room;
        bool replaced;        /* something that had contents was removed for what came later */
} UnpackDir;

#define UNPACK_DIR_NULL(root) { .root_fd = (root), .fd = -EBADF }

void unpack_dir_done(UnpackDir *dir);

/* A path of an archive as one that is relative, without "." and empty components; "" is the root. Refused: "..", paths
 * too long or too deep, and whiteout names in the middle. */
int unpack_dir_normalise(const char *path, char **ret, Error *reterr);

/* Opens the parent of a normalised path, making missing directories (root's, 0755); *ret_name is the last component, in
 * `path`. Borrowed until the next call. */
int unpack_dir_enter(UnpackDir *dir, const char *path, const char **ret_name, Error *reterr);

/* Opens the parent of a normalised path without making anything; an owned descriptor or -errno. */
int unpack_dir_open_parent(const UnpackDir *dir, const char *path, const char **ret_name);

/* Makes a directory. One that is there stays; in the place of a whiteout it is opaque; anything else is replaced, or
 * refused. */
int unpack_dir_make(UnpackDir *dir, int parent, const char *name, bool replace, Error *reterr);

/* Removes what has this name, with all below it. */
int unpack_dir_clear(UnpackDir *dir, int parent, const char *name, Error *reterr);

/* Hides what lower layers have in the directory. */
int unpack_dir_make_opaque(int fd, Error *reterr);

/* Keeps the times of the directory that was entered last by unpack_dir_enter() with its own path; and sets all of them. */
int unpack_dir_remember_times(UnpackDir *dir, int64_t mtime, uint32_t nsec, Error *reterr);
int unpack_dir_set_times(UnpackDir *dir, Error *reterr);
