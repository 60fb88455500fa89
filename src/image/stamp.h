/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image that was looked up is still in the list. Containers are made without the lock of those who remove images: they look
 * again once their record can be seen. */
#pragma once

#include "image/store.h"

/* The list of images as it is at a moment: whoever has looked something up in it can ask later whether it is still the same. */
typedef struct ImageStamp {
        uint64_t inode, size;
        int64_t seconds, nanoseconds;
} ImageStamp;

ImageStamp image_store_stamp(const Store *store);
bool image_store_has_changed(const Store *store, const ImageStamp *since);

/* Whether the image with this ID, which that word stood for, is still here: 1 or 0, or -errno. */
int image_store_still_has(const Store *store, const char *reference, const char *id, Error *reterr);
