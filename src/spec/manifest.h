/* SPDX-License-Identifier: Apache-2.0 */
/* Image manifests and image indexes (image-spec, manifest.md and image-index.md; Docker's schema 2 has the same form). */
#pragma once

#include "spec/descriptor.h"

enum {
        MANIFEST_SIZE_LIMIT = 4 * 1024 * 1024, /* bytes of a manifest, an index or an image config */
        MANIFEST_LAYERS_LIMIT = 500,           /* the kernel's overlay takes as many lower layers */
        MANIFEST_INDEX_LIMIT = 10000,
};

#define MEDIA_TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"

typedef struct Manifest {
        char *media_type;   /* NULL: not said (OCI's may be) */
        char **annotations; /* pairs */
        Descriptor config;
        Descriptor *layers; /* lowest first */
        size_t n_layers;
} Manifest;

typedef struct Index {
        Descriptor *manifests;
        size_t n_manifests;
} Index;

/* Whether the document lists manifests and so is an index. A document that could be read as both a manifest and an index
 * is refused (CVE-2021-41190): *ret_index is only set on success. */
int manifest_probe(const json_t *json, const char *what, bool *ret_index, Error *reterr);

int manifest_load(const json_t *json, const char *what, Manifest *ret, Error *reterr);
void manifest_done(Manifest *manifest);
#define _cleanup_manifest_ _cleanup_(manifest_done)

int index_load(const json_t *json, const char *what, Index *ret, Error *reterr);
void index_done(Index *index);
#define _cleanup_index_ _cleanup_(index_done)

/* The entry that runs on this machine: linux and `architecture` (NULL: the host's); the only entry where it names no
 * platform. Borrowed; NULL where there is none. */
const Descriptor *index_choose(const Index *index, const char *architecture) _pure_;
