/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest lists in the store: an image index that was made here (`sdpod manifest create`).
 *
 * A list is an entry of images/index.json like an image, with the media type of an index; its blob is the index. That has
 * two annotations of ours, which nobody outside sees: LIST_ID (an ID that stays while the list changes), and in an entry
 * LIST_SOURCE, the place ("docker://HOST/PATH") where an image is that is not in the store. What of the images is in the
 * store is kept as long as the list is. */
#pragma once

#include "image/layout.h"
#include "spec/digest.h"

#define LIST_ID "sdpod.list.id"
#define LIST_SOURCE "sdpod.list.source"

/* Whether the entry of index.json is a list; and the entry of a manifest or list by its digest, borrowed, NULL: none. */
bool list_entry_is_list(const json_t *entry);
const json_t *list_find_digest(const json_t *index, const char *digest);

/* Reads a list's document, checked as an index. */
int list_read(const Store *store, const char *digest, json_t **ret, Error *reterr);

/* Its ID, 64 hex digits; borrowed. */
const char *list_id(const json_t *document);

/* The manifests' array; borrowed. */
json_t *list_entries(const json_t *document);

/* Whether the manifest's blob is in the store. */
bool list_has_blob(const Store *store, const char *digest);

/* The digest of the list's image for this machine that is in the store; -ENOENT with a message where there is none. */
int list_choose(const Store *store, const json_t *document, char ret[static DIGEST_LENGTH + 1], Error *reterr);

/* Finds what a person means in the index, by name or ID: *ret is the entry, borrowed. In store.c. */
int image_store_find(const Store *store, const json_t *index, const char *reference, const json_t **ret, bool *ret_by_name, Error *reterr);

/* The info of an image by its manifest, whether index.json has it or not. In store.c. */
int image_store_load(const Store *store, const char *digest, ImageInfo *ret, Error *reterr);
