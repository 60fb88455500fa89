/* SPDX-License-Identifier: Apache-2.0 */
/* Where the images of a manifest list come from, and what the list looks like outside of the store. */
#pragma once

#include "image/list.h"
#include "image/push.h"

/* Appends to `entries` a list's entry for the image that a word names: of the store, or of a registry ("docker://..."; also
 * where the store has none of that name). Of a list that is named so, the entry for this machine, or with `all` all of them. */
int list_source_entries(Stage *stage, const char *word, const RegistryOptions *registry, bool all, json_t *entries, Error *reterr);

/* The manifest or index that a registry has under a name. */
int list_source_document(const char *word, const RegistryOptions *registry, json_t **ret, Error *reterr);

/* Copies an image that is not in the store from the registry that its entry names. The blobs stay what they are. */
int list_source_copy(const json_t *entry, const RegistryOptions *registry, PushTarget *target, CopyResult *ret, Error *reterr);

/* The list as others see it, without what is ours, as OCI's or Docker's; MANIFEST_AS_IS: Docker's if all of its images are of
 * that type and it has no annotations. New reference. */
int list_export(const json_t *document, ManifestType type, json_t **ret, Error *reterr);
