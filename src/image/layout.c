/* SPDX-License-Identifier: Apache-2.0 */
/* index.json and the small blobs. */
#include "image/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "image/names-history.h"
#include "spec/digest.h"

#define ANNOTATION_INDEX_DIGEST "sdpod.index.digest" /* our own, in index.json alone */

#define LAYOUT_RESERVE "reserve"
enum { LAYOUT_RESERVE_SIZE = 256 * 1024 };

static const char layout_text[] = "{\"imageLayoutVersion\":\"1.0.0\"}\n";

int layout_open(const Store *store, Error *reterr) {
        _cleanup_fd_ int fd = store_open_data(store, "images", reterr);

        if (fd < 0)
                return fd;
        int r = path_mkdirs_in_root(fd, "blobs/sha256", 0700, (uid_t) -1, (gid_t) -1);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the directory '%s/images/blobs/sha256'", store->data_path);
        (void) fd_close(r);
        if (faccessat(fd, "oci-layout", F_OK, 0) < 0) {
                r = file_write_atomic(fd, "oci-layout", layout_text, sizeof(layout_text) - 1, 0644, FILE_DURABLE);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write '%s/images/oci-layout'", store->data_path);
        }
        return TAKE_FD(fd);
}

int layout_lock(const Store *store, Error *reterr) {
        return store_lock(store->data_fd, "images.lock", /* exclusive= */ true, reterr);
}

json_t *layout_entries(const json_t *index) {
        return json_object_get(index, "manifests");
}

const json_t *layout_find_name(const json_t *index, const char *name) {
        const json_t *entry;
        size_t i;

        json_array_foreach(layout_entries(index), i, entry)
                if (str_equal(layout_entry_name(entry), name))
                        return entry;
        return NULL;
}

const char *layout_entry_digest(const json_t *entry) {
        return json_get_string(entry, "digest");
}

const char *layout_entry_name(const json_t *entry) {
        return json_get_string(json_object_get(entry, "annotations"), ANNOTATION_REF_NAME);
}

const char *layout_entry_index_digest(const json_t *entry) {
        const char *digest = json_get_string(json_object_get(entry, "annotations"), ANNOTATION_INDEX_DIGEST);

        return digest_is_valid(digest) ? digest : NULL;
}

int layout_set_index_digest(json_t *index, const char *digest, const char *index_digest, Error *reterr) {
        json_t *entry;
        size_t i;

        json_array_foreach(layout_entries(index), i, entry) {
                json_t *annotations = json_object_get(entry, "annotations");

                if (!str_equal(layout_entry_digest(entry), digest))
                        continue;
                if (!annotations && json_object_set_new(entry, "annotations", annotations = json_object()) < 0)
                        return error_oom(reterr);
                if (json_object_set_new(annotations, ANNOTATION_INDEX_DIGEST, json_string(index_digest)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

int layout_load(const Store *store, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        size_t i;

        int r = json_read(store->data_fd, "images/index.json", LAYOUT_INDEX_LIMIT, &index, reterr);
        if (r == -ENOENT) {
                index = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_INDEX, "manifests");
                if (!index)
                        return error_oom(reterr);
        } else if (r < 0)
                return error_prefix(reterr, r, "the list of images in '%s' is damaged", store->data_path);
        if (!json_is_array(layout_entries(index)))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the list of images '%s/images/index.json' is damaged: no manifests",
                                 store->data_path);
        json_array_foreach(layout_entries(index), i, entry)
                if (!digest_is_valid(layout_entry_digest(entry)))
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT,
                                         "the list of images '%s/images/index.json' is damaged: entry %zu has no valid digest",
                                         store->data_path, i);
        *ret = TAKE_PTR(index);
        return 0;
}

/* Bytes for the moment when there are none: removing an image writes the list of images. */
static void make_reserve(int images_fd) {
        _cleanup_fd_ int fd = openat(images_fd, LAYOUT_RESERVE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd >= 0 && fallocate(fd, 0, 0, LAYOUT_RESERVE_SIZE) < 0)
                (void) unlinkat(images_fd, LAYOUT_RESERVE, 0); /* another time */
}

bool layout_use_reserve(int images_fd) {
        return unlinkat(images_fd, LAYOUT_RESERVE, 0) == 0;
}

int layout_save(int images_fd, const json_t *index, Error *reterr) {
        _cleanup_json_ json_t *sealed = json_copy((json_t *) index);

        if (!sealed || json_seal(sealed) < 0)
                return error_oom(reterr);
        int r = json_write_within(images_fd, "index.json", LAYOUT_INDEX_LIMIT, sealed, 0600, FILE_DURABLE, reterr);
        if ((r == -ENOSPC || r == -EDQUOT) && layout_use_reserve(images_fd)) {
                error_done(reterr);
                r = json_write_within(images_fd, "index.json", LAYOUT_INDEX_LIMIT, sealed, 0600, FILE_DURABLE, reterr);
        }
        if (r >= 0) {
                names_history_note(images_fd, index);
                make_reserve(images_fd);
        }
        return r;
}

int layout_edit_open(const Store *store, LayoutEdit *ret, Error *reterr) {
        _cleanup_layout_edit_ LayoutEdit edit = LAYOUT_EDIT_NULL;
        int r = edit.lock_fd = layout_lock(store, reterr);

        if (r >= 0)
                r = edit.images_fd = layout_open(store, reterr);
        if (r >= 0)
                r = layout_load(store, &edit.index, reterr);
        if (r < 0)
                return r;
        *ret = edit;
        edit = LAYOUT_EDIT_NULL;
        return 0;
}

int layout_edit_save(const LayoutEdit *edit, Error *reterr) {
        return layout_save(edit->images_fd, edit->index, reterr);
}

void layout_edit_done(LayoutEdit *edit) {
        json_decref(edit->index);
        (void) fd_close(edit->images_fd);
        (void) fd_close(edit->lock_fd);
        *edit = LAYOUT_EDIT_NULL;
}

int layout_add(json_t *index, const char *digest, int64_t size, const char *media_type, const char *name, Error *reterr) {
        json_t *entries = layout_entries(index), *entry;
        size_t i;

        json_array_foreach(entries, i, entry) {
                if (name || !str_equal(layout_entry_digest(entry), digest))
                        continue;
                return 0; /* it is there, under whatever name */
        }
        for (i = json_array_size(entries); i-- > 0;) {
                const char *other;

                entry = json_array_get(entries, i);
                other = layout_entry_name(entry);
                if ((name && str_equal(other, name)) || (!other && str_equal(layout_entry_digest(entry), digest))) {
                        bool moved = other && !str_equal(layout_entry_digest(entry), digest);
                        _cleanup_free_ char *old = moved ? strdup(layout_entry_digest(entry)) : NULL;
                        int64_t old_size = json_get_integer(entry, "size", 0);
                        _cleanup_free_ char *old_type = moved ? strdup(json_get_string(entry, "mediaType") ?: MEDIA_TYPE_OCI_MANIFEST) : NULL;

                        if (moved && (!old || !old_type))
                                return error_oom(reterr);
                        (void) json_array_remove(entries, i);
                        /* the image that lost its last name stays, without one */
                        if (moved && layout_add(index, old, old_size, old_type, /* name= */ NULL, reterr) < 0)
                                return -ENOMEM;
                }
        }
        entry = json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", digest, "size", (json_int_t) size);
        if (name && entry && json_object_set_new(entry, "annotations", json_pack("{s:s}", ANNOTATION_REF_NAME, name)) < 0) {
                json_decref(entry);
                entry = NULL;
        }
        return json_array_append_new(entries, entry) < 0 ? error_oom(reterr) : 0;
}

size_t layout_remove(json_t *index, const char *digest, const char *name) {
        json_t *entries = layout_entries(index);
        size_t n = 0;

        for (size_t i = json_array_size(entries); i-- > 0;) {
                const json_t *entry = json_array_get(entries, i);

                if (name ? !str_equal(layout_entry_name(entry), name) : !str_equal(layout_entry_digest(entry), digest))
                        continue;
                (void) json_array_remove(entries, i);
                n++;
        }
        return n;
}

int layout_read_blob(const Store *store, const char *digest, json_t **ret, Error *reterr) {
        char path[32 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(digest));
        int r = json_read(store->data_fd, path, MANIFEST_SIZE_LIMIT, ret, reterr);
        if (r == -ENOENT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the blob '%s' is not in '%s/images'", digest, store->data_path);
        return r;
}

int layout_read_manifest(const Store *store, const char *digest, Manifest *ret, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        int r = layout_read_blob(store, digest, &json, reterr);
        return r < 0 ? r : manifest_load(json, digest, ret, reterr);
}
