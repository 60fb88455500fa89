/* SPDX-License-Identifier: Apache-2.0 */
/* A list is written anew with every change; its names and its ID stay. */
#include "image/list-edit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "image/sha256.h"
#include "spec/reference.h"

void list_edit_done(ListEdit *edit) {
        layout_edit_done(&edit->layout);
        json_decref(edit->document);
        free(edit->name);
        *edit = LIST_EDIT_NULL;
}

static int make(ListEdit *edit, const char *reference, bool amend, Error *reterr) {
        _cleanup_free_ char *id = str_random_id(DIGEST_HEX_LENGTH);
        const json_t *entry;
        size_t i;

        int r = reference_normalise_local(reference, &edit->name, reterr);
        if (r < 0)
                return r;
        json_array_foreach(layout_entries(edit->layout.index), i, entry) {
                if (!str_equal(layout_entry_name(entry), edit->name))
                        continue;
                if (!amend || !list_entry_is_list(entry))
                        return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot create manifest list '%s': there is %s of this name",
                                         edit->name, list_entry_is_list(entry) ? "one" : "an image");
                (void) stpcpy(edit->old_digest, layout_entry_digest(entry));
                return list_read(edit->store, edit->old_digest, &edit->document, reterr);
        }
        edit->document = json_pack("{s:i, s:s, s:[], s:{s:s}}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_INDEX, "manifests",
                                   "annotations", LIST_ID, id);
        return edit->document ? 0 : error_oom(reterr);
}

static int find(ListEdit *edit, const char *reference, Error *reterr) {
        const json_t *entry;
        bool by_name;

        int r = image_store_find(edit->store, edit->layout.index, reference, &entry, &by_name, reterr);
        if (r < 0)
                return r;
        if (!list_entry_is_list(entry))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s' as a manifest list: it is an image", reference);
        (void) stpcpy(edit->old_digest, layout_entry_digest(entry));
        return list_read(edit->store, edit->old_digest, &edit->document, reterr);
}

int list_open(const Store *store, const char *reference, ListEdit *ret, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;

        edit.store = store;
        int r = layout_load(store, &edit.layout.index, reterr);
        if (r >= 0)
                r = find(&edit, reference, reterr);
        if (r < 0)
                return r;
        *ret = edit;
        edit = LIST_EDIT_NULL;
        return 0;
}

int list_edit_open(const Store *store, const char *reference, bool create, bool amend, ListEdit *ret, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;

        edit.store = store;
        int r = layout_edit_open(store, &edit.layout, reterr);
        if (r >= 0)
                r = create ? make(&edit, reference, amend, reterr) : find(&edit, reference, reterr);
        if (r < 0)
                return r;
        *ret = edit;
        edit = LIST_EDIT_NULL;
        return 0;
}

json_t *list_edit_find(const ListEdit *edit, const char *digest, size_t *ret_position) {
        json_t *entry;
        size_t i;

        json_array_foreach(list_entries(edit->document), i, entry)
                if (str_equal(layout_entry_digest(entry), digest)) {
                        if (ret_position)
                                *ret_position = i;
                        return entry;
                }
        return NULL;
}

int list_edit_put(ListEdit *edit, json_t *entry, Error *reterr) {
        size_t position;

        if (list_edit_find(edit, layout_entry_digest(entry), &position))
                return json_array_set_new(list_entries(edit->document), position, entry) < 0 ? error_oom(reterr) : 0;
        if (json_array_size(list_entries(edit->document)) >= MANIFEST_INDEX_LIMIT) {
                json_decref(entry);
                return error_set(reterr, -EFBIG, ERROR_INVALID, "the manifest list is full: it has %d images", MANIFEST_INDEX_LIMIT);
        }
        return json_array_append_new(list_entries(edit->document), entry) < 0 ? error_oom(reterr) : 0;
}

/* All that named the old document names the new one. */
static int rename_entries(ListEdit *edit, const char *digest, size_t size, Error *reterr) {
        json_t *entry;
        size_t i;

        if (edit->name && !*edit->old_digest)
                return layout_add(edit->layout.index, digest, (int64_t) size, MEDIA_TYPE_OCI_INDEX, edit->name, reterr);
        json_array_foreach(layout_entries(edit->layout.index), i, entry)
                if (str_equal(layout_entry_digest(entry), edit->old_digest) &&
                    (json_object_set_new(entry, "digest", json_string(digest)) < 0 ||
                     json_object_set_new(entry, "size", json_integer((json_int_t) size)) < 0))
                        return error_oom(reterr);
        return 0;
}

int list_edit_save(ListEdit *edit, Error *reterr) {
        _cleanup_free_ char *text = json_dumps(edit->document, JSON_COMPACT);
        _cleanup_fd_ int blobs = openat(edit->layout.images_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char digest[DIGEST_LENGTH + 1];
        int r;

        if (!text || sha256_buffer(text, strlen(text), digest) < 0)
                return error_oom(reterr);
        if (strlen(text) > MANIFEST_SIZE_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "the manifest list is longer than %d bytes", MANIFEST_SIZE_LIMIT);
        if (blobs < 0)
                return error_set_errno(reterr, -errno, "cannot open 'blobs/sha256'");
        r = file_write_atomic(blobs, digest_hex(digest), text, strlen(text), 0600, FILE_DURABLE);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write the blob '%s'", digest);
        r = rename_entries(edit, digest, strlen(text), reterr);
        if (r >= 0)
                r = layout_edit_save(&edit->layout, reterr);
        if (r >= 0) /* the old blob goes with the next removal of an image: somebody may be reading it */
                (void) stpcpy(edit->old_digest, digest);
        return r;
}

int list_edit_remove(ListEdit *edit, Error *reterr) {
        (void) layout_remove(edit->layout.index, edit->old_digest, /* name= */ NULL);
        return layout_edit_save(&edit->layout, reterr);
}
