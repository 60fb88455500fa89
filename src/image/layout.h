/* SPDX-License-Identifier: Apache-2.0 */
/* The images on disk: data/images is an OCI image layout (image-spec, image-layout.md). index.json holds one descriptor
 * for each name of an image, annotated with the full name, and one without the annotation for an image that has none.
 * Blobs are manifests and image configs; layers are kept unpacked, see docs/STATE.md. Readers take no lock: index.json is
 * replaced whole. Writers hold images.lock. */
#pragma once

#include "image/store.h"
#include "spec/manifest.h"

enum { LAYOUT_INDEX_LIMIT = 64 * 1024 * 1024 };

/* Opens data/images, making the directories and oci-layout where missing; a descriptor or -errno. Under images.lock: who
 * holds that removes temporary files. */
int layout_open(const Store *store, Error *reterr);

/* Takes images.lock, waiting for it; the lock goes with the descriptor. */
int layout_lock(const Store *store, Error *reterr);

/* Reads index.json (an empty index where it is missing) and checks every descriptor's digest. */
int layout_load(const Store *store, json_t **ret, Error *reterr);
int layout_save(int images_fd, const json_t *index, Error *reterr);

/* index.json while it is changed: under images.lock, with data/images open. */
typedef struct LayoutEdit {
        int lock_fd, images_fd;
        json_t *index;
} LayoutEdit;

#define LAYOUT_EDIT_NULL ((LayoutEdit){ .lock_fd = -EBADF, .images_fd = -EBADF })

/* Takes the lock and reads what is there; the lock goes with layout_edit_done(), which writes nothing. */
int layout_edit_open(const Store *store, LayoutEdit *ret, Error *reterr);
int layout_edit_save(const LayoutEdit *edit, Error *reterr);
void layout_edit_done(LayoutEdit *edit);
#define _cleanup_layout_edit_ _cleanup_(layout_edit_done)

/* On a full disk: lets go of what layout_save() has put by. Whether there was something; then the write is worth another try. */
bool layout_use_reserve(int images_fd);

/* The manifests' array; borrowed. */
json_t *layout_entries(const json_t *index);

/* The entry of a full name, borrowed; NULL: there is none. */
const json_t *layout_find_name(const json_t *index, const char *name);

/* What an entry says; borrowed. The name is NULL where the image has none. */
const char *layout_entry_digest(const json_t *entry);
const char *layout_entry_name(const json_t *entry);

/* The digest of the index that it was chosen from; NULL: of none. Names of the form "NAME@sha256:..." may have that. */
const char *layout_entry_index_digest(const json_t *entry);
int layout_set_index_digest(json_t *index, const char *digest, const char *index_digest, Error *reterr);

/* Adds a name (NULL: none) for the manifest: a name that another image holds moves, and an entry without a name is not
 * kept beside one with a name. */
int layout_add(json_t *index, const char *digest, int64_t size, const char *media_type, const char *name, Error *reterr);

/* Removes entries by name or, for a NULL name, by digest. Returns how many went. */
size_t layout_remove(json_t *index, const char *digest, const char *name);

/* Reads a manifest or an image config by digest: JSON of at most MANIFEST_SIZE_LIMIT bytes. */
int layout_read_blob(const Store *store, const char *digest, json_t **ret, Error *reterr);
int layout_read_manifest(const Store *store, const char *digest, Manifest *ret, Error *reterr);
