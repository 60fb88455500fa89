/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger's image may ask for, at most. */
#pragma once

#include <stdint.h>

enum {
        IMAGE_PATH_LIMIT = 4096,               /* bytes of a path in a layer: PATH_MAX */
        IMAGE_DEPTH_LIMIT = 512,               /* components of it */
        IMAGE_LINK_LIMIT = 4095,               /* bytes of a symlink's text */
        IMAGE_HEADER_LIMIT = 1024 * 1024,      /* bytes of one extended tar header: names, xattrs */
        IMAGE_SPARSE_LIMIT = 65536,            /* pieces of a sparse file */
        IMAGE_ENTRIES_LIMIT = 8 * 1024 * 1024, /* entries of a layer */
        IMAGE_DIRS_LIMIT = 64 * 1024 * 1024,   /* bytes of directory names kept to set their times last */
        IMAGE_MEMBERS_LIMIT = 100000,          /* files of an archive of images */
        IMAGE_MEMBER_NAMES_LIMIT = 16 * 1024 * 1024, /* bytes of their names */
        IMAGE_INDEX_DEPTH_LIMIT = 3,           /* an index in an index in an index */
        IMAGE_LARGE_SIZE = 32 * 1024 * 1024,   /* bytes of a compressed layer from which on it is hashed by a process that does nothing else */
        IMAGE_WORKERS_LIMIT = 4,               /* layers unpacked at once, and no more than processors */
};

#define IMAGE_LAYER_SIZE_LIMIT (64ULL * 1024 * 1024 * 1024) /* bytes of a layer unpacked: max_layer_size */
#define IMAGE_FREE_RESERVE (1024ULL * 1024 * 1024) /* left free on the disk, or a sixteenth of what is free if that is less */
#define IMAGE_MEMORY_LIMIT (1024ULL * 1024 * 1024) /* address space of an unpacking process */
