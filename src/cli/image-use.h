/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers use which images: read from the containers' records. */
#pragma once

#include "image/remove.h"

/* All containers of the store with what they were made from; image_use_free_many() frees them. A record that cannot be
 * read might use anything, and is an error. */
int image_uses(const Store *store, ImageUse **ret, size_t *ret_n, Error *reterr);

/* How many of them use this image. */
size_t image_uses_count(const ImageUse *uses, size_t n, const char *image_id) _pure_;
