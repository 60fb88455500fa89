/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a pax extended header: "LENGTH KEY=VALUE\n" (POSIX.1-2008, pax, "pax Extended Header"). */
#pragma once

#include "image/tar.h"

typedef enum TarPaxField {
        TAR_PAX_SIZE = 1 << 0,
        TAR_PAX_UID = 1 << 1,
        TAR_PAX_GID = 1 << 2,
        TAR_PAX_MTIME = 1 << 3,
} TarPaxField;

typedef struct TarPax {
        unsigned given;            /* which of the numbers were there */
        char *path, *link;         /* also by GNU's 'L' and 'K' headers */
        uint64_t size, uid, gid;
        int64_t mtime;
        uint32_t mtime_nsec;
        TarXattr *xattrs;          /* SCHILY.xattr.NAME */
        size_t n_xattrs;
        bool sparse;               /* one of GNU's sparse formats 0.0, 0.1, 1.0 */
        char *sparse_name;
        uint64_t sparse_major, sparse_size;
        uint64_t *sparse_map;      /* offset, size, offset, size, ... */
        size_t n_sparse_map;
} TarPax;

/* Takes the records of one header in; those that mean nothing here (atime, user names, comments) are passed over. `body`
 * is followed by a NUL. */
int tar_pax_parse(TarPax *pax, const char *body, size_t size, Error *reterr);
void tar_pax_done(TarPax *pax);
