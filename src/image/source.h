/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image is loaded from: a directory, or an archive whose members are read in place. Members of an archive lie in
 * one file, at an offset; an archive that is compressed or comes through a pipe is first written to an unnamed temporary
 * file, by a sandboxed worker. */
#pragma once

#include "image/stage.h"

typedef struct SourceMember {
        char *name;          /* without a leading "./" */
        char *link;          /* of a symlink or hard link; NULL: a file */
        uint64_t offset, size;
} SourceMember;

typedef struct Source {
        int fd;              /* the directory, or the archive */
        bool directory;
        SourceMember *members; /* of an archive, sorted by name */
        size_t n_members;
} Source;

#define SOURCE_NULL ((Source){ .fd = -EBADF })

/* One file of it. */
typedef struct SourceFile {
        int fd;              /* borrowed from the source if `borrowed` */
        bool borrowed;
        uint64_t offset, size;
} SourceFile;

#define SOURCE_FILE_NULL ((SourceFile){ .fd = -EBADF })

/* Opens `path` (NULL: the standard input). */
int source_open(const char *path, const Stage *stage, Source *ret, Error *reterr);
void source_done(Source *source);
#define _cleanup_source_ _cleanup_(source_done)

/* Opens `path` (NULL: the standard input) as one stream of bytes that can be positioned: a compressed file stays what it
 * is, what comes through a pipe goes to a temporary file. */
int source_open_file(const char *path, const Stage *stage, SourceFile *ret, Error *reterr);

/* The same of all that comes from a descriptor, kept in a temporary file. */
int source_take_stream(int fd, const Stage *stage, SourceFile *ret, Error *reterr);

/* Finds a file: regular, reached without leaving the directory or following its symlinks; links inside an archive are
 * followed there. -ENOENT without a message where there is none. */
int source_find(const Source *source, const char *name, SourceFile *ret, Error *reterr);
void source_file_done(SourceFile *file);
#define _cleanup_source_file_ _cleanup_(source_file_done)

/* Reads a whole small file, and hashes it where `digest` is not NULL: it must be that, and `size` bytes long unless -1. */
int source_read(const Source *source, const char *name, size_t limit, const char *digest, int64_t size, char **ret,
                size_t *ret_size, Error *reterr);
