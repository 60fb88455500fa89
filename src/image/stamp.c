/* SPDX-License-Identifier: Apache-2.0 */
/* A second look at the list of images, which costs a stat(2) where nothing has changed. */
#include "image/stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"

ImageStamp image_store_stamp(const Store *store) {
        struct stat st;

        if (fstatat(store->data_fd, "images/index.json", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return (ImageStamp){};
        return (ImageStamp){ .inode = st.st_ino, .size = (uint64_t) st.st_size, .seconds = st.st_mtim.tv_sec, .nanoseconds = st.st_mtim.tv_nsec };
}

bool image_store_has_changed(const Store *store, const ImageStamp *since) {
        const ImageStamp now = image_store_stamp(store);

        return now.inode != since->inode || now.size != since->size || now.seconds != since->seconds || now.nanoseconds != since->nanoseconds;
}

int image_store_still_has(const Store *store, const char *reference, const char *id, Error *reterr) {
        const char *const words[] = { reference, id }; /* the word may stand for another one now; what a list chose has only the word */

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_image_info_ ImageInfo info = {};
                _cleanup_error_ Error error = ERROR_NULL;
                int r = words[i] ? image_store_resolve(store, words[i], &info, &error) : -ENOENT;

                if (r >= 0 && str_equal(info.id, id))
                        return 1;
                if (r < 0 && r != -ENOENT && i > 0)
                        return error_move(reterr, &error);
        }
        return 0;
}
