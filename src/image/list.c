/* SPDX-License-Identifier: Apache-2.0 */
/* Reading manifest lists. */
#include "image/list.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "spec/digest.h"

static bool is_index_type(const char *type) {
        return str_equal(type, MEDIA_TYPE_OCI_INDEX) || str_equal(type, MEDIA_TYPE_DOCKER_INDEX);
}

bool list_entry_is_list(const json_t *entry) {
        return is_index_type(json_get_string(entry, "mediaType"));
}

const json_t *list_find_digest(const json_t *index, const char *digest) {
        const json_t *entry;
        size_t i;

        json_array_foreach(layout_entries(index), i, entry)
                if (str_equal(layout_entry_digest(entry), digest))
                        return entry;
        return NULL;
}

json_t *list_entries(const json_t *document) {
        return json_object_get(document, "manifests");
}

const char *list_id(const json_t *document) {
        return json_get_string(json_object_get(document, "annotations"), LIST_ID);
}

int list_read(const Store *store, const char *digest, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *document = NULL;
        _cleanup_index_ Index index = {};

        int r = layout_read_blob(store, digest, &document, reterr);
        if (r >= 0)
                r = index_load(document, digest, &index, reterr);
        if (r >= 0 && !digest_hex_is_valid(list_id(document) ?: ""))
                r = error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has no ID", digest);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read manifest list '%s'", digest);
        *ret = TAKE_PTR(document);
        return 0;
}

bool list_has_blob(const Store *store, const char *digest) {
        char path[32 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(digest));
        return faccessat(store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

int list_choose(const Store *store, const json_t *document, char ret[static DIGEST_LENGTH + 1], Error *reterr) {
        _cleanup_index_ Index index = {};
        const Descriptor *chosen;

        int r = index_load(document, "the manifest list", &index, reterr);
        if (r < 0)
                return r;
        chosen = index_choose(&index, /* architecture= */ NULL);
        if (!chosen)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "the manifest list has no image for linux/%s", platform_host_architecture());
        if (!list_has_blob(store, chosen->digest))
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "the image of the manifest list for linux/%s is not in the store",
                                 platform_host_architecture());
        (void) stpcpy(ret, chosen->digest);
        return 0;
}
