/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are here: finding one by what a person writes, listing, naming. What every `sdpod run` goes through, so it
 * links neither libarchive nor libcrypto: digests were checked when the image came in. */
#pragma once

#include "spec/image-config.h"
#include "state/store.h"

typedef struct ImageInfo {
        char *name;          /* the full name it was found by, "docker.io/library/busybox:latest"; found by ID: its first
                              * name; NULL: it has none */
        bool found_by_name;  /* not by ID or digest */
        char **names;        /* all of them, "REPOSITORY:TAG" or "REPOSITORY@DIGEST"; NULL: none */
        char *id;            /* 64 hex digits: the digest of the image config */
        char *digest;        /* "sha256:...", of the manifest */
        char **digests;      /* of all manifests that have this config, `digest` among them; only by image_store_list() and
                              * image_store_resolve_whole() */
        char **repo_digests; /* "docker.io/library/busybox@sha256:...": of the manifest and of the index that it came from, in
                              * each repository that it has a name in; NULL: none */
        char *manifest_type; /* media type */
        char **annotations;  /* of the manifest, pairs */
        char **layers;       /* diff IDs, lowest first */
        bool list;           /* a manifest list: no layers, an empty config; only by image_store_list() */
        uint64_t blobs_size; /* bytes of manifest and config */
        uint64_t size;       /* those and the bytes of all layers' tar streams; only by image_store_list() and image_store_measure() */
        ImageConfig config;
} ImageInfo;

void image_info_done(ImageInfo *info);
#define _cleanup_image_info_ _cleanup_(image_info_done)

/* Finds an image by a full or short name ("busybox", "localhost/web:1", "library/busybox": localhost/ comes first, then
 * docker.io/, then the only stored image whose last components match), "NAME@sha256:...", an ID, or an ID prefix that
 * only one image has. -ENOENT: there is none (ERROR_NOT_FOUND); -EINVAL: not a name, or ambiguous. Its layers are
 * complete: what is listed always is. */
int image_store_resolve(const Store *store, const char *reference, ImageInfo *ret, Error *reterr);

/* Whether that word names a manifest list: 1 or 0, or as image_store_resolve(), which gives the list's image for this machine. */
int image_store_is_list(const Store *store, const char *reference, Error *reterr);

/* The same as image_store_resolve(), with the names and digests of all manifests of this image: one image may have come in several forms. Reads every
 * manifest of the store, so it is not for the way to a container's start. */
int image_store_resolve_whole(const Store *store, const char *reference, ImageInfo *ret, Error *reterr);

/* The repository of a stored name. Owned; NULL: out of memory. */
char *image_name_repository(const char *name);

/* All images and manifest lists, each once, newest first. An image whose blobs are damaged is left out with a warning. */
int image_store_list(const Store *store, ImageInfo **ret, size_t *ret_n, Error *reterr);
void image_info_free_many(ImageInfo *infos, size_t n);

/* Fills info->size from the layers' records. */
int image_store_measure(const Store *store, ImageInfo *info, Error *reterr);

/* Bytes of a layer's tar stream, from its record. */
int image_layer_size(const Store *store, const char *diff_id, uint64_t *ret, Error *reterr);

/* Gives the image a further name (short: below localhost); a name that another image has moves. */
int image_store_tag(const Store *store, const char *reference, const char *name, Error *reterr);

/* Takes names away: those in `names`, or all where that is empty. The image stays. */
int image_store_untag(const Store *store, const char *reference, char *const *names, Error *reterr);

/* Makes the path of a layer's tree below the data directory, "layers/HEX/diff", from its diff ID. */
enum { IMAGE_LAYER_PATH_SIZE = 80 };
void image_layer_path(const char *diff_id, char ret[static IMAGE_LAYER_PATH_SIZE]);
