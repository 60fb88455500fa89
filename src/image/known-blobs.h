/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer has become when it was pushed: layers/HEX/blobs.json. Compressing it again is then not needed to know that a
 * registry has it, and another repository of the registry can give it. Losing the file costs time and nothing else. */
#pragma once

#include "image/stream.h"
#include "state/store.h"

typedef struct KnownBlob {
        char *digest;
        int64_t size, level;
        char *compression;       /* compression_to_string() */
        char **repositories;     /* "HOST/PATH" that had it, newest last */
} KnownBlob;

typedef struct KnownBlobs {
        KnownBlob *items;
        size_t n_items;
} KnownBlobs;

void known_blobs_done(KnownBlobs *blobs);
#define _cleanup_known_blobs_ _cleanup_(known_blobs_done)

/* None where there is no such file, or none that can be read: it is an aid only. */
void known_blobs_load(const Store *store, const char *diff_id, KnownBlobs *ret);

/* The blob with this digest; NULL: it is not known. Borrowed. */
const KnownBlob *known_blobs_find(const KnownBlobs *blobs, const char *digest);

/* Writes down that the layer, compressed so, is this blob, and that the repository has it. */
void known_blobs_note(const Store *store, const char *diff_id, const char *digest, uint64_t size, Compression compression, int level,
                      const char *repository);
