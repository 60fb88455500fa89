/* SPDX-License-Identifier: Apache-2.0 */
/* A stored manifest with other blobs for its layers, or of the other type (image-spec, manifest.md; Docker's schema 2). */
#pragma once

#include "image/stream.h"
#include "spec/manifest.h"

typedef enum ManifestType {
        MANIFEST_AS_IS,
        MANIFEST_OCI,
        MANIFEST_DOCKER,
} ManifestType;

/* "oci", "v2s2"; -EINVAL for others. */
ManifestType manifest_type_from_string(const char *name) _pure_;

/* A layer as it is in the new place. */
typedef struct PlacedLayer {
        char digest[DIGEST_LENGTH + 1];
        uint64_t size;
        Compression compression;
        bool same;           /* the blob that the manifest names: nothing of its descriptor changes but the type */
} PlacedLayer;

/* The compression that a layer's media type says; COMPRESSION_NONE where it says none. */
Compression compression_from_media_type(const char *media_type) _pure_;

typedef struct EditedManifest {
        char *bytes;            /* owned */
        size_t size;
        const char *media_type; /* static */
} EditedManifest;

static inline void edited_manifest_done(EditedManifest *manifest) {
        free(manifest->bytes);
}
#define _cleanup_edited_manifest_ _cleanup_(edited_manifest_done)

/* Puts the layers in, and the type. The image config stays what it is, and so does the image's ID. What Docker's schema
 * cannot say (zstd) is -EOPNOTSUPP; its lack of annotations drops them. Where nothing changes the bytes are those of the old one. */
int manifest_edit(const char *bytes, size_t size, const PlacedLayer *layers, size_t n_layers, ManifestType type, EditedManifest *ret,
                  Error *reterr);
