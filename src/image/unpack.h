/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's tar stream becomes a directory tree that overlay takes as a lower layer (image-spec, layer.md).
 *
 * Theory of operation. It runs in a process of its own whose root directory is the layer's (sandbox.h), and would stay
 * inside without that: each entry's parent is opened below the root without following any symlink, and everything is done
 * to a single name in that parent. An archive that goes through a symlink of its own, out by "..", or links to what is not
 * there is refused as a whole. A leading slash means nothing. An entry that comes again replaces the first.
 *
 * Whiteouts become what overlay knows: ".wh.NAME" a character device 0:0, ".wh..wh..opq" the attribute
 * user.overlay.opaque of its directory (the overlay is always mounted with userxattr; fuse-overlayfs reads both).
 * A device 0:0 that is in the archive itself is left out, and so is, without the privilege to make it, any other device.
 * Attributes of the names user.*, and security.capability, are kept; those that steer overlay, trusted.* and others of
 * security.* and system.* are left out. */
#pragma once

#include "image/stream.h"

typedef struct UnpackOptions {
        uint64_t size_limit;        /* bytes of all files */
        uint64_t n_uids, n_gids;    /* IDs that can be given to files here: 0 to n - 1 */
        bool devices;               /* device nodes can be made */
        int record_fd;              /* where the layer's record goes; -EBADF: nowhere */
} UnpackOptions;

typedef struct UnpackResult {
        char digest[DIGEST_LENGTH + 1], diff_id[DIGEST_LENGTH + 1]; /* of the bytes as they came, and decompressed */
        uint64_t size_in, size_out; /* bytes of both */
        uint64_t n_entries, n_devices_skipped, n_xattrs_skipped;
        uint64_t n_shareable;       /* files that are large enough for share.h */
        bool exact;                 /* the record and the tree make the same stream again */
} UnpackResult;

/* Unpacks into the directory `root_fd`, which is empty. The stream must have STREAM_HASH. umask(2) must be 0. */
int unpack_layer(int root_fd, Stream *stream, const UnpackOptions *options, UnpackResult *ret, Error *reterr);
