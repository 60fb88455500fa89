/* SPDX-License-Identifier: Apache-2.0 */
/* A tar stream becomes files in a directory that is in use: on the host, or in a container whose processes may be hostile. */
#pragma once

#include "image/stream.h"

typedef struct ExtractOptions {
        int base_fd;             /* the directory; borrowed */
        int root_fd;             /* of the container: symlinks on the way to a file's directory are followed below it. AT_FDCWD: on the host,
                                  * where none is */
        const char *base_path;   /* of the directory below root_fd */
        const char *file_name;   /* the archive is one file, which gets this name; NULL: it is a tree */
        bool fresh;              /* the directory was made for this: it gets the attributes of the archive's root */
        bool overwrite;          /* directories and others replace each other */
        bool own;                /* all files get `uid` and `gid` */
        bool keep_owners;        /* files get the owners of the archive; neither: those of who runs this */
        uid_t uid;
        gid_t gid;
} ExtractOptions;

/* Extracts all of it. Names that lead out of the directory are refused. A file is written under another name and renamed into
 * place: what was there is whole until then, and no link is followed. */
int extract_stream(Stream *stream, const ExtractOptions *options, Error *reterr);
