/* SPDX-License-Identifier: Apache-2.0 */
/* The names that an image has had: images/names.json, an object of lists by the manifest's digest, the newest name first. It is only
 * for people to read; where it cannot be written or is damaged, nothing else suffers. */
#pragma once

#include "image/store.h"

/* Notes the names in the index, and forgets manifests that are not in it. Under images.lock, by layout_save(). */
void names_history_note(int images_fd, const json_t *index);

/* Whether the file is as it was written, or not there: 0, or -errno (-EBADMSG: it has changed). */
int names_history_check(const Store *store);

/* Reads all of it. A new reference; never NULL but when out of memory. */
json_t *names_history_read(const Store *store);

/* Of one image: those that it has had, and those that it has; a vector (NULL: none, or out of memory). */
char **names_history_of(const json_t *history, const ImageInfo *image);
